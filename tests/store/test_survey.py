"""What waits and what runs, over all trees: what operators and autoscalers look at."""

from __future__ import annotations

from functools import partial

from banyan.adapters.store_rules import MAX_EXPIRIES
from tests.fixtures.waiting import eventually
from tests.store.conftest import MakeForest
from tests.store.trees import OK, Forest


async def counts(forest: Forest) -> tuple[int, int]:
    """Due and running nodes."""
    survey = await forest.store.survey()
    return survey.due_nodes, survey.running_nodes


async def test_a_node_is_due_until_it_is_claimed_and_runs_until_it_ends(forest: Forest) -> None:
    tree = await forest.plant()
    assert await counts(forest) == (1, 0)
    lease = await forest.lease(tree)
    assert await counts(forest) == (0, 1)
    await forest.store.finish(lease, OK, log=None)
    assert await counts(forest) == (0, 0)


async def test_a_suspended_parent_neither_waits_nor_runs(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 3)
    assert await counts(forest) == (3, 0)
    for path in ("0.0", "0.1", "0.2"):
        await forest.run(tree, path)
    assert await counts(forest) == (1, 0)  # the parent goes on


async def test_what_limits_hold_back_is_not_due(make: MakeForest) -> None:
    forest = make(tenant_dispatch=2)
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 5)
    assert await counts(forest) == (2, 0)


async def test_a_released_node_is_due_again_and_a_cancelled_one_is_not(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.store.release([await forest.lease(tree)])
    assert await counts(forest) == (1, 0)
    await forest.store.cancel(tree)
    assert await counts(forest) == (0, 0)


async def test_the_oldest_due_node_ages_though_its_hint_is_sent_again(make: MakeForest) -> None:
    forest = make(queued_s=0.01)
    assert (await forest.store.survey()).oldest_due_s == 0
    tree = await forest.plant()

    async def is_older() -> bool:
        return (await forest.store.survey()).oldest_due_s >= 0.05

    await eventually(is_older)
    await eventually(forest.store.reap)  # the hint
    assert (await forest.store.survey()).oldest_due_s >= 0.05
    await forest.lease(tree)
    assert (await forest.store.survey()).oldest_due_s == 0


async def test_leases_that_run_out_are_counted_whoever_finds_them(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.claim(tree, lease_s=0.001)
    assert (await forest.store.survey()).expired_leases == 0
    await eventually(forest.store.reap)
    assert (await forest.store.survey()).expired_leases == 1
    assert await counts(forest) == (1, 0)


async def test_a_tree_whose_root_loses_every_worker_is_counted_as_lost(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 1)

    async def is_void(path: str) -> bool:
        await forest.store.reap()
        return (await forest.node(tree, path)).status != "running"

    for path, num_lost in (("0.0", 0), ("0", 1)):
        for _ in range(MAX_EXPIRIES + 1):
            await forest.claim(tree, path, lease_s=0.001)
            await eventually(partial(is_void, path))
        assert (await forest.node(tree, path)).status == "finished"
        assert (await forest.store.survey()).lost_trees == num_lost


async def test_a_claim_tells_under_which_epochs_it_and_its_parent_were_put_away(
    forest: Forest,
) -> None:
    tree = await forest.plant()
    root = await forest.claim(tree)
    assert (root.suspended_epoch, root.parent_epoch) == (None, None)
    await forest.spawn(root.lease, 1)
    await forest.store.release([await forest.lease(tree, "0.0")])
    child = await forest.claim(tree, "0.0")
    assert (child.suspended_epoch, child.parent_epoch) == (None, root.lease.epoch)
    await forest.store.finish(child.lease, OK, log=None)
    await forest.store.release([await forest.lease(tree)])
    again = await forest.claim(tree)
    assert again.suspended_epoch == root.lease.epoch < again.lease.epoch
