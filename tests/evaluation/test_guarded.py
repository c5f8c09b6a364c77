"""How an evaluation ends when something goes wrong around it."""

from __future__ import annotations

import asyncio

import pytest

from banyan.errors import EngineUnavailable
from banyan.evaluation.command import guarded
from banyan.evaluation.stage import Stage
from banyan.local.errors import Died, Interrupted
from banyan.local.stop_signal import StopSignal


def died() -> None:
    raise Died("engine ended with exit code 1")


def stage(*, dead: bool = False) -> Stage:
    return Stage(None, None, check=died if dead else lambda: None, engine_peak_bytes=lambda: None)


async def fails() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(refused())


async def refused() -> None:
    raise EngineUnavailable("no connection")


async def waits() -> None:
    await asyncio.Event().wait()


async def test_an_error_of_the_only_question_in_flight_is_told_as_it_is() -> None:
    with pytest.raises(EngineUnavailable, match="no connection"):
        await guarded(fails(), stage(), StopSignal())


async def test_a_part_that_died_explains_what_its_callers_saw() -> None:
    with pytest.raises(Died, match="engine"):
        await guarded(fails(), stage(dead=True), StopSignal())


async def test_a_part_that_dies_ends_what_waits_for_it() -> None:
    with pytest.raises(Died, match="engine"):
        await guarded(waits(), stage(dead=True), StopSignal())


async def test_a_signal_ends_what_is_under_way() -> None:
    stop = StopSignal()
    stop.event.set()
    with pytest.raises(Interrupted) as caught:
        await guarded(waits(), stage(), stop)
    assert "goes on with what is left" in caught.value.hint
