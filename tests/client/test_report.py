from __future__ import annotations

from banyan.client.report import facts
from banyan.client.results import SolveResult, Spent, Usage


def result(usage: Usage) -> SolveResult:
    return SolveResult(id="solve_1", status="completed", policy="large", usage=usage)


def test_the_report_says_what_it_cost_and_on_which_policy() -> None:
    by_policy = {"small": Spent(cost_usd=0.25), "large": Spent(cost_usd=1.5)}
    spent = Usage(cost_usd=1.75, lost_cost_usd=0.5, by_policy=by_policy)
    assert dict(facts(result(spent)))["cost"] == (
        "1.750000 USD, large 1.500000, small 0.250000, and at most 0.500000 with workers that died"
    )


def test_what_costs_nothing_is_not_mentioned() -> None:
    assert "cost" not in dict(facts(result(Usage(by_policy={"base": Spent(llm_calls=1)}))))
