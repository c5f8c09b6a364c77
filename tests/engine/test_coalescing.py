"""Equal calls in flight are made once, and nobody is the worse for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from banyan.adapters.coalescing import Coalescing
from banyan.adapters.memory_flights import MemoryFlights
from banyan.errors import EngineUnavailable
from banyan.ports import CallOptions, Completion, Message
from banyan.testing import Call, ScriptedEngine
from banyan.testing.schema_values import Schema
from tests.engine.dialogues import ANSWER, DIALOGUE, OPTIONS, SAMPLED
from tests.fixtures.waiting import until

NUM_EQUAL = 20


@dataclass
class Gate:
    """Keeps calls in flight until it is opened."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, call: Call) -> None:
        del call
        await self.opened.wait()


async def ask(
    engine: Coalescing,
    options: CallOptions = OPTIONS,
    *,
    question: Sequence[Message] = DIALOGUE,
    schema: Schema | None = None,
    max_tokens: int = 8,
    on_delta: Callable[[str], Awaitable[None]] | None = None,
) -> Completion:
    prompt = await engine.render(question)
    return await engine.complete(
        prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
    )


async def all_asked(engines: Sequence[ScriptedEngine], num_calls: int) -> None:
    """Return once so many calls are in flight and nobody is about to make another."""
    await until(lambda: sum(engine.in_flight for engine in engines) >= num_calls)
    for _ in range(50):
        await asyncio.sleep(0)
    assert sum(engine.in_flight for engine in engines) == num_calls


@pytest.mark.parametrize("token_ids", [True, False])
async def test_equal_calls_in_flight_are_made_once_and_one_pays(token_ids: bool) -> None:
    gate = Gate()
    inner = ScriptedEngine(hold=gate.hold, token_ids=token_ids)
    engine = Coalescing(inner)
    asked = [asyncio.create_task(ask(engine)) for _ in range(NUM_EQUAL)]
    await all_asked([inner], 1)
    gate.opened.set()

    replies = await asyncio.gather(*asked)

    assert len(inner.calls) == 1
    assert [reply.coalesced for reply in replies] == [False] + [True] * (NUM_EQUAL - 1)
    assert len({replace(reply, coalesced=False, seconds=0) for reply in replies}) == 1


async def test_equal_choices_in_flight_are_made_once() -> None:
    gate = Gate()
    inner = ScriptedEngine(hold=gate.hold)
    engine = Coalescing(inner)
    prompt = await engine.render(DIALOGUE)
    letters = {"answer": "A", "delegate": "B"}
    asked = [asyncio.create_task(engine.choose(prompt, letters, OPTIONS)) for _ in range(3)]
    await all_asked([inner], 1)
    gate.opened.set()

    replies = await asyncio.gather(*asked)

    assert replies[0][0] == replies[1][0] == replies[2][0] == {"answer": -1.0, "delegate": -9.0}
    assert [completion.coalesced for _, completion in replies] == [False, True, True]


OTHERS: dict[str, dict[str, Any]] = {
    "another tenant": {"options": replace(OPTIONS, salt="others:base")},
    "another adapter": {"options": replace(OPTIONS, policy="tuned")},
    "other weights": {"options": replace(OPTIONS, weights="v2")},
    "another question": {"question": [Message("user", "Who?")]},
    "a schema": {"schema": ANSWER},
    "a longer reply": {"max_tokens": 9},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_calls_that_differ_are_each_made(other: dict[str, Any]) -> None:
    gate = Gate()
    inner = ScriptedEngine(hold=gate.hold)
    engine = Coalescing(inner)
    asked = [asyncio.create_task(ask(engine)), asyncio.create_task(ask(engine, **other))]
    await all_asked([inner], 2)
    gate.opened.set()

    assert [reply.coalesced for reply in await asyncio.gather(*asked)] == [False, False]


async def test_sampled_and_streamed_calls_are_each_made() -> None:
    gate = Gate()
    inner = ScriptedEngine(hold=gate.hold)
    engine = Coalescing(inner)
    told: list[str] = []

    async def tell(text: str) -> None:
        told.append(text)

    asked = [asyncio.create_task(ask(engine, SAMPLED)) for _ in range(2)]
    asked += [asyncio.create_task(ask(engine, on_delta=tell)) for _ in range(2)]
    await all_asked([inner], 4)
    gate.opened.set()

    replies = await asyncio.gather(*asked)

    assert not any(reply.coalesced for reply in replies)
    assert "".join(told) == replies[2].text + replies[3].text


async def test_who_asks_after_the_reply_asks_anew() -> None:
    inner = ScriptedEngine()
    engine = Coalescing(inner)

    assert [(await ask(engine)).coalesced for _ in range(2)] == [False, False]
    assert len(inner.calls) == 2


async def test_a_cancelled_leader_takes_nothing_from_the_others() -> None:
    gate = Gate()
    inner = ScriptedEngine(hold=gate.hold)
    engine = Coalescing(inner)
    first, second = (asyncio.create_task(ask(engine)) for _ in range(2))
    await all_asked([inner], 1)
    first.cancel()
    gate.opened.set()

    assert (await second).coalesced
    assert len(inner.calls) == 1


async def test_a_call_that_nobody_waits_for_is_given_up() -> None:
    inner = ScriptedEngine(hold=Gate().hold)
    engine = Coalescing(inner)
    asked = [asyncio.create_task(ask(engine)) for _ in range(2)]
    await all_asked([inner], 1)
    for one in asked:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)

    await all_asked([inner], 0)


async def test_all_hear_of_an_error_and_may_ask_again() -> None:
    is_down = True

    def rule(messages: Sequence[Message], schema: Schema | None) -> str:
        del messages, schema
        if is_down:
            raise EngineUnavailable("down")
        return "up"

    inner = ScriptedEngine(rule=rule)
    engine = Coalescing(inner)
    asked = [ask(engine) for _ in range(3)]
    assert {type(error) for error in await asyncio.gather(*asked, return_exceptions=True)} == {
        EngineUnavailable
    }
    assert len(inner.calls) == 1
    is_down = False

    assert (await ask(engine)).text == "up"


async def test_processes_of_an_installation_wait_for_each_other() -> None:
    gate, flights = Gate(), MemoryFlights()
    inner = [ScriptedEngine(hold=gate.hold) for _ in range(2)]
    engines = [Coalescing(one, flights) for one in inner]
    asked = [asyncio.create_task(ask(engine)) for engine in engines for _ in range(NUM_EQUAL)]
    await all_asked(inner, 1)
    gate.opened.set()

    replies = await asyncio.gather(*asked)

    assert len(inner[0].calls) + len(inner[1].calls) == 1
    assert sum(not reply.coalesced for reply in replies) == 1
    assert len({reply.text for reply in replies}) == 1


async def test_the_next_leads_where_a_leader_gives_up_or_falls_silent() -> None:
    now = 0.0
    flights = MemoryFlights(clock=lambda: now)
    silent = ScriptedEngine(hold=Gate().hold)
    gives_up = ScriptedEngine(hold=Gate().hold)
    works = ScriptedEngine()
    first = asyncio.create_task(ask(Coalescing(silent, flights, lease_s=30.0)))
    await all_asked([silent], 1)
    now = 31.0  # its lease is over, though it goes on
    second = asyncio.create_task(ask(Coalescing(gives_up, flights, lease_s=30.0)))
    await all_asked([gives_up], 1)
    third = asyncio.create_task(ask(Coalescing(works, flights, lease_s=30.0)))
    second.cancel()

    assert not (await third).coalesced
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)


async def test_a_kept_reply_serves_who_asks_later() -> None:
    flights = MemoryFlights()
    inner = ScriptedEngine()

    first = await ask(Coalescing(inner, flights, keep_s=60.0))
    later = await ask(Coalescing(inner, flights, keep_s=60.0))

    assert later == replace(first, coalesced=True, seconds=0.0)
    assert len(inner.calls) == 1


@dataclass
class SlowFlights(MemoryFlights):
    """Telling takes a while, as it does over a network."""

    async def leave(self, key: str, token: str) -> None:
        for _ in range(50):
            await asyncio.sleep(0)
        await super().leave(key, token)


@pytest.mark.parametrize("given_up_before", [True, False])
async def test_after_a_close_another_leads_at_once(given_up_before: bool) -> None:
    flights = SlowFlights(clock=lambda: 0.0)  # no lease ever ends
    inner = ScriptedEngine(hold=Gate().hold)
    engine = Coalescing(inner, flights)
    asked = asyncio.create_task(ask(engine))
    await all_asked([inner], 1)
    if given_up_before:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
    await engine.close()

    assert inner.closed
    assert not (await ask(Coalescing(ScriptedEngine(), flights))).coalesced
    await asyncio.gather(asked, return_exceptions=True)


async def test_nothing_is_in_flight_after_a_close() -> None:
    inner = ScriptedEngine(hold=Gate().hold)
    engine = Coalescing(inner)
    asked = asyncio.create_task(ask(engine))
    await all_asked([inner], 1)
    await engine.close()

    assert inner.in_flight == 0
    with pytest.raises(asyncio.CancelledError):
        await asked
