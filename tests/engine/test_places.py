"""Calls beyond a server's limit: they wait in order, go where there is room, can be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from banyan import signals
from banyan.adapters.memory_metrics import MemoryMetrics
from banyan.adapters.places import Places, place
from banyan.adapters.replicas import Replicas
from banyan.concurrency import Bounds, Limiter
from banyan.errors import EngineOverloaded, EngineUnavailable
from banyan.ports import Message
from banyan.testing import Call, ScriptedEngine
from banyan.testing.schema_values import Schema
from tests.engine.dialogues import OPTIONS
from tests.fixtures.waiting import until


class Held:
    """Replicas that keep their calls until they are let go, with so many places each."""

    def __init__(self, *limits: int) -> None:
        self.metrics = MemoryMetrics()
        self.free = asyncio.Semaphore(0)
        self.engines = [ScriptedEngine(hold=self._hold) for _ in limits]
        names = [f"http://replica-{index}" for index in range(len(limits))]
        self.places = [
            Places(name, Limiter(Bounds.fixed(limit)), metrics=self.metrics)
            for name, limit in zip(names, limits, strict=True)
        ]
        self.replicas = Replicas(
            list(zip(names, self.engines, strict=True)),
            dict(zip(names, self.places, strict=True)),
            clock=lambda: 0.0,
        )

    async def _hold(self, call: Call) -> None:
        del call
        await self.free.acquire()

    def ask(self, text: str) -> asyncio.Task[None]:
        return asyncio.create_task(ask(self.replicas, text))

    @property
    def asked(self) -> list[str]:
        """What calls said that servers got, in order."""
        calls = [call for engine in self.engines for call in engine.calls]
        return [call.prompt.messages[0].content for call in calls]

    @property
    def num_waiting(self) -> int:
        return max(places.num_waiting for places in self.places)


async def ask(replicas: Replicas, text: str) -> None:
    prompt = await replicas.render([Message("user", text)])
    await replicas.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)


async def test_calls_beyond_the_limit_are_made_later_in_their_order() -> None:
    held = Held(2)
    texts = [str(number) for number in range(8)]
    tasks = []
    for text in texts:
        tasks.append(held.ask(text))
        await asyncio.sleep(0)
    await until(lambda: held.num_waiting == 6)
    assert held.asked == texts[:2]

    for _ in texts:
        held.free.release()
    await asyncio.gather(*tasks)

    assert held.asked == texts
    assert held.engines[0].max_in_flight == 2
    assert held.places[0].num_taken == 0


async def test_a_call_that_is_given_up_while_it_waits_is_never_made() -> None:
    held = Held(1)
    first, second, third = (held.ask(text) for text in ("first", "second", "third"))
    await until(lambda: held.num_waiting == 2)

    second.cancel()
    held.free.release()
    held.free.release()
    await asyncio.gather(first, third)

    assert second.cancelled()
    assert held.asked == ["first", "third"]
    assert (held.places[0].num_taken, held.num_waiting) == (0, 0)


async def test_a_place_that_is_given_to_a_call_as_it_is_given_up_goes_to_the_next() -> None:
    places = Places("gpu:8000", Limiter(Bounds.fixed(1)))
    await place([places])
    second, third = (asyncio.create_task(place([places])) for _ in range(2))
    await until(lambda: places.num_waiting == 2)

    places.give_back()  # the second has it now, and does not know yet
    second.cancel()

    assert await third is places
    assert (second.cancelled(), places.num_taken) == (True, 1)


async def test_a_full_replica_is_passed_over_for_one_with_room() -> None:
    held = Held(1, 3)
    tasks = [held.ask("the same") for _ in range(4)]
    await until(lambda: len(held.asked) == 4)

    assert [engine.in_flight for engine in held.engines] == [1, 3]
    for _ in tasks:
        held.free.release()
    await asyncio.gather(*tasks)


async def test_a_call_that_waits_goes_where_there_is_room_first() -> None:
    held = Held(1, 1)
    tasks = [held.ask("the same") for _ in range(3)]
    await until(lambda: held.num_waiting == 1)
    assert [places.num_waiting for places in held.places] == [1, 1]

    held.free.release()
    await until(lambda: len(held.asked) == 3)

    assert held.num_waiting == 0
    for _ in range(2):
        held.free.release()
    await asyncio.gather(*tasks)
    assert [places.num_taken for places in held.places] == [0, 0]


async def test_a_call_waits_for_a_full_replica_rather_than_for_one_that_is_down() -> None:
    def down(messages: Sequence[Message], schema: Schema | None) -> str:
        del messages, schema
        raise EngineUnavailable("down")

    held = Held(1, 1)
    held.engines[1].rule, held.engines[1].hold = down, None
    tasks = [held.ask(str(number)) for number in range(20)]
    await until(lambda: held.num_waiting == 19)
    before = len(held.engines[1].calls)

    for _ in tasks:
        held.free.release()
    await asyncio.gather(*tasks)

    assert before <= 1
    assert len(held.engines[1].calls) == before
    assert len(held.engines[0].calls) == 20


async def test_calls_that_wait_do_not_try_a_replica_that_failed_meanwhile() -> None:
    def down(messages: Sequence[Message], schema: Schema | None) -> str:
        del messages, schema
        raise EngineUnavailable("down")

    held = Held(1, 1)
    held.engines[1].rule = down
    tasks = [held.ask(str(number)) for number in range(20)]
    await until(lambda: [places.num_waiting for places in held.places] == [18, 18])

    for _ in range(21):
        held.free.release()
    await asyncio.gather(*tasks)

    assert [len(engine.calls) for engine in held.engines] == [20, 1]
    assert [places.num_taken for places in held.places] == [0, 0]


async def test_waiting_is_told_as_queue_time() -> None:
    held = Held(1)
    first, second = held.ask("first"), held.ask("second")
    await until(lambda: held.num_waiting == 1)
    name = held.places[0].name
    assert held.metrics.of(signals.ENGINE_WAITING, name) == 1
    assert held.metrics.of(signals.ENGINE_LIMIT, name) == 1

    held.free.release()
    held.free.release()
    await asyncio.gather(first, second)

    assert held.metrics.of(signals.ENGINE_WAITING, name) == 0
    [(labels, waits)] = held.metrics.observed[signals.ENGINE_QUEUE_SECONDS].items()
    assert (labels, len(waits)) == ((name,), 2)
    assert waits[0] == 0.0 < waits[1]


async def test_counting_and_rendering_need_no_place() -> None:
    held = Held(1)
    task = held.ask("first")
    await until(lambda: held.places[0].num_taken)

    assert await held.replicas.count("two words") == 2
    await held.replicas.render([Message("user", "another")])

    held.free.release()
    await task


@pytest.mark.parametrize(("error", "limit"), [(EngineOverloaded, 7), (EngineUnavailable, 8)])
async def test_an_overload_lowers_the_limit_and_an_outage_does_not(
    error: type[EngineUnavailable], limit: int
) -> None:
    places = Places("gpu:8000", Limiter())

    async def call() -> None:
        await place([places])
        with places.occupied():
            await all_sent.wait()
            raise error("no")

    all_sent = asyncio.Event()
    calls = [asyncio.create_task(call()) for _ in range(8)]
    await until(lambda: places.num_taken == 8)
    all_sent.set()
    await asyncio.gather(*calls, return_exceptions=True)
    await places.close()

    assert (places.limit, places.num_taken) == (limit, 0)
