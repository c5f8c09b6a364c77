"""Money moves with a tree's budget as tokens do: to children, back to parents, and into calls."""

from __future__ import annotations

from banyan.budget import Budget
from banyan.ports import ChildNode, Reserve
from banyan.prices import MAX_USD, NANO
from tests.fixtures.waiting import eventually
from tests.store.attempts import attempt
from tests.store.trees import OK, Forest, log

BRIEF_S = 0.05


async def test_a_turn_pays_and_its_policy_is_told_apart(forest: Forest) -> None:
    tree = await forest.plant(nano_usd=1_000)
    lease = await forest.lease(tree)
    left = await forest.store.turn(lease, log(30, nano_usd=250), b"after")
    children = [
        ChildNode(b"a", Budget(tokens=100, nodes=0, nano_usd=300), "small"),
        ChildNode(b"b", Budget(tokens=100, nodes=0, nano_usd=300)),
    ]
    await forest.store.spawn(
        lease,
        children,
        packed=b"waiting",
        kept=Budget(tokens=0, nodes=0, nano_usd=100),
        log=log(6, nano_usd=50),
        event={},
    )
    await forest.finish(await forest.lease(tree, "0.0"), turn=log(9, nano_usd=120))

    usage = (await forest.store.get_tree(tree)).usage
    assert left == Budget(tokens=970, nodes=100, nano_usd=750)
    assert (usage.nano_usd, usage.llm_calls) == (420, 3)
    assert {name: (one.nano_usd, one.llm_calls) for name, one in usage.by_policy.items()} == {
        "base": (300, 2),
        "small": (120, 1),
    }
    assert (await forest.node(tree)).budget.nano_usd == 100 + 180
    assert (await forest.node(tree, "0.0")).policy == "small"
    assert (await forest.node(tree, "0.1")).policy == "base"
    await forest.assert_conserved(tree)


async def test_children_are_not_given_money_that_is_not_there(forest: Forest) -> None:
    tree = await forest.plant(nano_usd=100)
    lease = await forest.lease(tree)
    result, _ = await attempt(forest.spawn(lease, 2, nano_usd=40, turn=log(0, nano_usd=30)))

    assert result == "Conflict"
    assert (await forest.node(tree)).budget.nano_usd == 100
    await forest.spawn(lease, 2, nano_usd=40, turn=log(0, nano_usd=20))
    assert (await forest.node(tree)).budget.nano_usd == 0
    await forest.assert_conserved(tree)


async def test_a_child_knows_its_policy_and_its_money_when_it_is_claimed(forest: Forest) -> None:
    tree = await forest.plant(nano_usd=MAX_USD * NANO)
    lease = await forest.lease(tree)
    share = Budget(tokens=5, nodes=0, nano_usd=MAX_USD * NANO - 1)
    await forest.store.spawn(
        lease,
        [ChildNode(b"a", share, "small")],
        packed=b"waiting",
        kept=Budget(tokens=0, nodes=0),
        log=None,
        event={},
    )
    claimed = await forest.claim(tree, "0.0")

    assert (claimed.policy, claimed.budget) == ("small", share)
    await forest.finish(claimed.lease)
    assert (await forest.claim(tree)).budget.nano_usd == MAX_USD * NANO


async def test_an_expired_lease_charges_what_its_own_policy_may_have_spent(forest: Forest) -> None:
    tree = await forest.plant(nano_usd=100)
    await forest.spawn(await forest.lease(tree), 1, tokens=90, nano_usd=60)
    await forest.store.claim(
        tree,
        ["0.0"],
        worker="w",
        lease_s=BRIEF_S,
        reserves={"base": Reserve(tokens=30, nano_usd=45), "large": Reserve(80, 60)},
    )
    await eventually(forest.store.reap)

    usage = (await forest.store.get_tree(tree)).usage
    assert (usage.lost_tokens, usage.lost_nano_usd) == (30, 45)
    assert (await forest.node(tree, "0.0")).budget == Budget(tokens=60, nodes=0, nano_usd=15)
    await forest.assert_conserved(tree)


async def test_a_resumed_tree_shares_its_money_among_what_runs_again(forest: Forest) -> None:
    tree = await forest.plant(nano_usd=100)
    await forest.spawn(await forest.lease(tree), 2, nano_usd=30)
    await forest.store.cancel(tree)
    extra = Budget(tokens=0, nodes=0, nano_usd=101)
    await forest.store.resume(tree, extra=extra, deadline_s=60.0)
    forest.admitted[tree] = forest.admitted[tree].refund(extra)

    shares = [(await forest.node(tree, path)).budget.nano_usd for path in ("0", "0.0", "0.1")]
    assert shares == [67, 67, 67]
    await forest.assert_conserved(tree)
    for path in ("0.0", "0.1", "0"):
        await forest.run(tree, path, OK)
    assert (await forest.node(tree)).budget.nano_usd == 201
