"""What is likely: a plan, corrected by how trees that have grown compared with theirs."""

from __future__ import annotations

import pytest

from banyan.estimate import Estimate, Plan
from banyan.likely import corrected, ratios
from banyan.limits import Limits
from banyan.tree import Usage


def plan(nodes: int, *, seconds: float | None = 10.0) -> Plan:
    return Plan(
        llm_calls=2 * nodes,
        nodes=nodes,
        max_depth=1 if nodes > 1 else 0,
        prompt_tokens=100 * nodes,
        completion_tokens=10 * nodes,
        cost_usd=0.5,
        seconds=seconds,
    )


def used(nodes: int, prompt_tokens: int) -> Usage:
    return Usage(
        llm_calls=2 * nodes,
        nodes=nodes,
        max_depth=1 if nodes > 1 else 0,
        prompt_tokens=prompt_tokens,
        completion_tokens=10 * nodes,
    )


def estimated(most: Plan) -> Estimate:
    return Estimate(input_tokens=1, window=2_048, fits=False, least=plan(1), most=most)


def test_trees_that_did_not_delegate_say_nothing_of_delegating() -> None:
    assert ratios([(plan(1), used(1, 100)), (plan(8), used(1, 100))]) is None
    assert corrected(estimated(plan(8)), None, Limits()) == estimated(plan(8))


def test_one_tree_that_went_astray_does_not_move_the_others() -> None:
    found = ratios(
        [(plan(10), used(20, 900)), (plan(10), used(20, 1_100)), (plan(10), used(900, 90_000))]
    )
    assert found is not None
    assert (found.nodes, found.prompt_tokens, found.num_trees) == (2.0, 1.1, 3)


def test_a_plan_is_corrected_in_each_of_its_counts_its_cost_and_its_time() -> None:
    found = ratios([(plan(10), used(20, 2_000))])
    likely = corrected(estimated(plan(30)), found, Limits()).likely
    assert likely is not None
    assert (likely.nodes, likely.llm_calls, likely.max_depth) == (60, 120, 1)
    assert (likely.prompt_tokens, likely.completion_tokens) == (6_000, 600)
    assert likely.cost_usd == pytest.approx(1.0)
    assert likely.seconds == pytest.approx(20.0)


def test_no_tree_outgrows_its_limits() -> None:
    found = ratios([(plan(10), used(20, 2_000).model_copy(update={"max_depth": 5}))])
    limits = Limits(max_nodes=40, max_depth=2)
    likely = corrected(estimated(plan(30)), found, limits).likely
    assert likely is not None
    assert (likely.nodes, likely.max_depth) == (40, 2)


def test_what_fits_one_node_is_not_corrected() -> None:
    found = ratios([(plan(10), used(20, 2_000))])
    assert corrected(estimated(plan(1)), found, Limits()).likely == plan(1)


def test_time_that_is_not_known_stays_unknown() -> None:
    found = ratios([(plan(10), used(20, 2_000))])
    likely = corrected(estimated(plan(30, seconds=None)), found, Limits()).likely
    assert likely is not None
    assert likely.seconds is None
