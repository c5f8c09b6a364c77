"""The contract of a policy store: one revision at a time, pins that end, one lease."""

from __future__ import annotations

import asyncio

import pytest

from banyan import moves
from banyan.adapters.publishing import change
from banyan.errors import NotFound
from banyan.ports import PolicyStore, Station
from banyan.registry import EMPTY, Line
from tests.fixtures.waiting import eventually
from tests.swap.makers import parsed


async def test_an_empty_registry_is_revision_nought(policies: PolicyStore) -> None:
    assert await policies.load() == EMPTY
    with pytest.raises(NotFound):
        await policies.manifest("policy-v1")


async def test_a_version_and_its_manifest_are_stored_together(policies: PolicyStore) -> None:
    manifest = parsed(threshold=2.25)
    registry, version = moves.publish(EMPTY, manifest, 1.0)

    assert await policies.save(registry, (version, manifest))

    kept = await policies.load()
    assert kept == registry.model_copy(update={"revision": 1})
    assert await policies.manifest(version) == manifest


async def test_of_two_changes_of_one_revision_the_second_has_no_effect(
    policies: PolicyStore,
) -> None:
    first, second = (
        EMPTY.model_copy(update={"lines": {"base": Line(live=name)}}) for name in ("one", "two")
    )
    assert await policies.save(first)
    assert not await policies.save(second, ("policy-v1", parsed()))

    assert (await policies.load()).line("base").live == "one"
    with pytest.raises(NotFound):
        await policies.manifest("policy-v1")


async def test_changes_at_the_same_time_are_all_made(policies: PolicyStore) -> None:
    async def publish() -> None:
        await change(policies, lambda registry: moves.publish(registry, parsed(), 1.0)[0])

    await asyncio.gather(*(publish() for _ in range(5)))

    assert set((await policies.load()).versions) == {f"policy-v{n}" for n in range(1, 6)}


async def test_a_pin_on_a_revision_that_is_over_is_refused(policies: PolicyStore) -> None:
    assert await policies.pin(0, "base", "tree-1", ttl_s=60)
    await policies.save(EMPTY)
    assert not await policies.pin(0, "base", "tree-2", ttl_s=60)
    assert await policies.pin(1, "base", "tree-3", ttl_s=120)
    assert await policies.pin(-1, "policy-v1", "tree-4", ttl_s=60)

    assert await policies.pins("base", limit=10) == ["tree-1", "tree-3"]
    assert await policies.pins("base", limit=1) == ["tree-1"]
    assert await policies.pins("policy-v1", limit=10) == ["tree-4"]


async def test_pins_end_by_themselves_or_when_told(policies: PolicyStore) -> None:
    await policies.pin(0, "v", "stays", ttl_s=60)
    await policies.pin(0, "v", "stays", ttl_s=0.001)  # a repetition never shortens it
    await policies.pin(0, "v", "short", ttl_s=0.001)
    await policies.pin(0, "v", "ended", ttl_s=60)
    await policies.unpin("v", "ended")

    async def only_one_stays() -> bool:
        return await policies.pins("v", limit=10) == ["stays"]

    await eventually(only_one_stays)


async def test_the_last_reward_of_a_tree_counts(policies: PolicyStore) -> None:
    for tree, reward in (("t1", 0.25), ("t2", 1.0), ("t1", 0.1)):
        await policies.add_reward("policy-v1", tree, reward)

    assert await policies.rewards("policy-v1") == {"t1": 0.1, "t2": 1.0}
    assert await policies.rewards("base") == {}
    await policies.clear_rewards("policy-v1", "base")
    assert await policies.rewards("policy-v1") == {}


async def test_one_holds_the_lease_and_only_that_one_sets_stations(policies: PolicyStore) -> None:
    station = Station(version="policy-v1", epoch=3, is_open=False)
    assert await policies.lease("mine", ttl_s=60)
    assert await policies.lease("mine", ttl_s=60)
    assert not await policies.lease("theirs", ttl_s=60)
    assert await policies.set_station("http://a", station, token="mine")  # noqa: S106
    assert not await policies.set_station("http://b", station, token="theirs")  # noqa: S106

    await policies.release("theirs")
    assert not await policies.lease("theirs", ttl_s=60)
    await policies.release("mine")
    assert await policies.lease("theirs", ttl_s=60)
    assert await policies.stations() == {"http://a": station}


async def test_a_lease_ends(policies: PolicyStore) -> None:
    assert await policies.lease("mine", ttl_s=0.001)
    assert await eventually(lambda: policies.lease("theirs", ttl_s=60))
