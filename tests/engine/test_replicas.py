"""Routing over replicas: by prefix, within a load bound, around those that do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from banyan.adapters.replicas import MAX_REST_S, Replicas
from banyan.affinity import affinity
from banyan.errors import EngineRefused, EngineUnavailable
from banyan.ports import Abilities, Message
from banyan.testing import Call, ScriptedEngine
from banyan.testing.rules import default_rule
from banyan.testing.schema_values import Schema
from tests.engine.dialogues import OPTIONS
from tests.fixtures.waiting import until


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def down(messages: Sequence[Message], schema: Schema | None) -> str:
    del messages, schema
    raise EngineUnavailable("down")


def routed(*engines: ScriptedEngine, clock: Clock | None = None) -> Replicas:
    named = [(f"http://replica-{index}", engine) for index, engine in enumerate(engines)]
    return Replicas(named, clock=clock or Clock())


async def ask(replicas: Replicas, text: str) -> None:
    prompt = await replicas.render([Message("user", text)])
    await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)


async def test_turns_of_one_dialogue_go_to_one_replica() -> None:
    engines = [ScriptedEngine() for _ in range(4)]
    replicas = routed(*engines)
    opening = [Message("system", "rules"), Message("user", "the document")]
    later = [*opening, Message("assistant", "reply"), Message("user", "go on")]

    for messages in (opening, later, later):
        prompt = await replicas.render(messages)
        await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)

    assert sorted(len(engine.calls) for engine in engines) == [0, 0, 0, 3]


async def test_different_dialogues_are_spread() -> None:
    engines = [ScriptedEngine() for _ in range(4)]
    replicas = routed(*engines)

    for number in range(200):
        await ask(replicas, f"document {number}")

    assert all(len(engine.calls) > 20 for engine in engines)


def held_until(num_calls: int) -> list[ScriptedEngine]:
    """Four engines that answer nothing before so many calls are in flight."""
    all_asked, num_held = asyncio.Event(), 0

    async def hold(call: Call) -> None:
        nonlocal num_held
        del call
        num_held += 1
        if num_held == num_calls:
            all_asked.set()
        await all_asked.wait()

    return [ScriptedEngine(hold=hold) for _ in range(4)]


async def test_a_popular_prefix_does_not_overload_its_replica() -> None:
    engines = held_until(40)
    replicas = routed(*engines)

    await asyncio.gather(*(ask(replicas, "the same") for _ in range(40)))

    assert max(engine.max_in_flight for engine in engines) <= 13  # 1.25 times a quarter of 40


async def test_siblings_that_share_a_prefix_meet_the_replica_of_their_parent() -> None:
    engines = [ScriptedEngine() for _ in range(3)]
    replicas = routed(*engines)
    for number in range(12):
        parent = [Message("system", "Be brief."), Message("user", f"document {number}")]
        prompt = await replicas.render(parent)
        reply = await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)
        served = next(
            engine for engine in engines if engine.calls and engine.calls[-1].prompt is prompt
        )
        assert prompt.token_ids is not None
        assert reply.token_ids is not None
        prefix = Message("prefix", affinity(parent), prompt.token_ids + reply.token_ids)
        before = len(served.calls)

        for part in range(5):
            child = await replicas.render([prefix, Message("user", f"part {part}")])
            await replicas.complete(child, schema=None, max_tokens=8, options=OPTIONS)

        assert len(served.calls) == before + 5
    assert all(engine.calls for engine in engines)


async def test_children_follow_a_parent_that_another_replica_had_to_take() -> None:
    parents = [[Message("user", f"document {number}")] for number in range(9)]
    engines = held_until(len(parents))
    replicas = routed(*engines)

    async def opened(parent: Sequence[Message]) -> tuple[str, Message]:
        prompt = await replicas.render(parent)
        reply = await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)
        ids = (*(prompt.token_ids or ()), *(reply.token_ids or ()))
        return reply.replica, Message("prefix", affinity(parent), ids, replica=reply.replica)

    opened_on = await asyncio.gather(*(opened(parent) for parent in parents))

    hashed = [replicas.ranked(OPTIONS.salt + affinity(parent))[0].name for parent in parents]
    assert [replica for replica, _ in opened_on] != hashed  # some had to go elsewhere
    for replica, prefix in opened_on:
        child = await replicas.render([prefix, Message("user", "a part")])
        reply = await replicas.complete(child, schema=None, max_tokens=8, options=OPTIONS)
        logprobs, choice = await replicas.choose(child, {"answer": "A", "delegate": "B"}, OPTIONS)
        assert reply.replica == choice.replica == replica
        assert logprobs


async def test_one_server_is_not_named() -> None:
    replicas = routed(ScriptedEngine())
    prompt = await replicas.render([Message("user", "a question")])

    reply = await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)

    assert reply.replica == ""


async def test_a_prefix_that_many_share_does_not_overload_its_replica() -> None:
    engines = held_until(40)
    replicas = routed(*engines)
    prefix = Message("prefix", "the parent's", (2, 17, 3))

    async def call(part: int) -> None:
        prompt = await replicas.render([prefix, Message("user", f"part {part}")])
        await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)

    await asyncio.gather(*(call(part) for part in range(40)))

    assert max(engine.max_in_flight for engine in engines) <= 13  # 1.25 times a quarter of 40


async def test_a_call_moves_on_from_a_replica_that_is_down() -> None:
    up = ScriptedEngine()
    replicas = routed(ScriptedEngine(rule=down), up, ScriptedEngine(rule=down))

    for number in range(10):
        await ask(replicas, f"document {number}")

    assert len(up.calls) == 10


async def test_a_replica_that_was_down_rests_and_comes_back() -> None:
    clock = Clock()
    broken = ScriptedEngine(rule=down)
    replicas = routed(broken, ScriptedEngine(), clock=clock)
    for number in range(20):
        await ask(replicas, f"document {number}")
    assert len(broken.calls) == 1

    broken.rule = default_rule
    clock.now += MAX_REST_S + 1
    for number in range(20):
        await ask(replicas, f"document {number}")

    assert len(broken.calls) > 5


async def test_when_all_are_down_the_error_rises_after_bounded_attempts() -> None:
    engines = [ScriptedEngine(rule=down) for _ in range(5)]

    with pytest.raises(EngineUnavailable):
        await ask(routed(*engines), "anything")

    assert sum(len(engine.calls) for engine in engines) == 3


async def test_a_refusal_is_not_tried_elsewhere() -> None:
    def refuse(messages: Sequence[Message], schema: Schema | None) -> str:
        del messages, schema
        raise EngineRefused("no")

    engines = [ScriptedEngine(rule=refuse) for _ in range(3)]

    with pytest.raises(EngineRefused):
        await ask(routed(*engines), "anything")

    assert sum(len(engine.calls) for engine in engines) == 1


async def test_a_stream_that_broke_is_not_said_twice() -> None:
    engines = [ScriptedEngine() for _ in range(2)]
    replicas = routed(*engines)
    prompt = await replicas.render([Message("user", "anything")])
    said: list[str] = []

    async def on_delta(text: str) -> None:
        said.append(text)
        raise EngineUnavailable("the stream broke")

    with pytest.raises(EngineUnavailable):
        await replicas.complete(
            prompt, schema=None, max_tokens=8, options=OPTIONS, on_delta=on_delta
        )

    assert said == ["The "]  # the first piece, once
    assert sum(len(engine.calls) for engine in engines) == 1


async def test_replicas_of_different_models_are_refused() -> None:
    with pytest.raises(EngineRefused, match="differ"):
        await routed(ScriptedEngine(window=1_024), ScriptedEngine(window=2_048)).abilities()


async def asked(replicas: Replicas) -> Abilities:
    """What they can do; what was begun beside that has gone as far as it can."""
    abilities = await replicas.abilities()
    for _ in range(20):
        await asyncio.sleep(0)
    return abilities


class Away(ScriptedEngine):
    """A server that is not there until it is put up."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.is_up = False
        self.num_asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def abilities(self) -> Abilities:
        self.num_asked += 1
        await self.answers.wait()
        if not self.is_up:
            raise EngineUnavailable("there is no such server")
        return await super().abilities()


async def test_what_is_not_there_is_asked_what_it_can_only_after_its_rest() -> None:
    clock, away = Clock(), Away()
    replicas = routed(ScriptedEngine(), away, clock=clock)
    known = await replicas.abilities()

    for _ in range(10):
        assert await asked(replicas) == known
    assert away.num_asked == 1

    away.is_up, clock.now = True, MAX_REST_S
    for _ in range(10):
        assert await asked(replicas) == known
    assert away.num_asked == 2


async def test_nobody_waits_for_a_replica_that_never_answers() -> None:
    clock, away = Clock(), Away()
    replicas = routed(ScriptedEngine(), away, clock=clock)
    known = await replicas.abilities()
    away.answers.clear()
    clock.now = MAX_REST_S

    for _ in range(10):
        assert await asked(replicas) == known
    assert away.num_asked == 2
    await replicas.close()


async def test_a_rest_begins_when_a_replica_has_kept_silent_for_long() -> None:
    clock, away = Clock(), Away()
    away.answers.clear()
    replicas = routed(ScriptedEngine(), away, clock=clock)
    first = asyncio.create_task(asked(replicas))
    await until(lambda: away.num_asked)
    clock.now = 60.0  # it has taken so long to say that it is not there
    away.answers.set()
    known = await first

    assert await asked(replicas) == known
    assert away.num_asked == 1


async def test_a_silent_replica_of_another_model_is_refused_once_it_answers() -> None:
    clock, away = Clock(), Away(window=1_024)
    replicas = routed(ScriptedEngine(window=2_048), away, clock=clock)
    await replicas.abilities()
    away.is_up, clock.now = True, MAX_REST_S
    await asked(replicas)

    with pytest.raises(EngineRefused, match="differ"):
        await replicas.abilities()


async def test_where_none_has_answered_all_are_asked_each_time() -> None:
    away = Away()
    replicas = routed(away)

    with pytest.raises(EngineUnavailable):
        await replicas.abilities()
    away.is_up = True

    assert (await replicas.abilities()).model


async def test_closing_closes_every_replica() -> None:
    engines = [ScriptedEngine(), ScriptedEngine()]

    await routed(*engines).close()

    assert all(engine.closed for engine in engines)
