"""Resuming: what failed runs again as a new generation, what was finished stays."""

from __future__ import annotations

import pytest

from banyan.budget import Budget
from banyan.errors import Conflict
from banyan.ports import Hint
from tests.store.conftest import MakeForest
from tests.store.trees import FAILED, OK, PARTIAL, Forest, paths

NOTHING = Budget(tokens=0, nodes=0)


async def resume(forest: Forest, tree: str, extra: Budget = NOTHING) -> list[Hint]:
    """The hints of a resume that found something to run again."""
    resumed, hints = await forest.store.resume(tree, extra=extra, deadline_s=600.0)
    assert resumed
    forest.admitted[tree] = forest.admitted[tree].refund(extra)
    return hints


async def tree_with_a_failed_child(forest: Forest) -> str:
    """`0.0` is fine, `0.1` failed after its children, one of which failed; the rest is fine."""
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 3, tokens=100, nodes=5)
    await forest.run(tree, "0.0")
    await forest.spawn(await forest.lease(tree, "0.1"), 2)
    await forest.run(tree, "0.1.0")
    await forest.run(tree, "0.1.1", FAILED)
    await forest.run(tree, "0.1", PARTIAL)
    await forest.run(tree, "0.2")
    await forest.run(tree, "0", PARTIAL)
    return tree


async def test_only_what_failed_runs_again(forest: Forest) -> None:
    tree = await tree_with_a_failed_child(forest)
    before = {node.path: node for node in await forest.all_nodes(tree)}
    hints = await resume(forest, tree)
    nodes = {node.path: node for node in await forest.all_nodes(tree)}
    assert paths(hints) == ["0.1.1"]
    assert {path for path, node in nodes.items() if node == before[path]} == {
        "0.0",
        "0.1.0",
        "0.2",
    }
    assert [nodes[path].status for path in ("0", "0.1", "0.1.1")] == [
        "suspended",
        "suspended",
        "queued",
    ]
    assert {nodes[path].generation for path in ("0", "0.1", "0.1.1")} == {2}
    record = await forest.store.get_tree(tree)
    assert (record.status, record.generation, record.finished_at) == ("queued", 2, None)
    assert record.outcome is None
    await forest.assert_conserved(tree)


async def test_a_resumed_tree_runs_to_its_end(forest: Forest) -> None:
    tree = await tree_with_a_failed_child(forest)
    await resume(forest, tree)
    claimed = await forest.claim(tree, "0.1.1")
    assert (claimed.packed, claimed.generation) == (b"child", 2)
    woken = await forest.finish(claimed.lease, OK)
    assert [(hint.paths, hint.continuation) for hint in woken] == [(("0.1",), True)]
    merging = await forest.claim(tree, "0.1")
    assert merging.outcomes == (OK, OK)
    assert paths(await forest.finish(merging.lease, OK)) == ["0"]
    assert [outcome.status for outcome in (await forest.claim(tree)).outcomes] == ["ok"] * 3


async def test_a_resume_may_add_budget_which_flows_to_what_runs_again(forest: Forest) -> None:
    tree = await tree_with_a_failed_child(forest)
    held = (await forest.node(tree)).budget.tokens
    await resume(forest, tree, Budget(tokens=1_001, nodes=30))
    # Each waiting node keeps as much as each of those below it that run again.
    half = (held + 1_001) // 2
    assert (await forest.node(tree, "0.1.1")).budget.tokens == half // 2
    assert (await forest.node(tree, "0.1.1")).budget.nodes > 0
    await forest.assert_conserved(tree)


async def test_a_merge_that_failed_runs_again_over_its_finished_children(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 2)
    await forest.run(tree, "0.0")
    await forest.run(tree, "0.1")
    await forest.run(tree, "0", FAILED)
    [hint] = await resume(forest, tree)
    assert (hint.paths, hint.continuation) == (("0",), True)
    claimed = await forest.claim(tree)
    assert (claimed.outcomes, claimed.packed) == ((OK, OK), b"suspended")


async def test_a_cancelled_tree_can_be_resumed(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 3)
    await forest.run(tree, "0.0")
    late = await forest.lease(tree, "0.1")
    await forest.store.cancel(tree)
    assert paths(await resume(forest, tree)) == ["0.1", "0.2"]
    assert (await forest.store.renew([late], lease_s=600.0)).lost == (late,)
    assert await forest.run(tree, "0.1") == []
    assert paths(await forest.run(tree, "0.2")) == ["0"]
    assert await forest.run(tree) == []
    assert (await forest.store.get_tree(tree)).status == "completed"
    await forest.assert_conserved(tree)


async def test_there_is_nothing_to_resume_in_a_complete_tree(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.run(tree)
    before = await forest.store.get_tree(tree)
    assert await forest.store.resume(tree, extra=NOTHING, deadline_s=1.0) == (False, [])
    assert await forest.store.get_tree(tree) == before


async def test_a_running_tree_cannot_be_resumed(forest: Forest) -> None:
    tree = await forest.plant()
    with pytest.raises(Conflict):
        await forest.store.resume(tree, extra=NOTHING, deadline_s=1.0)


async def test_a_resumed_tree_outlives_the_time_it_would_have_been_kept(make: MakeForest) -> None:
    forest = make(retention_s=600.0)
    tree = await tree_with_a_failed_child(forest)
    await resume(forest, tree)
    await forest.run(tree, "0.1.1", FAILED)
    await forest.run(tree, "0.1", PARTIAL)
    await forest.run(tree, "0", PARTIAL)
    assert paths(await resume(forest, tree)) == ["0.1.1"]
    assert (await forest.store.get_tree(tree)).generation == 3


async def test_the_key_of_the_last_resume_counts_once(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.run(tree, "0", FAILED)
    extra = Budget(tokens=100, nodes=1)

    async def resume_with(key: str) -> bool:
        resumed, _ = await forest.store.resume(tree, extra=extra, deadline_s=60.0, key=key)
        return resumed

    assert await resume_with("mine")
    assert await resume_with("mine")
    await forest.run(tree, "0", FAILED)
    assert await resume_with("mine")
    record = await forest.store.get_tree(tree)
    assert (record.status, record.generation) == ("failed", 2)
    assert (await forest.node(tree)).budget.tokens == forest.admitted[tree].tokens + 100

    assert await resume_with("another")
    assert (await forest.store.get_tree(tree)).generation == 3
    with pytest.raises(Conflict):
        await resume_with("a third")
