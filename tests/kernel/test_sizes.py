from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from banyan import sizes
from banyan.budget import Budget
from banyan.limits import Limits
from banyan.node import Brief, Node, Outcome
from banyan.spans import Span
from banyan.task import Task

PLENTY = Budget(tokens=10_000_000, nodes=100_000)
windows = st.sampled_from([1_024, 2_048, 4_096, 32_768])


def node_over(num_chars: int, window: int, path: str = "0") -> Node:
    return Node(
        path=path,
        goal="What is said?",
        brief=Brief(task_goal="What is said?"),
        inputs=(Span(document="doc_a", start=0, end=num_chars),),
        answer_tokens=sizes.root_answer_tokens(window),
        tokens_per_char=0.25,
    )


def task(max_depth: int = 6) -> Task:
    return Task(tenant="t", goal="What is said?", limits=Limits(max_depth=max_depth))


@given(windows, st.integers(10_000, 20_000_000))
def test_the_planned_levels_are_enough_for_leaves_that_fit(window: int, num_chars: int) -> None:
    node = node_over(num_chars, window)
    parts = sizes.plan_parts(node, task(), window, PLENTY)
    size = num_chars
    for _ in range(task().limits.max_depth):
        size = -(-size // parts)
    leaf = node_over(size, window, path="0.0.0.0.0.0.0").model_copy(
        update={"answer_tokens": sizes.child_answer_tokens(node.answer_tokens, window)}
    )
    assert sizes.fits(leaf, window)


@given(windows, st.integers(10_000, 2_000_000))
def test_the_results_of_a_planned_fan_out_fit_one_merge(window: int, num_chars: int) -> None:
    node = node_over(num_chars, window)
    parts = sizes.plan_parts(node, task(), window, PLENTY)
    answer_tokens = sizes.child_answer_tokens(node.answer_tokens, window)
    text = "x" * int(answer_tokens / sizes.density(node))
    merging = node.model_copy(update={"outcomes": (Outcome(status="ok", answer=text),) * parts})
    assert sizes.results_fit(merging, window)


@given(windows, st.integers(1, 5_000_000), st.integers(2, 500))
def test_a_plan_never_asks_for_more_parts_than_there_are_nodes(
    window: int, num_chars: int, nodes: int
) -> None:
    budget = Budget(tokens=1_000_000, nodes=nodes)
    assert 2 <= sizes.plan_parts(node_over(num_chars, window), task(), window, budget) <= nodes


def test_at_the_deepest_level_nothing_is_delegated() -> None:
    assert sizes.may_delegate(node_over(1_000, 2_048), task(1), 2_048, PLENTY)
    assert not sizes.may_delegate(node_over(1_000, 2_048, "0.1"), task(1), 2_048, PLENTY)


def test_without_tokens_or_nodes_nothing_is_delegated() -> None:
    node = node_over(1_000, 2_048)
    assert not sizes.may_delegate(node, task(), 2_048, Budget(tokens=900, nodes=100))
    assert not sizes.may_delegate(node, task(), 2_048, Budget(tokens=1_000_000, nodes=1))
