"""`parallel`: wall clock over the number of workers, where parts are independent and where not.

Twice: recorded trees, whose steps are timed one by one and replayed on any number of workers; and
trees that grow through the kernel's own driver, on a fake engine with that many slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banyan.evaluation.stats import Measures, estimate
from banyan.task import GateMode
from training.environments.algebra import Algebra
from training.environments.chain import Chain
from training.environments.environment import Environment
from training.experiments import worker_slots
from training.experiments.comparison import TellArm
from training.experiments.experiment import command_of
from training.experiments.measuring import FIRST_SEED
from training.experiments.preset import Preset
from training.experiments.replay import Step, steps_of, wall_s
from training.experiments.report import Grid, Report
from training.tiny.acting import Actor, Style
from training.tiny.policy import fresh
from training.tiny.rollout import TaskId, grow, plant

WORKERS = (1, 2, 4, 8, 16)
SLOTS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Shape:
    """Trees of one form; the words in them do not change it."""

    name: str
    environment: Environment
    difficulty: int
    mode: GateMode
    alone: bool = False


DIVIDED, CHAINED, DIRECT = "independent, divided", "chained, divided", "chained, one node"
SHAPES = (
    Shape(DIVIDED, Algebra(), 8, "always"),
    Shape("independent, one node reads", Algebra(), 8, "always", alone=True),
    Shape(CHAINED, Chain(), 16, "always"),
    Shape(DIRECT, Chain(), 16, "never"),
)


class Parallel:
    name = "parallel"
    title = "Parallel: wall clock over workers"
    claim = "wall clock falls with workers although forward passes rise"

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report:
        """Nothing is trained, and nothing is kept in `folder`: it takes seconds."""
        del folder
        recorded = {}
        for shape in SHAPES:
            recorded[shape.name] = recorded_steps(shape, preset)
            tell(shape.name, 0, "evaluation", 1, 1)
        measured = _slots_grid(preset, tell)
        return Report(
            name=self.name,
            title=self.title,
            claim=self.claim,
            command=command_of(self.name, preset),
            verdict=_verdict(recorded),
            notes=_NOTES,
            grids=[_replay_grid(recorded), measured],
            curves=[],
        )


def recorded_steps(shape: Shape, preset: Preset) -> list[list[Step]]:
    """The steps of a tree for each of the preset's tasks."""
    policy = fresh(shape.environment, preset.size, 0, alone=shape.alone)
    trees = [
        plant(
            shape.environment,
            TaskId(FIRST_SEED + number, shape.difficulty),
            str(number),
            str(number),
            alone=shape.alone,
        )
        for number in range(preset.num_eval_tasks)
    ]
    style = Style(shape.mode, is_greedy=True)
    grow(shape.environment, Actor(policy, style, np.random.default_rng(0)), trees)
    shares_state = shape.environment.shares_state
    return [steps_of(tree, policy.model, shares_state=shares_state) for tree in trees]


def _replay_grid(recorded: dict[str, list[list[Step]]]) -> Grid:
    rows = []
    for name, trees in recorded.items():
        walls = [[1000 * wall_s(steps, num) for steps in trees] for num in WORKERS]
        num_steps = _mean([len(steps) for steps in trees])
        counts = [f"{num_steps:.1f}", f"{_num_passes(trees):.1f}"]
        rows.append([name, *counts, *_ms_and_speed_up(walls)])
    columns = ["tree", "steps", "passes", *map(str, WORKERS), "speed-up"]
    return Grid("Recorded trees, replayed: wall ms by number of workers", columns, rows)


def _slots_grid(preset: Preset, tell: TellArm) -> Grid:
    rows = []
    for name, is_chained in (("independent", False), ("chained", True)):
        runs = [
            [worker_slots.measure(slots, is_chained=is_chained) for _ in range(preset.num_seeds)]
            for slots in SLOTS
        ]
        tell(f"{name}, in the kernel", 0, "evaluation", 1, 1)
        counts = [str(runs[0][0].num_nodes), str(runs[0][0].num_calls)]
        walls = [[1000 * run.wall_s for run in repeated] for repeated in runs]
        rows.append([name, *counts, *_ms_and_speed_up(walls)])
    wait_ms = 1000 * worker_slots.LATENCY_S
    title = f"The kernel's driver, measured: wall ms by slots, for calls of {wait_ms:.0f} ms"
    return Grid(title, ["tree", "nodes", "calls", *map(str, SLOTS), "speed-up"], rows)


def _ms_and_speed_up(walls: Sequence[Sequence[float]]) -> list[str]:
    """The means, and from the first to the last what became faster, with its interval."""
    ratios: list[Measures] = [
        (first / last,) for first, last in zip(walls[0], walls[-1], strict=True)
    ]
    return [*(f"{_mean(values):.1f}" for values in walls), _interval(ratios)]


def _verdict(recorded: dict[str, list[list[Step]]]) -> str:
    passes = _num_passes(recorded[CHAINED]) / _num_passes(recorded[DIRECT])
    return (
        f"With {WORKERS[-1]} workers for one, independent parts are "
        f"{_speed_up(recorded[DIVIDED]):.2f} times as fast, a chain "
        f"{_speed_up(recorded[CHAINED]):.2f} times, for {passes:.1f} times the passes of one node "
        "that does it alone."
    )


def _speed_up(trees: Sequence[Sequence[Step]]) -> float:
    """From one worker to the most; the mean over trees."""
    return _mean([wall_s(steps, 1) / wall_s(steps, WORKERS[-1]) for steps in trees])


def _num_passes(trees: Sequence[Sequence[Step]]) -> float:
    return _mean([sum(step.num_passes for step in steps) for steps in trees])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _interval(rows: Sequence[Measures]) -> str:
    value = estimate(rows)
    if value.n == 1:
        return f"{value.mean:.2f}"
    return f"{value.mean:.2f} ({value.low:.2f}-{value.high:.2f})"


_NOTES = [
    "Each step was timed alone, on one thread of the machine that measured: the best of three.",
    "The replay has no network, no queue and no batching: it is what the trees' shape allows.",
    "The speed-up is from the fewest to the most, with its 95 % bootstrap interval.",
    "That interval is over trees, or over repetitions where it was measured.",
    "A pass is one prefix through the model: one a step for its kind, and one for each word.",
    "The policy learned nothing: under `always` and `never` the shape is the task's alone.",
    "In the kernel a slot is held for one call, and a chain is of nodes with one child each.",
]

PARALLEL = Parallel()
