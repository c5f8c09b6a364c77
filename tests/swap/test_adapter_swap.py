"""Adapters come and go on replicas while trees run; the pointer moves last, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banyan import moves
from banyan.adapters.publishing import change
from banyan.errors import EngineUnavailable
from banyan.manifest import Probe
from banyan.policy import LIVE
from banyan.testing import FakeReplica
from tests.swap.farm import Farm


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path, "a", "b")


async def test_a_version_is_on_every_replica_and_proved_before_it_is_live(farm: Farm) -> None:
    version = await farm.publish()
    await farm.want(version)
    assert await farm.live() == "base"

    assert await farm.swapper.step()

    assert await farm.live() == version
    for replica in farm.replicas.values():
        assert set(replica.loaded) == {version}
        assert replica.log.index(f"load {version}") < len(replica.log) - 1
        assert replica.log[-1] == "probe"
    completion = await farm.complete(await farm.options())
    assert farm.computed_by(completion, version)
    assert completion.weights is None


async def test_a_rollback_is_instant_and_exact(farm: Farm) -> None:
    before = await farm.complete(await farm.options())
    version = await farm.promoted()
    assert (await farm.complete(await farm.options())).logprobs != before.logprobs

    await change(farm.store, lambda registry: moves.roll_back(registry, version, 1.0))

    assert (await farm.complete(await farm.options())).logprobs == before.logprobs


async def test_trees_end_on_the_version_that_they_began_with(farm: Farm) -> None:
    first = await farm.promoted()
    running = await farm.options()
    await farm.store.pin(-1, first, "running", ttl_s=60)
    for _ in range(2):  # one more than a rollback keeps
        await farm.promoted()
        assert farm.computed_by(await farm.complete(running), first)

    await farm.swapper.step()
    assert all(first in replica.loaded for replica in farm.replicas.values())

    farm.ended.add("running")
    await farm.swapper.step()
    assert all(first not in replica.loaded for replica in farm.replicas.values())
    assert await farm.store.pins(first, limit=1) == []
    assert all(len(replica.loaded) == 2 for replica in farm.replicas.values())


async def test_streams_in_flight_survive_a_swap(farm: Farm) -> None:
    first = await farm.promoted()
    going = asyncio.Event()
    go = asyncio.Event()

    async def hold() -> None:
        going.set()
        await go.wait()

    for replica in farm.replicas.values():
        replica.hold = hold
    stream = asyncio.create_task(farm.complete(await farm.options()))
    await going.wait()
    await farm.promoted()
    go.set()

    assert farm.computed_by(await stream, first)


async def test_a_broken_adapter_is_rejected_and_the_old_one_keeps_serving(farm: Farm) -> None:
    first = await farm.promoted()
    broken = await farm.publish()
    for replica in farm.replicas.values():
        replica.cannot_load = {broken}
    await farm.want(broken)
    await farm.swapper.step()

    registry = await farm.registry()
    assert (registry.line("base").live, registry.line("base").wanted) == (first, None)
    assert registry.version(broken).state == "rejected"
    assert "cannot load" in registry.version(broken).reasons[0]
    assert farm.computed_by(await farm.complete(await farm.options()), first)


@pytest.mark.parametrize("fault", ["manifest", "replica"])
async def test_what_computes_something_else_than_its_trainer_says_is_rejected(
    farm: Farm, fault: str
) -> None:
    version = await farm.publish(honest=fault != "manifest")
    farm.replicas["b"].is_deaf = fault == "replica"
    await farm.want(version)
    await farm.swapper.step()

    registry = await farm.registry()
    assert registry.line("base").live == "base"
    assert registry.version(version).state == "rejected"
    assert "nats a token" in registry.version(version).reasons[0]
    assert all(replica.loaded == {} for replica in farm.replicas.values())


async def test_one_replica_that_does_not_answer_leaves_the_pointer_where_it_was(
    farm: Farm,
) -> None:
    first = await farm.promoted()
    version = await farm.publish()
    farm.replicas["b"].is_down = True
    await farm.want(version)
    await farm.swapper.step()

    registry = await farm.registry()
    assert registry.line("base").live == first
    assert registry.version(version).state == "verified"
    assert registry.version(version).reasons == ("the fake is down",)
    assert set(farm.replicas["a"].loaded) == {first}

    farm.replicas["b"].is_down = False
    await farm.want(version)
    await farm.swapper.step()
    assert await farm.live() == version


async def test_a_replica_that_was_restarted_gets_what_it_needs_and_no_call_before(
    farm: Farm,
) -> None:
    version = await farm.promoted()
    options = await farm.options()
    for replica in farm.replicas.values():
        replica.restart()
    with pytest.raises(EngineUnavailable):  # which is waited for
        await farm.complete(options)
    assert all(replica.loaded == {} for replica in farm.replicas.values())

    await farm.swapper.step()

    assert farm.computed_by(await farm.complete(options), version)


async def test_calls_go_to_the_replica_that_has_the_version(farm: Farm) -> None:
    version = await farm.promoted()
    farm.replicas["a"].restart()
    for number in range(6):
        completion = await farm.complete(await farm.options(), f"question {number}")
        assert farm.computed_by(completion, version)


async def test_one_worker_at_a_time_swaps_and_the_next_takes_over(farm: Farm) -> None:
    other = farm.new_swapper()
    assert await farm.swapper.step()
    assert not await other.step()
    await farm.swapper.close()
    assert await other.step()


async def test_a_move_that_was_taken_back_meanwhile_moves_nothing(farm: Farm) -> None:
    version = await farm.publish()
    await farm.want(version)
    taken_back = False

    class TakenBackWhileProved(FakeReplica):
        async def probe(self, probe: Probe, adapter: str | None) -> tuple[float, ...]:
            nonlocal taken_back
            if adapter == version and not taken_back:
                taken_back = True
                await change(farm.store, lambda now: moves.roll_back(now, version, 1.0))
            return await FakeReplica.probe(self, probe, adapter)

    farm.replicas["a"] = TakenBackWhileProved()
    farm.swapper = farm.new_swapper()
    await farm.swapper.step()

    assert taken_back
    assert await farm.live() == "base"
    await farm.swapper.step()
    assert farm.replicas["b"].loaded == {}


async def rewarded(farm: Farm, canary: str, canary_mean: float) -> None:
    for index in range(30):
        noise = 0.01 * (index % 3)
        await farm.store.add_reward(canary, f"c{index}", canary_mean + noise)
        await farm.store.add_reward("base", f"l{index}", 0.5 + noise)


@pytest.mark.parametrize(("mean", "live", "state"), [(0.9, True, "live"), (0.1, False, "rejected")])
async def test_a_canary_is_promoted_or_taken_back_by_its_rewards(
    farm: Farm, mean: float, live: bool, state: str
) -> None:
    await farm.store.add_reward("base", "long ago", -100.0)
    version = await farm.publish()
    await farm.want(version, 0.3)
    await farm.swapper.step()
    registry = await farm.registry()
    assert (registry.line("base").canary, registry.line("base").share) == (version, 0.3)
    await farm.swapper.step()
    assert (await farm.registry()).version(version).state == "canary"

    await rewarded(farm, version, mean)
    await farm.swapper.step()

    assert (await farm.registry()).version(version).state == state
    assert await farm.live() == (version if live else "base")
    assert (await farm.registry()).line("base").canary is None
    options = await farm.options(LIVE)
    assert farm.computed_by(await farm.complete(options), version if live else "base")
