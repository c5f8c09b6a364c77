"""Full weights: replicas are reloaded one by one, and no call is computed by two versions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from operator import contains
from pathlib import Path

import pytest

from banyan import moves
from banyan.adapters.publishing import change
from banyan.errors import EngineUnavailable
from banyan.ports import CallOptions, Completion, Station
from tests.fixtures.waiting import until
from tests.swap.farm import RULES, Farm


@pytest.fixture
def pair(tmp_path: Path) -> Farm:
    return Farm(tmp_path, "a", "b", kind="full")


@pytest.fixture
def single(tmp_path: Path) -> Farm:
    return Farm(tmp_path, "a", kind="full")


async def versions(farm: Farm) -> dict[str, str | None]:
    return {name: station.version for name, station in (await farm.store.stations()).items()}


async def patiently(farm: Farm, options: CallOptions) -> Completion:
    """As the driver does: a call that is void or finds nobody is made again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await farm.complete(options)
            except EngineUnavailable:
                await asyncio.sleep(0)


async def test_both_replicas_end_on_the_new_version(pair: Farm) -> None:
    version = await pair.promoted()
    await pair.swapper.step()

    assert await versions(pair) == {"a": version, "b": version}
    completion = await pair.complete(await pair.options())
    assert pair.computed_by(completion, version)
    assert completion.weights is None


async def test_a_replica_is_closed_drained_reloaded_and_proved_in_this_order(single: Farm) -> None:
    version = await single.promoted()

    log = [call for call in single.replicas["a"].log if call != "ping"]
    assert log == ["probe", "probe", "pause", f"reload {version}", "resume", "probe"]
    assert await single.store.stations() == {
        "a": Station(version=version, epoch=1, allowed_nats=RULES.floor_nats)
    }


async def test_trees_keep_a_replica_of_their_version_while_they_run(pair: Farm) -> None:
    first = await pair.promoted()
    await pair.swapper.step()
    running = await pair.options()
    await pair.store.pin(-1, first, "running", ttl_s=60)
    second = await pair.promoted()
    await pair.swapper.step()
    assert sorted((await versions(pair)).values(), key=str) == [first, second]
    for options, version in ((running, first), (await pair.options(), second)):
        completion = await pair.complete(options)
        assert pair.computed_by(completion, version)
        assert completion.weights is None

    pair.ended.add("running")
    await pair.swapper.step()

    assert await versions(pair) == {"a": second, "b": second}


async def test_with_one_replica_trees_move_and_their_completions_say_so(single: Farm) -> None:
    first = await single.promoted()
    running = await single.options()
    await single.store.pin(-1, first, "running", ttl_s=60)
    second = await single.promoted()

    completion = await single.complete(running)

    assert single.computed_by(completion, second)
    assert completion.weights == second


async def test_a_rollback_gives_back_exactly_what_there_was(single: Farm) -> None:
    before = await single.complete(await single.options())
    version = await single.promoted()
    assert (await single.complete(await single.options())).logprobs != before.logprobs

    await change(single.store, lambda registry: moves.roll_back(registry, version, 1.0))
    await single.swapper.step()

    after = await single.complete(await single.options())
    assert (after.logprobs, after.weights) == (before.logprobs, None)


async def test_no_prefix_cache_crosses_versions_even_under_one_salt(single: Farm) -> None:
    options = replace(await single.options(), salt="the same")
    await single.complete(options)
    assert (await single.complete(options)).cached_tokens > 0
    version = await single.promoted()

    completion = await single.complete(replace(await single.options(), salt="the same"))

    assert completion.cached_tokens == 0
    assert single.computed_by(completion, version)


@pytest.mark.parametrize("fault", ["manifest", "replica"])
async def test_weights_that_are_not_proved_are_taken_out_again(single: Farm, fault: str) -> None:
    version = await single.publish(honest=fault != "manifest")
    single.replicas["a"].is_deaf = fault == "replica"
    await single.want(version)
    await single.swapper.step()

    registry = await single.registry()
    assert registry.line("base").live == "base"
    assert registry.version(version).state == "rejected"
    assert await versions(single) == {"a": None}
    assert single.computed_by(await single.complete(await single.options()), "base")


async def test_one_replica_that_is_down_leaves_the_pointer_where_it_was(pair: Farm) -> None:
    first = await pair.promoted()
    await pair.swapper.step()
    version = await pair.publish()
    for replica in pair.replicas.values():
        replica.is_down = True
    await pair.want(version)
    await pair.swapper.step()

    registry = await pair.registry()
    assert registry.line("base").live == first
    assert registry.version(version).state == "verified"
    assert registry.version(version).reasons == ("the fake is down",)


async def test_a_replica_that_was_away_is_closed_until_it_has_its_weights_again(
    single: Farm,
) -> None:
    version = await single.promoted()
    single.replicas["a"].is_down = True
    await single.swapper.step()
    single.replicas["a"].restart()
    with pytest.raises(EngineUnavailable, match="reloaded"):
        await single.complete(await single.options())

    await single.swapper.step()

    assert single.computed_by(await single.complete(await single.options()), version)


async def test_a_swap_that_a_crash_left_half_done_is_done_again(single: Farm) -> None:
    version = await single.promoted()
    single.replicas["a"].own = b"half of something"
    await single.store.lease(single.swapper._token, ttl_s=60)
    closed = Station(version=version, epoch=7, is_open=False)
    await single.store.set_station("a", closed, token=single.swapper._token)
    await single.swapper.step()

    station = (await single.store.stations())["a"]
    assert (station.version, station.epoch, station.is_open) == (version, 8, True)
    assert single.computed_by(await single.complete(await single.options()), version)


async def test_a_canary_of_full_weights_has_a_replica_to_itself(pair: Farm, tmp_path: Path) -> None:
    version = await pair.publish()
    await pair.want(version, 0.5)
    await pair.swapper.step()
    assert (await pair.registry()).line("base").canary == version
    assert sorted((await versions(pair)).values(), key=str) == [None, version]

    lone = Farm(tmp_path / "lone", "a", kind="full")
    only = await lone.publish()
    await lone.want(only, 0.5)
    await lone.swapper.step()
    assert (await lone.registry()).version(only).reasons == (
        "a canary of full weights needs a second replica",
    )


async def test_a_call_that_a_swap_overtakes_is_void(single: Farm) -> None:
    """The replica would mix: it is reloaded without waiting, and the call is not aborted."""
    await single.promoted()
    going, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        going.set()
        await go.wait()

    replica = single.replicas["a"]
    replica.hold = hold
    call = asyncio.create_task(single.complete(await single.options()))
    await going.wait()
    station = (await single.store.stations())["a"]
    await single.store.lease(single.swapper._token, ttl_s=60)
    closed = station.model_copy(update={"epoch": station.epoch + 1, "is_open": False})
    await single.store.set_station("a", closed, token=single.swapper._token)
    go.set()

    with pytest.raises(EngineUnavailable, match="changed during the call"):
        await call


@pytest.mark.parametrize("names", ["a", "ab"])
async def test_no_completion_mixes_versions_while_swaps_come_and_go(
    tmp_path: Path, names: str
) -> None:
    """Calls all the time, four swaps meanwhile; each completion is of the one version it names."""
    farm = Farm(tmp_path, *names, kind="full")
    done = asyncio.Event()
    versions_seen: list[str] = []
    for replica in farm.replicas.values():
        replica.hold = partial(asyncio.sleep, 0)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(_ask_until(done, farm, versions_seen))
        for _ in range(4):
            version = await farm.promoted()
            await farm.swapper.step()
            await until(partial(contains, versions_seen, version))
        done.set()
    assert len(set(versions_seen)) >= 4


async def _ask_until(done: asyncio.Event, farm: Farm, versions_seen: list[str]) -> None:
    """Every completion is of the one version that it names."""
    while not done.is_set():
        version = await farm.live()
        completion = await patiently(farm, await farm.options(version))
        assert farm.computed_by(completion, completion.weights or version)
        versions_seen.append(completion.weights or version)


async def test_a_call_that_outlasts_the_drain_is_aborted_and_runs_again(single: Farm) -> None:
    going, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        going.set()
        await go.wait()

    single.replicas["a"].hold = hold
    options = await single.options()
    call = asyncio.create_task(patiently(single, options))
    await going.wait()
    version = await single.promoted()
    go.set()

    completion = await call
    assert single.replicas["a"].num_aborted == 1
    assert completion.weights == version
    assert single.computed_by(completion, version)
