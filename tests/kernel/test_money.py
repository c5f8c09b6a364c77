"""A limit in money: it is kept, it runs out like tokens do, and nobody asks where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan import costs, notices
from banyan.budget import Budget
from banyan.limits import Limits
from banyan.policy import BASE
from banyan.prices import MAX_USD, MOST_PER_TOKEN, NANO, Prices, usd
from banyan.task import Task
from banyan.tree import TreeRecord
from tests.growing import outcome, sentences
from tests.two_policies import house

counts = st.integers(0, 10**7)
per_token = st.integers(0, MOST_PER_TOKEN)
prices = st.builds(Prices, prompt=per_token, cached=per_token, completion=per_token)


async def solve(max_cost_usd: float | None) -> TreeRecord:
    return await house().grow(
        "Summarise it.",
        sentences(2_000),
        leaves="small",
        limits=Limits(max_cost_usd=max_cost_usd),
    )


async def test_a_limit_that_suffices_changes_nothing() -> None:
    free, limited = await solve(None), await solve(1.0)
    assert free.usage == limited.usage
    assert free.usage.nano_usd > 0
    assert limited.status == "completed"


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.95])
async def test_a_limit_is_kept_and_gives_the_best_partial_answer(share: float) -> None:
    whole = (await solve(None)).usage.nano_usd
    tree = await solve(usd(int(whole * share)))
    assert tree.status in {"partial", "failed"}
    assert tree.usage.nano_usd <= int(whole * share)
    assert notices.BUDGET_RAN_OUT in outcome(tree).notices


async def test_what_is_there_is_answered_when_the_money_is_gone() -> None:
    whole = (await solve(None)).usage.nano_usd
    tree = await solve(usd(int(whole * 0.95)))
    assert tree.status == "partial"
    assert outcome(tree).answer
    assert outcome(tree).covered


async def test_a_root_that_cannot_pay_its_first_call_says_so() -> None:
    tree = await solve(1e-9)
    failure = outcome(tree).failure
    assert failure is not None
    assert failure.code == "money_budget_exhausted"
    assert "0.000000001 left" in failure.message
    assert tree.usage.llm_calls == 0


def test_where_money_is_not_limited_any_call_can_be_paid() -> None:
    nothing = Budget(tokens=10, nodes=0)
    free, limited = (
        Task(tenant="t", goal="g", limits=Limits(max_cost_usd=most)) for most in (None, 0.5)
    )
    assert costs.suffice(free, nothing, NANO)
    assert not costs.suffice(limited, nothing, NANO)
    assert costs.allow_children(free, 2_048, nothing, BASE.prices, BASE.prices)
    assert not costs.allow_children(limited, 2_048, nothing, Prices(), Prices(prompt=1))
    assert (free.limits.max_nano_usd, limited.limits.max_nano_usd) == (0, NANO // 2)


@given(prices, counts, counts, counts)
def test_no_call_costs_more_than_was_asked_for(
    price: Prices, prompt: int, cached: int, completion: int
) -> None:
    assert price.cost(prompt, cached, completion) <= price.at_most(prompt, completion)
    assert price.at_most(prompt, completion) <= price.of_tokens(prompt + completion)
    assert price.cost(prompt, 0, completion) == prompt * price.prompt + completion * (
        price.completion
    )


@given(st.integers(1, MAX_USD * NANO))
def test_every_nano_dollar_survives_the_way_through_the_api(nano_usd: int) -> None:
    assert Limits(max_cost_usd=usd(nano_usd)).max_nano_usd == nano_usd
