"""A recursive agent against a single one, at the smallest size: equal terms, and all is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.experiments.arm import Agent, of_agent
from training.experiments.comparison import RECURSIVE, SINGLE, Comparison, Results
from training.experiments.credit import CREDIT
from training.experiments.dialog import DIALOG
from training.experiments.experiment import Experiment
from training.experiments.long_sequence import LONG_SEQUENCE
from training.experiments.maze import MAZE
from training.experiments.measuring import MODES
from training.experiments.memory import MEMORY, WITH, WITHOUT
from training.experiments.oolong import OOLONG, rise_of
from training.experiments.preset import PRESETS, preset
from training.experiments.report import Report
from training.experiments.results import ArmResult, Cell
from training.experiments.textcraft import TEXTCRAFT
from training.tiny.rollout import TaskId, plant

MICRO = replace(
    preset("smoke"), num_steps=20, num_eval_tasks=1, num_curve_tasks=1, curve_every_steps=20
)
EXPERIMENTS = (DIALOG, LONG_SEQUENCE, MAZE, OOLONG, TEXTCRAFT)
COMPARISONS = (*(one.comparison for one in EXPERIMENTS), WITH, WITHOUT)


def quiet(*told: object) -> None:
    """Tells nobody."""


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda one: one.environment.name)
def test_both_agents_have_the_same_budget_over_all_nodes_and_the_same_view(
    comparison: Comparison,
) -> None:
    source = comparison.environment
    for difficulty in comparison.eval_difficulties:
        recursive, single = (
            plant(source, TaskId(1, difficulty), "t", "g", alone=alone) for alone in (False, True)
        )
        assert recursive.steps_left == single.steps_left
        window = source.num_view_tokens
        assert recursive.root.goal.observe(window) == single.root.goal.observe(window)


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda one: one.environment.name)
def test_both_agents_learn_by_the_same_settings_but_for_the_discount(
    comparison: Comparison,
) -> None:
    """A lone agent is one node: each of its actions would be discounted by all the others."""
    learners = [of_agent(MICRO, agent).learner for agent in comparison.agents]
    assert len({replace(learner, discount=1.0) for learner in learners}) == 1


def test_a_single_agent_of_maze_is_not_discounted() -> None:
    recursive, single = (of_agent(MICRO, agent).learner for agent in MAZE.comparison.agents)
    assert recursive.discount < single.discount == 1.0


@pytest.mark.parametrize("agent", CREDIT.comparison.agents, ids=lambda one: one.name)
def test_what_an_agent_of_credit_does_not_change_is_the_presets(agent: Agent) -> None:
    """Whatever the preset, so that it differs from `recursive` in nothing else."""
    for size in PRESETS.values():
        ours = of_agent(size, agent).learner
        changed = {"uses_depth_weights", "lambda_", "baseline"}
        same = {name: getattr(size.learner, name) for name in changed}
        assert replace(ours, **same) == size.learner


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda one: one.environment.name)
def test_what_is_measured_is_harder_than_what_is_trained(comparison: Comparison) -> None:
    assert max(comparison.eval_difficulties) > max(comparison.train_difficulties)
    assert max(comparison.curve_difficulties) == max(comparison.eval_difficulties)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.name)
def test_a_report_has_every_gate_before_and_after_rl_for_agents_of_one_size(
    experiment: Experiment, tmp_path: Path
) -> None:
    report = experiment.measure(MICRO, tmp_path, quiet)
    assert_complete(report, [experiment.comparison])
    assert "too few seeds" in report.verdict


def test_whether_the_reward_rises_is_judged_by_its_interval() -> None:
    def run(seed: int, before: float, after: float) -> ArmResult:
        cells = [
            Cell(is_trained, "threshold", difficulty, value, 1.0, 1.0, 1.0, 0.0)
            for is_trained, value in ((False, before), (True, after))
            for difficulty in OOLONG.comparison.eval_difficulties
        ]
        return ArmResult(RECURSIVE, seed, "", 1, 1.0, 1, cells, [], [], 1.0)

    preset_of_5 = replace(MICRO, num_seeds=5)
    rewards = ((0.2, 0.5), (0.2, 0.6), (0.2, 0.4), (0.2, 0.3), (0.2, 0.45))
    rising = [run(seed, *pair) for seed, pair in enumerate(rewards)]
    rise = rise_of(Results(OOLONG.comparison, preset_of_5, rising), RECURSIVE, (0, 1))
    assert rise.low > 0
    assert rise.mean == pytest.approx(0.25)
    mixed = [run(seed, *pair) for seed, pair in enumerate(((0.2, 0.5), (0.5, 0.3), (0.4, 0.4)))]
    assert rise_of(Results(OOLONG.comparison, preset_of_5, mixed), RECURSIVE, (0,)).low < 0


def test_memory_is_compared_with_the_same_actions_that_do_nothing(tmp_path: Path) -> None:
    assert WITH.environment.words == WITHOUT.environment.words
    assert_complete(MEMORY.measure(MICRO, tmp_path, quiet), [WITH, WITHOUT])


def assert_complete(report: Report, comparisons: list[Comparison]) -> None:
    grids = [grid for grid in report.grids if grid.title.startswith("Success in % by")]
    assert len(grids) == len(comparisons)
    for grid, comparison in zip(grids, comparisons, strict=True):
        assert len(grid.columns) == 3 + len(comparison.eval_difficulties)
        assert [tuple(row[:3]) for row in grid.rows] == [
            (arm, after, mode)
            for arm in (RECURSIVE, SINGLE)
            for after in ("warm-up", "RL")
            for mode in MODES
        ]
    runs = [row for grid in report.grids if grid.title == "Runs" for row in grid.rows]
    assert [row[0] for row in runs] == [RECURSIVE, SINGLE] * len(comparisons)
    assert len({row[2] for row in runs}) == 1
    assert all(int(row[4]) >= MICRO.num_steps for row in runs)
