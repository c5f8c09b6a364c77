"""Leases: one owner at a time, fenced by epochs, given away when a worker is silent."""

from __future__ import annotations

import pytest

from banyan.adapters.store_rules import MAX_EXPIRIES
from banyan.budget import Budget
from banyan.errors import StaleLease
from banyan.ports import Hint, Lease
from banyan.tree import tree_id
from tests.fixtures.waiting import eventually
from tests.store.conftest import MakeForest
from tests.store.trees import NUM_SHARDS, OK, Forest, log, paths

BRIEF_S = 0.001
"""A lease that is over by the time anyone looks."""


async def reap(forest: Forest) -> list[Hint]:
    """What the reaper finds, once there is something."""
    return await eventually(forest.store.reap)


async def assert_stale(forest: Forest, lease: Lease) -> None:
    with pytest.raises(StaleLease):
        await forest.store.turn(lease, log(), b"late")
    with pytest.raises(StaleLease):
        await forest.spawn(lease, 1)
    with pytest.raises(StaleLease):
        await forest.finish(lease)
    with pytest.raises(StaleLease):
        await forest.store.delta(lease, {"text": "late"})


async def test_an_expired_lease_costs_its_reserve_and_queues_the_node_again(
    forest: Forest,
) -> None:
    tree = await forest.plant()
    lost = await forest.claim(tree, lease_s=BRIEF_S, reserve=70)
    hints = await reap(forest)
    usage = (await forest.store.get_tree(tree)).usage
    assert paths(hints) == ["0"]
    assert usage.lost_tokens == 70
    assert (await forest.history(tree))[-1].data == {"node": "0", "reason": "lease_expired"}
    await assert_stale(forest, lost.lease)
    again = await forest.claim(tree)
    assert (again.attempts, again.budget.tokens, again.packed) == (1, 930, b"root")
    assert again.lease.epoch > lost.lease.epoch
    await forest.assert_conserved(tree)


async def test_no_more_is_lost_than_the_node_holds(forest: Forest) -> None:
    tree = await forest.plant(tokens=50)
    await forest.claim(tree, lease_s=BRIEF_S, reserve=70)
    await reap(forest)
    assert (await forest.node(tree)).budget.tokens == 0
    await forest.assert_conserved(tree)


async def test_a_turn_arms_the_reserve_again(forest: Forest) -> None:
    tree = await forest.plant()
    claimed = await forest.claim(tree, lease_s=BRIEF_S, reserve=70)
    await forest.store.turn(claimed.lease, log(30), b"after")
    await reap(forest)
    assert (await forest.node(tree)).budget.tokens == 1_000 - 30 - 70
    assert (await forest.claim(tree)).packed == b"after"


async def test_a_claim_takes_over_an_expired_lease_by_itself(forest: Forest) -> None:
    tree = await forest.plant()
    lost = await forest.claim(tree, lease_s=BRIEF_S, reserve=70)
    [taken] = await eventually(lambda: forest.claim_all(tree, ["0"], worker="w2"))
    assert (taken.attempts, taken.budget.tokens) == (1, 930)
    assert [e.type for e in await forest.history(tree)][-2:] == ["node.requeued", "node.claimed"]
    await assert_stale(forest, lost.lease)


async def test_a_node_that_loses_every_worker_fails_and_wakes_its_parent(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 1, tokens=100)
    for _ in range(MAX_EXPIRIES + 1):
        await forest.claim(tree, "0.0", lease_s=BRIEF_S, reserve=10)
        hints = await reap(forest)
    [hint] = hints
    node = await forest.node(tree, "0.0")
    assert (hint.paths, hint.continuation) == (("0",), True)
    assert node.outcome is not None
    assert node.outcome.failure is not None
    assert (node.status, node.outcome.failure.code) == ("finished", "worker_lost")
    [outcome] = (await forest.claim(tree)).outcomes
    assert outcome == node.outcome
    await forest.assert_conserved(tree)


async def test_a_root_that_loses_every_worker_ends_its_tree(forest: Forest) -> None:
    tree = await forest.plant()
    for _ in range(MAX_EXPIRIES):
        await forest.claim(tree, lease_s=BRIEF_S)
        await reap(forest)
    await forest.claim(tree, lease_s=BRIEF_S)

    async def ended() -> bool:
        await forest.store.reap()
        return (await forest.store.get_tree(tree)).status == "failed"

    await eventually(ended)


async def test_renewal_keeps_a_lease_and_names_those_that_are_lost(forest: Forest) -> None:
    tree, other = await forest.plant(), await forest.plant()
    kept = await forest.claim(tree, lease_s=BRIEF_S)
    released = await forest.lease(other)
    await forest.store.release([released])
    elsewhere = Lease(f"{tree_id('acme', 'gone', NUM_SHARDS)[:-2]}01", "0", 1)
    renewal = await forest.store.renew([kept.lease, released, elsewhere], lease_s=600.0)
    assert set(renewal.lost) == {released, elsewhere}
    assert await forest.store.reap() == []
    await forest.finish(kept.lease)


async def test_renewal_reports_cancelled_nodes(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    await forest.store.cancel(tree)
    assert (await forest.store.renew([lease], lease_s=600.0)).lost == (lease,)


async def test_a_released_node_is_claimed_again_unharmed(forest: Forest) -> None:
    tree, other = await forest.plant(), await forest.plant()
    leases = [(await forest.claim(t, lease_s=600.0, reserve=70)).lease for t in (tree, other)]
    hints = await forest.store.release(leases)
    assert {hint.tree_id for hint in hints} == {tree, other}
    await assert_stale(forest, leases[0])
    again = await forest.claim(tree)
    assert (again.attempts, again.budget) == (0, Budget(tokens=1_000, nodes=100))


async def test_a_continuation_that_is_released_still_has_its_outcomes(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 1)
    await forest.run(tree, "0.0")
    [hint] = await forest.store.release([await forest.lease(tree)])
    assert hint.continuation
    assert (await forest.claim(tree)).outcomes == (OK,)


async def test_a_hint_that_nobody_takes_is_sent_again(make: MakeForest) -> None:
    forest = make(queued_s=BRIEF_S)
    tree = await forest.plant()
    [hint] = await reap(forest)
    assert (hint.tree_id, hint.paths) == (tree, ("0",))
    assert await reap(forest)  # and again, for as long as nobody takes it
    await forest.claim(tree)
    assert await forest.store.reap() == []


async def test_reaping_is_bounded(make: MakeForest) -> None:
    forest = make(queued_s=BRIEF_S)
    tree = await forest.plant()
    hints = await forest.spawn(await forest.lease(tree), 10)
    assert len(paths(hints)) == 10
    found = paths(await eventually(lambda: forest.store.reap(limit=3)))
    assert len(found) <= 3


async def test_a_lease_that_its_owner_ended_is_not_reported_as_lost(forest: Forest) -> None:
    """Else the renewal could abort the owner between its transition and its hints."""
    tree = await forest.plant()
    root = await forest.lease(tree)
    await forest.spawn(root, 2)
    first, second = await forest.lease(tree, "0.0"), await forest.lease(tree, "0.1")
    await forest.finish(first)
    renewal = await forest.store.renew([root, first, second], lease_s=600.0)
    assert renewal.lost == ()
