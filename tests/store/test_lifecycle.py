"""What a tree goes through when nothing goes wrong."""

from __future__ import annotations

import pytest

from banyan.budget import Budget
from banyan.errors import Conflict, NotFound
from banyan.node import Outcome
from banyan.ports import ChildNode, Spent, TurnLog
from banyan.tree import tree_id
from tests.store.trees import FAILED, NUM_SHARDS, OK, PARTIAL, Forest, admission, log, paths

UNKNOWN = tree_id("acme", "never admitted", NUM_SHARDS)


async def test_an_admitted_tree_waits_with_its_root_dispatched(forest: Forest) -> None:
    tree = tree_id("acme", "first", NUM_SHARDS)
    admitted = await forest.store.admit(admission(tree))
    record = await forest.store.get_tree(tree)
    assert admitted.created
    assert [(hint.tree_id, hint.paths, hint.continuation) for hint in admitted.hints] == [
        (tree, ("0",), False)
    ]
    assert admitted.tree == record
    assert (record.status, record.task, record.usage.nodes) == ("queued", b"task", 1)
    assert record.deadline_at == pytest.approx(record.created_at + 600.0)


async def test_admitting_again_changes_nothing(forest: Forest) -> None:
    tree = tree_id("acme", "again", NUM_SHARDS)
    await forest.store.admit(admission(tree))
    again = await forest.store.admit(admission(tree))
    assert not again.created
    assert paths(again.hints) == ["0"]  # nobody has claimed it: the first hint may have been lost
    assert [event.type for event in await forest.history(tree)] == ["tree.admitted"]


async def test_a_claimed_root_is_not_hinted_by_another_admission(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.claim(tree)
    again = await forest.store.admit(admission(tree))
    assert (again.created, again.hints) == (False, [])


async def test_admitting_again_tells_how_the_tree_stands(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.finish(await forest.lease(tree))
    again = await forest.store.admit(admission(tree))
    assert again.tree == await forest.store.get_tree(tree)
    assert again.tree.status == "completed"


async def test_the_same_key_with_another_request_is_a_conflict(forest: Forest) -> None:
    tree = await forest.plant()
    with pytest.raises(Conflict):
        await forest.store.admit(admission(tree, fingerprint="another"))


async def test_a_claim_brings_all_that_the_node_needs(forest: Forest) -> None:
    tree = await forest.plant()
    claimed = await forest.claim(tree)
    record = await forest.store.get_tree(tree)
    assert (claimed.packed, claimed.budget) == (b"root", Budget(tokens=1_000, nodes=100))
    assert (claimed.generation, claimed.attempts, claimed.outcomes) == (1, 0, ())
    assert claimed.deadline_at == record.deadline_at
    assert record.created_at <= claimed.queued_at <= claimed.now < claimed.deadline_at
    assert record.status == "running"


async def test_a_node_is_claimed_once(forest: Forest) -> None:
    tree = await forest.plant()
    assert len(await forest.claim_all(tree, ["0", "0"])) == 1
    assert await forest.claim_all(tree, ["0"], worker="w2") == []


async def test_claims_of_what_is_not_there_are_empty(forest: Forest) -> None:
    tree = await forest.plant()
    assert await forest.claim_all(UNKNOWN, ["0"]) == []
    assert await forest.claim_all(tree, ["0.7", "nonsense"]) == []


async def test_many_nodes_are_claimed_at_once(forest: Forest) -> None:
    tree = await forest.plant()
    hints = await forest.spawn(await forest.lease(tree), 64)
    claimed = await forest.claim_all(tree, paths(hints))
    assert [c.lease.path for c in claimed] == [f"0.{i}" for i in range(64)]
    assert {c.packed for c in claimed} == {b"child"}


async def test_a_turn_is_stored_and_paid_for(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    left = await forest.store.turn(lease, log(30, b"first"), b"after first")
    await forest.store.turn(lease, log(12, b"second"), b"after second")
    node = await forest.node(tree)
    usage = (await forest.store.get_tree(tree)).usage
    assert left == Budget(tokens=970, nodes=100)
    assert node.budget == Budget(tokens=958, nodes=100)
    assert (node.packed, node.turns) == (b"after second", (b"first", b"second"))
    assert (usage.llm_calls, usage.prompt_tokens, usage.completion_tokens) == (2, 14, 28)
    await forest.assert_conserved(tree)


async def test_actions_are_counted_by_how_they_came_about(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    for spent in (Spent(actions=1, invalid_actions=1), Spent(retries=1), Spent(actions=1)):
        await forest.store.turn(lease, TurnLog(b"turn", spent, {}), b"after")
    last = TurnLog(b"turn", Spent(determined_actions=1), {})
    await forest.finish(lease, turn=last)
    usage = (await forest.store.get_tree(tree)).usage
    assert (usage.actions, usage.invalid_actions, usage.retries) == (2, 1, 1)
    assert usage.determined_actions == 1


async def test_an_overdraft_is_counted_and_leaves_nothing(forest: Forest) -> None:
    tree = await forest.plant(tokens=100)
    left = await forest.store.turn(await forest.lease(tree), log(130), b"broke")
    assert left.tokens == 0
    await forest.assert_conserved(tree, overdraft=30)


async def test_a_spawn_suspends_the_parent_and_shares_its_budget(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    hints = await forest.store.spawn(
        lease,
        [
            ChildNode(b"a", Budget(tokens=300, nodes=10)),
            ChildNode(b"b", Budget(tokens=200, nodes=5)),
        ],
        packed=b"put away",
        kept=Budget(tokens=440, nodes=83),
        log=log(60, b"decided"),
        event={"why": "too long"},
    )
    parent, first = await forest.node(tree), await forest.node(tree, "0.0")
    usage = (await forest.store.get_tree(tree)).usage
    assert [(hint.paths, hint.continuation) for hint in hints] == [(("0.0", "0.1"), False)]
    assert (parent.status, parent.packed, parent.num_children) == ("suspended", b"put away", 2)
    assert parent.budget == Budget(tokens=440, nodes=83)
    assert parent.turns == (b"decided",)
    assert (first.status, first.packed, first.budget) == (
        "queued",
        b"a",
        Budget(tokens=300, nodes=10),
    )
    assert (usage.nodes, usage.max_depth) == (3, 1)
    await forest.assert_conserved(tree)


@pytest.mark.parametrize(
    ("children", "kept"),
    [
        ([Budget(tokens=900, nodes=0)], Budget(tokens=50, nodes=0)),  # 60 of 1,000 go to the turn
        ([Budget(tokens=0, nodes=99)], Budget(tokens=0, nodes=1)),  # the child itself is the 101st
        ([Budget(tokens=0, nodes=0)] * 101, Budget(tokens=0, nodes=0)),
    ],
)
async def test_a_spawn_beyond_the_budget_is_refused_without_a_trace(
    forest: Forest, children: list[Budget], kept: Budget
) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    before = await forest.node(tree)
    with pytest.raises(Conflict):
        await forest.store.spawn(
            lease,
            [ChildNode(b"c", budget) for budget in children],
            packed=b"p",
            kept=kept,
            log=log(60),
            event={},
        )
    assert await forest.node(tree) == before
    assert (await forest.store.get_tree(tree)).usage.nodes == 1


async def test_a_spawn_without_children_is_refused(forest: Forest) -> None:
    tree = await forest.plant()
    with pytest.raises(Conflict):
        await forest.spawn(await forest.lease(tree), 0)


async def test_the_last_child_wakes_the_parent_once_with_all_outcomes_in_order(
    forest: Forest,
) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 12)
    woken = []
    for index in reversed(range(12)):
        outcome = OK.model_copy(update={"answer": index})
        woken += await forest.run(tree, f"0.{index}", outcome)
    assert [(hint.paths, hint.continuation) for hint in woken] == [(("0",), True)]
    claimed = await forest.claim(tree)
    assert [outcome.answer for outcome in claimed.outcomes] == list(range(12))
    assert claimed.packed == b"suspended"


async def test_a_finished_childs_budget_returns_to_its_parent(forest: Forest) -> None:
    tree = await forest.plant(tokens=100, nodes=10)
    await forest.spawn(await forest.lease(tree), 2, tokens=40, nodes=3)
    await forest.finish(await forest.lease(tree, "0.0"), turn=log(25, b"last"))
    child, parent = await forest.node(tree, "0.0"), await forest.node(tree)
    assert child.budget == Budget(tokens=0, nodes=0)
    assert (child.turns, child.outcome) == ((b"last",), OK)
    assert parent.budget == Budget(tokens=35, nodes=5)
    await forest.assert_conserved(tree)


async def test_a_node_may_delegate_again_after_its_children(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 2)
    await forest.run(tree, "0.0")
    await forest.run(tree, "0.1")
    hints = await forest.spawn(await forest.lease(tree), 1)
    assert paths(hints) == ["0.2"]
    woken = await forest.run(tree, "0.2", FAILED)
    assert paths(woken) == ["0"]
    assert (await forest.claim(tree)).outcomes == (OK, OK, FAILED)


@pytest.mark.parametrize(
    ("outcome", "status"), [(OK, "completed"), (PARTIAL, "partial"), (FAILED, "failed")]
)
async def test_the_roots_outcome_is_the_trees(
    forest: Forest, outcome: Outcome, status: str
) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    await forest.store.finish(lease, outcome, log=None, packed=b"end")
    record = await forest.store.get_tree(tree)
    assert (record.status, record.outcome) == (status, outcome)
    assert record.finished_at is not None
    assert (await forest.node(tree)).packed == b"end"
    assert (await forest.history(tree))[-1].data == {"status": status}


async def test_a_spawn_of_ten_thousand_children_is_one_transition(forest: Forest) -> None:
    tree = await forest.plant(tokens=200_000, nodes=20_000, max_parallel=64)
    hints = await forest.spawn(await forest.lease(tree), 10_000, tokens=20)
    assert len(paths(hints)) == 64
    nodes, total = await forest.store.list_nodes(tree, offset=9_999, limit=10)
    assert total == 10_001
    assert [node.path for node in nodes] == ["0.9998", "0.9999"]
    with pytest.raises(Conflict):
        await forest.spawn(await forest.lease(tree, "0.0"), 10_001, tokens=0)


async def test_nodes_are_listed_by_pages_in_the_order_of_creation(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 3)
    first, total = await forest.store.list_nodes(tree, offset=0, limit=3)
    rest, _ = await forest.store.list_nodes(tree, offset=3, limit=3)
    none, _ = await forest.store.list_nodes(tree, offset=0, limit=0)
    assert [node.path for node in first + rest] == ["0", "0.0", "0.1", "0.2"]
    assert (total, none) == (4, [])
    assert first[0].packed is None


async def test_what_is_not_there_is_not_found(forest: Forest) -> None:
    tree = await forest.plant()
    for unknown in (UNKNOWN, "nonsense"):
        with pytest.raises(NotFound):
            await forest.store.get_tree(unknown)
        with pytest.raises(NotFound):
            await forest.store.list_nodes(unknown, offset=0, limit=1)
        with pytest.raises(NotFound):
            await forest.store.cancel(unknown)
        with pytest.raises(NotFound):
            await forest.store.resume(unknown, extra=Budget(tokens=0, nodes=0), deadline_s=1)
        with pytest.raises(NotFound):
            await anext(aiter(forest.store.events(unknown)))
    with pytest.raises(NotFound):
        await forest.store.get_node(tree, "0.0")


async def test_a_store_that_is_there_answers(forest: Forest) -> None:
    await forest.store.ping()
