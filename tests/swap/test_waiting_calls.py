"""Calls that wait for a place at a replica while its weights are to be changed."""

from __future__ import annotations

import asyncio

import pytest

from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.places import Places
from banyan.adapters.stationed import StationedEngine
from banyan.concurrency import Bounds, Limiter
from banyan.errors import EngineUnavailable
from banyan.ports import CallOptions, Completion, Message, Station
from banyan.testing import Call, ScriptedEngine
from tests.fixtures.waiting import until

NAME, TOKEN = "http://replica", "token"
BEFORE = [None, Station(version="v1", epoch=3)]


@pytest.mark.parametrize("station", BEFORE, ids=["never changed", "changed before"])
async def test_a_call_that_waited_is_not_made_on_a_replica_that_was_closed(
    station: Station | None,
) -> None:
    free = asyncio.Event()

    async def hold(call: Call) -> None:
        del call
        await free.wait()

    replica, store = ScriptedEngine(hold=hold), MemoryPolicies()
    places = Places(NAME, Limiter(Bounds.fixed(1)))
    engine = StationedEngine([(NAME, replica)], store, {NAME: places}, fresh_s=0.0)
    await store.lease(TOKEN, ttl_s=60.0)
    if station is not None:
        await store.set_station(NAME, station, token=TOKEN)
    options = CallOptions(salt="acme:base", weights=station.version if station else None)
    prompt = await engine.render([Message("user", "go on")])

    async def ask() -> Completion:
        return await engine.complete(prompt, schema=None, max_tokens=8, options=options)

    tasks = [asyncio.create_task(ask()) for _ in range(2)]
    await until(lambda: (len(replica.calls), places.num_waiting) == (1, 1))
    before = station or Station(version=None)
    closed = before.model_copy(update={"epoch": before.epoch + 1, "is_open": False})
    await store.set_station(NAME, closed, token=TOKEN)

    free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [EngineUnavailable, EngineUnavailable]
    assert len(replica.calls) == 1
    assert places.num_taken == 0
