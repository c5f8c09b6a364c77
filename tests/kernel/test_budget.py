"""A budget is conserved: what is held plus what was spent is what was admitted, in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from banyan.budget import Budget

budgets = st.builds(
    Budget,
    tokens=st.integers(0, 10**10),
    nodes=st.integers(0, 10**6),
    nano_usd=st.integers(0, 10**15),
)


@given(budgets, st.integers(0, 10**11), st.integers(0, 10**16))
def test_spending_takes_what_is_paid_and_reports_the_rest(
    budget: Budget, tokens: int, nano_usd: int
) -> None:
    left, overdraft = budget.spend(tokens, nano_usd)
    assert left.nano_usd == max(0, budget.nano_usd - nano_usd)
    assert budget.tokens - left.tokens + overdraft == tokens
    assert left.nodes == budget.nodes
    assert overdraft == 0 or left.tokens == 0


needs_of_children = st.lists(st.integers(0, 10**7), min_size=1, max_size=200)


@given(budgets, needs_of_children, st.integers(0, 10**11), st.integers(0, 10**15))
def test_a_split_shares_out_and_loses_nothing(
    budget: Budget, needs: list[int], keep_tokens: int, keep_nano_usd: int
) -> None:
    if len(needs) > budget.nodes:
        with pytest.raises(ValueError, match="nodes are left"):
            budget.split(needs, keep_tokens)
        return
    costs = [(500 * need, 1_000 * need) for need in reversed(needs)]
    kept, children = budget.split(needs, keep_tokens, costs=costs, keep_nano_usd=keep_nano_usd)
    assert len(children) == len(needs)
    assert kept.nano_usd + sum(child.nano_usd for child in children) == budget.nano_usd
    assert kept.nano_usd >= min(keep_nano_usd, budget.nano_usd)
    assert kept.tokens + sum(child.tokens for child in children) == budget.tokens
    # Each child is one of the nodes that the budget allowed.
    assert kept.nodes + sum(child.nodes + 1 for child in children) == budget.nodes


def test_equal_needs_get_equal_shares() -> None:
    kept, children = Budget(tokens=1_000, nodes=8).split([7, 7, 7], 100)
    assert children == [Budget(tokens=300, nodes=1)] * 3
    assert kept == Budget(tokens=100, nodes=2)


def test_a_tight_budget_serves_the_first_children_whole() -> None:
    _, children = Budget(tokens=1_000, nodes=3).split([400, 400, 400], 100)
    assert [child.tokens for child in children] == [400, 400, 100]


def test_money_that_is_short_serves_all_with_the_least_before_any_with_more() -> None:
    costs = [(10, 40), (10, 40), (20, 40)]

    def shares(nano_usd: int) -> list[int]:
        budget = Budget(tokens=0, nodes=3, nano_usd=nano_usd)
        _, children = budget.split([1, 1, 1], 0, costs=costs)
        return [child.nano_usd for child in children]

    assert shares(240) == [80, 80, 80]
    assert shares(120) == [40, 40, 40]
    assert shares(80) == [25, 25, 30]
    assert shares(40) == [10, 10, 20]
    assert shares(25) == [10, 10, 5]


@given(budgets, needs_of_children, st.integers(0, 10**11))
def test_the_parent_keeps_what_it_needs_to_merge(
    budget: Budget, needs: list[int], keep_tokens: int
) -> None:
    if len(needs) <= budget.nodes:
        kept, _ = budget.split(needs, keep_tokens)
        assert kept.tokens >= min(keep_tokens, budget.tokens)


@given(budgets, budgets)
def test_a_refund_adds_up(budget: Budget, other: Budget) -> None:
    total = budget.refund(other)
    assert (total.tokens, total.nodes, total.nano_usd) == (
        budget.tokens + other.tokens,
        budget.nodes + other.nodes,
        budget.nano_usd + other.nano_usd,
    )
    assert total.less(other) == budget


def test_nobody_spends_or_shares_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="negative"):
        Budget(tokens=5, nodes=5).spend(-1)
    with pytest.raises(ValueError, match="negative"):
        Budget(tokens=5, nodes=5).spend(0, -1)
    with pytest.raises(ValueError, match="at least one child"):
        Budget(tokens=5, nodes=5).split([], 0)


class TreeOfBudgets(RuleBasedStateMachine):
    """Nodes split, spend and finish in any order, as in a running tree."""

    ADMITTED = Budget(tokens=100_000, nodes=60, nano_usd=70_000)

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, Budget] = {0: self.ADMITTED}
        self.parents: dict[int, int] = {}
        self.num_created = 0
        self.spent = 0
        self.paid = 0

    def running(self) -> list[int]:
        """Nodes without unfinished children."""
        waiting = {self.parents[node] for node in self.held if node in self.parents}
        return sorted(self.held.keys() - waiting)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), tokens=st.integers(0, 20_000), nano_usd=st.integers(0, 9_000))
    def spend(self, data: st.DataObject, tokens: int, nano_usd: int) -> None:
        node = data.draw(st.sampled_from(self.running()))
        before = self.held[node]
        self.held[node], overdraft = before.spend(tokens, nano_usd)
        self.spent += tokens - overdraft
        self.paid += min(nano_usd, before.nano_usd)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), num_children=st.integers(1, 5), keep_tokens=st.integers(0, 5_000))
    def split(self, data: st.DataObject, num_children: int, keep_tokens: int) -> None:
        node = data.draw(st.sampled_from(self.running()))
        if num_children > self.held[node].nodes:
            return
        self.held[node], children = self.held[node].split(
            [1] * num_children, keep_tokens, keep_nano_usd=keep_tokens // 3
        )
        for child in children:
            self.num_created += 1
            self.held[self.num_created] = child
            self.parents[self.num_created] = node

    @precondition(lambda self: len(self.held) > 1)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from([node for node in self.running() if node]))
        parent = self.parents[node]
        self.held[parent] = self.held[parent].refund(self.held.pop(node))

    @invariant()
    def nothing_is_lost_or_made(self) -> None:
        held = self.held.values()
        assert sum(budget.tokens for budget in held) + self.spent == self.ADMITTED.tokens
        assert sum(budget.nano_usd for budget in held) + self.paid == self.ADMITTED.nano_usd
        assert sum(budget.nodes for budget in held) + self.num_created == self.ADMITTED.nodes


TestTreeOfBudgets = TreeOfBudgets.TestCase
