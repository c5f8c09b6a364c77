"""What more workers bring: the replay, by bounds and by hand, and trees of the kernel itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.experiments import worker_slots
from training.experiments.parallel import DIVIDED, SHAPES, Shape, recorded_steps
from training.experiments.preset import preset
from training.experiments.replay import Step, steps_of, wall_s
from training.tiny.policy import fresh
from training.tiny.rollout import TaskId, plant

SMOKE = replace(preset("smoke"), num_eval_tasks=2)


@st.composite
def step_rows(draw: st.DrawFn) -> list[Step]:
    """Steps that wait for some of those before them."""
    steps: list[Step] = []
    for place in range(draw(st.integers(1, 12))):
        after = draw(st.sets(st.integers(0, place - 1), max_size=3)) if place else set()
        steps.append(Step(tuple(after), draw(st.integers(0, 9)), 1))
    return steps


def longest_way(steps: list[Step]) -> float:
    ends: list[float] = []
    for step in steps:
        ends.append(max([ends[place] for place in step.after], default=0.0) + step.duration_s)
    return max(ends)


@given(step_rows(), st.integers(1, 5))
def test_a_replay_is_as_long_as_work_and_waiting_make_it(
    steps: list[Step], num_workers: int
) -> None:
    work = sum(step.duration_s for step in steps)
    assert wall_s(steps, 1) == work
    assert wall_s(steps, len(steps)) == longest_way(steps)
    wall = wall_s(steps, num_workers)
    assert max(work / num_workers, longest_way(steps)) <= wall + 1e-9
    assert wall <= work / num_workers + longest_way(steps) + 1e-9  # Graham 1966


def test_two_workers_share_three_parts_of_a_division() -> None:
    steps = [Step((), 1.0, 1), *(Step((0,), 2.0, 1) for _ in range(3)), Step((1, 2, 3), 1.0, 1)]
    assert [wall_s(steps, num) for num in (1, 2, 3)] == [8.0, 6.0, 4.0]


@pytest.mark.parametrize("shape", SHAPES)
def test_only_independent_parts_gain_by_workers(shape: Shape) -> None:
    for steps in recorded_steps(shape, SMOKE):
        even = [replace(step, duration_s=1.0) for step in steps]
        gains = wall_s(even, 16) < wall_s(even, 1)
        assert gains == (shape.name == DIVIDED)


def test_a_tree_that_has_not_ended_is_not_replayed() -> None:
    shape = SHAPES[0]
    tree = plant(shape.environment, TaskId(0, 3), "t", "g", alone=False)
    model = fresh(shape.environment, SMOKE.size, 0, alone=False).model
    with pytest.raises(ValueError, match="has not ended"):
        steps_of(tree, model, shares_state=False)


@pytest.mark.parametrize("is_chained", [False, True])
def test_the_kernel_grows_the_tree_that_is_meant_in_any_number_of_slots(is_chained: bool) -> None:
    one, many = (worker_slots.measure(slots, is_chained=is_chained) for slots in (1, 8))
    assert one.num_nodes == many.num_nodes == worker_slots.NUM_PARTS + 1
    assert one.num_calls == many.num_calls
    assert one.max_at_once == 1
    assert (many.max_at_once > 1) != is_chained
