"""The estimate against trees that really grow, on an engine that does what it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.estimate import Pace, estimate
from banyan.limits import Limits
from banyan.policy import BASE
from banyan.specialists import Specialist
from banyan.task import Task
from tests.growing import Grower, sentences

WINDOW = 2_048
OWN = Specialist(BASE, WINDOW)
DENSITY = 0.209


@pytest.mark.parametrize("count", [20, 400, 1_500, 4_000])
async def test_the_shape_is_that_of_the_tree_that_grows(count: int) -> None:
    text = sentences(count)
    usage = (await Grower().grow("Summarize.", text)).usage
    most = estimate(
        Task(tenant="acme", goal="Summarize."), len(text), own=OWN, tokens_per_char=DENSITY
    ).most
    assert (most.nodes, most.llm_calls, most.max_depth) == (
        usage.nodes,
        usage.llm_calls,
        usage.max_depth,
    )
    assert usage.prompt_tokens <= most.prompt_tokens <= 2 * usage.prompt_tokens
    assert most.completion_tokens >= usage.completion_tokens


@given(
    num_chars=st.integers(0, 50_000_000),
    window=st.sampled_from([512, 2_048, 32_768]),
    limits=st.builds(
        Limits,
        max_depth=st.integers(0, 8),
        max_nodes=st.integers(1, 5_000),
        max_parallel=st.integers(1, 300),
    ),
)
def test_limits_are_kept_or_named(num_chars: int, window: int, limits: Limits) -> None:
    task = Task(tenant="acme", goal="Why?", limits=limits)
    pace = Pace(work_per_s=100.0, parallel=4.0, num_trees=1)
    found = estimate(task, num_chars, own=Specialist(BASE, window), pace=pace)
    assert 1 <= found.most.nodes <= limits.max_nodes
    assert found.most.max_depth <= limits.max_depth
    assert found.least.tokens <= found.most.tokens or found.exceeds
    assert found.most.seconds is not None
    unread = {"max_depth", "max_nodes"} & set(found.exceeds)
    assert unread or found.most.prompt_tokens >= found.input_tokens


def test_more_slots_make_a_tree_faster_but_not_its_longest_path() -> None:
    task = Task(tenant="acme", goal="Why?")
    seconds = [
        estimate(
            task, 400_000, own=OWN, pace=Pace(work_per_s=100.0, parallel=parallel, num_trees=1)
        ).most.seconds
        for parallel in (1.0, 4.0, 1_000.0, 2_000.0)
    ]
    assert seconds[0] == pytest.approx(4 * (seconds[1] or 0), rel=0.01)
    assert (seconds[1] or 0) > (seconds[2] or 0) > 0
    assert (seconds[3] or 0) == pytest.approx(seconds[2], rel=0.5)
