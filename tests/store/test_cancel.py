"""Cancelling: everything unfinished ends, late writes are refused, no budget is lost."""

from __future__ import annotations

import pytest

from banyan.errors import StaleLease
from tests.store.trees import OK, Forest, log


async def test_a_cancelled_tree_ends_with_all_its_nodes(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 3, tokens=100, nodes=5)
    await forest.run(tree, "0.0")
    await forest.spawn(await forest.lease(tree, "0.1"), 2)
    assert await forest.store.cancel(tree)
    record = await forest.store.get_tree(tree)
    statuses = {n.path: n.outcome.status for n in await forest.all_nodes(tree) if n.outcome}
    assert record.status == "cancelled"
    assert statuses == {
        "0": "cancelled",
        "0.0": "ok",
        "0.1": "cancelled",
        "0.2": "cancelled",
        "0.1.0": "cancelled",
        "0.1.1": "cancelled",
    }
    await forest.assert_conserved(tree)


async def test_the_deepest_nodes_are_cancelled_first(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 2, tokens=100, nodes=5)
    await forest.spawn(await forest.lease(tree, "0.1"), 1)
    await forest.store.cancel(tree)
    events = [e for e in await forest.history(tree) if e.type == "node.finished"]
    depths = [str(event.data["node"]).count(".") for event in events]
    assert depths == [2, 1, 1, 0]
    types = [event.type for event in await forest.history(tree)]
    assert types[-6] == "tree.cancelled"
    assert types[-1] == "tree.finished"


async def test_late_writes_to_a_cancelled_node_are_refused(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    await forest.store.cancel(tree)
    before = await forest.history(tree)
    for write in (
        forest.store.turn(lease, log(5), b"late"),
        forest.spawn(lease, 1),
        forest.finish(lease, OK),
        forest.store.delta(lease, {"text": "late"}),
    ):
        with pytest.raises(StaleLease):
            await write
    assert await forest.store.release([lease]) == []
    assert await forest.claim_all(tree, ["0"]) == []
    assert await forest.history(tree) == before


async def test_what_has_finished_cannot_be_cancelled(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.run(tree)
    assert not await forest.store.cancel(tree)
    assert (await forest.store.get_tree(tree)).status == "completed"


async def test_a_wide_tree_is_cancelled_as_a_whole(forest: Forest) -> None:
    tree = await forest.plant(tokens=50_000, nodes=5_000, max_parallel=10)
    await forest.spawn(await forest.lease(tree), 2_500)
    assert await forest.store.cancel(tree)
    nodes = await forest.all_nodes(tree)
    assert {node.status for node in nodes} == {"finished"}
    assert len([e for e in await forest.history(tree) if e.type == "tree.cancelled"]) == 1
    assert await forest.store.reap() == []
    await forest.assert_conserved(tree)
