"""Arm: one agent with one seed: warm-up, evaluation, training with a curve, evaluation.

A run that was killed goes on from its last checkpoint, and does what it would have done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from banyan.task import GateMode
from training.environments.environment import Environment
from training.experiments.curriculum import Curriculum
from training.experiments.errors import OtherRun
from training.experiments.gradients import fixed_batch, spread
from training.experiments.measuring import measure
from training.experiments.preset import Preset
from training.experiments.results import (
    RESULT,
    ArmResult,
    Cell,
    GradientSpread,
    Point,
    read,
    write,
)
from training.experiments.warm_start import warm_start
from training.tiny import checkpoint
from training.tiny.acting import Actor, Style
from training.tiny.learner import Learner, LearnerSettings
from training.tiny.nodes import Tree
from training.tiny.policy import fresh
from training.tiny.rollout import TaskId, grow, plant

MAX_TASK_SEED = 1_000_000_000
Phase = Literal["warm-up", "training", "evaluation"]
Tell = Callable[[Phase, int, int], None]
"""Told of the phase, what is done and what there is to do."""


@dataclass(frozen=True, slots=True)
class Agent:
    """What an arm is: who acts, how it learns, and in which order it gets its tasks."""

    name: str
    alone: bool = False
    learns_by: Callable[[LearnerSettings], LearnerSettings] | None = None
    """Its settings, of the preset's. None: the preset's."""
    gate: GateMode = "sampled"
    """Of training; all modes are measured."""
    has_curriculum: bool = False
    """Difficulties open one after another (`curriculum.py`); else all are there from the start."""


@dataclass(frozen=True, slots=True)
class ArmSpec:
    """Which agent, and where it learns and is measured."""

    agent: Agent
    environment: Environment
    train_difficulties: tuple[int, ...]
    eval_difficulties: tuple[int, ...]
    curve_difficulties: tuple[int, ...]


class _Progress(msgspec.Struct, kw_only=True):
    """What a checkpoint keeps beside weights."""

    fingerprint: str
    base_skill: float
    random: str
    """The state of the source of chance, JSON with integers of 128 bits."""
    num_steps: int = 0
    num_batches: int = 0
    train_s: float = 0.0
    cells: list[Cell] = msgspec.field(default_factory=list)
    curve: list[Point] = msgspec.field(default_factory=list)
    gradients: list[GradientSpread] = msgspec.field(default_factory=list)
    curriculum: Curriculum


def run_arm(spec: ArmSpec, seed: int, preset: Preset, folder: Path, tell: Tell) -> ArmResult:
    """Measure, or go on, or read what was measured. Raises OtherRun and BadCheckpoint.

    Beside `folder` is kept what warm-ups taught, for all arms of this environment.
    """
    preset = of_agent(preset, spec.agent)
    result = read(folder / RESULT, ArmResult, preset.fingerprint)
    if result is not None and result.num_steps >= preset.num_steps:
        return result
    run = _Run(spec, seed, preset, folder, tell)
    while run.progress.num_steps < preset.num_steps:
        run.train_batch()
    return run.finish()


def of_agent(preset: Preset, agent: Agent) -> Preset:
    """The preset as the agent learns by it; the fingerprint of its runs is this one's."""
    own = replace(preset, has_curriculum=agent.has_curriculum, gate=agent.gate)
    return replace(own, learner=agent.learns_by(own.learner)) if agent.learns_by else own


class _Run:
    def __init__(self, spec: ArmSpec, seed: int, preset: Preset, folder: Path, tell: Tell) -> None:
        self.spec, self.seed, self.preset, self.tell = spec, seed, preset, tell
        self.result_path = folder / RESULT
        self.checkpoint_path = folder / "checkpoint.safetensors"
        policy = fresh(spec.environment, preset.size, seed, alone=spec.agent.alone)
        self.learner = Learner(policy, preset.learner)
        self.random = np.random.default_rng([seed, 2])
        if self.checkpoint_path.exists():
            self._load()
        else:
            self._warm_up()

    def train_batch(self) -> None:
        """Trees, an update, and where it is due a point of the curve and a checkpoint."""
        began, preset, progress = time.perf_counter(), self.preset, self.progress
        trees = self._plant()
        actor = Actor(self.learner.policy, Style(self.spec.agent.gate), self.random)
        grow(self.spec.environment, actor, trees)
        self.learner.step(trees)
        if self.spec.agent.has_curriculum:
            progress.curriculum.see(trees, self.spec.train_difficulties)
        before = progress.num_steps
        progress.num_steps += sum(tree.num_steps for tree in trees)
        progress.num_batches += 1
        progress.train_s += time.perf_counter() - began
        self.tell("training", min(progress.num_steps, preset.num_steps), preset.num_steps)
        every = preset.curve_every_steps
        if progress.num_steps // every > before // every:
            self._add_points()
            self._save()

    def finish(self) -> ArmResult:
        cells = [*self.progress.cells, *self._measured(is_trained=True)]
        gradients = [*self.progress.gradients, self._spread(is_trained=True)]
        self._save()
        result = ArmResult(
            arm=self.spec.agent.name,
            seed=self.seed,
            fingerprint=self.preset.fingerprint,
            num_parameters=self.learner.policy.model.num_parameters,
            base_skill=self.progress.base_skill,
            num_steps=self.progress.num_steps,
            cells=cells,
            curve=self.progress.curve,
            gradients=gradients,
            train_s=self.progress.train_s,
        )
        write(self.result_path, result)
        return result

    def _plant(self) -> list[Tree]:
        """Groups of rollouts; the difficulty of each task is drawn evenly."""
        trees = []
        difficulties = self.progress.curriculum.open_of(self.spec.train_difficulties)
        for group in range(self.preset.num_groups):
            name = f"{self.progress.num_batches}.{group}"
            task = TaskId(
                int(self.random.integers(MAX_TASK_SEED)),
                int(self.random.choice(difficulties)),
            )
            trees += [
                plant(
                    self.spec.environment,
                    task,
                    f"{name}.{number}",
                    name,
                    alone=self.spec.agent.alone,
                )
                for number in range(self.preset.group_size)
            ]
        return trees

    def _warm_up(self) -> None:
        skill = warm_start(
            self.spec.environment,
            self.learner.policy,
            self.preset,
            self.result_path.parent.parent,
            seed=self.seed,
            tell=lambda done: self.tell("warm-up", done, self.preset.warmup.max_updates),
        )
        first = 1 if self.spec.agent.has_curriculum else len(self.spec.train_difficulties)
        self.progress = _Progress(
            fingerprint=self.preset.fingerprint,
            base_skill=skill,
            random="",
            curriculum=Curriculum(num_open=first),
        )
        self.progress.cells = self._measured(is_trained=False)
        self.progress.gradients = [self._spread(is_trained=False)]
        self._add_points()
        self._save()

    def _measured(self, *, is_trained: bool) -> list[Cell]:
        spec, cells = self.spec, []
        num_cells = 4 * len(spec.eval_difficulties)
        for cell in measure(
            spec.environment,
            self.learner.served,
            spec.eval_difficulties,
            self.preset.num_eval_tasks,
            is_trained=is_trained,
        ):
            cells.append(cell)
            self.tell("evaluation", len(cells), num_cells)
        return cells

    def _spread(self, *, is_trained: bool) -> GradientSpread:
        """Of the deepest tasks that it trains on: there a batch has the most depths."""
        policy, preset = self.learner.policy, self.preset
        trees = fixed_batch(
            self.spec.environment,
            policy,
            max(self.spec.train_difficulties),
            preset.num_groups,
            preset.group_size,
        )
        return spread(policy, trees, self.learner.settings, is_trained=is_trained)

    def _add_points(self) -> None:
        self.progress.curve += [
            Point(self.progress.num_steps, cell.difficulty, cell.success)
            for cell in measure(
                self.spec.environment,
                self.learner.served,
                self.spec.curve_difficulties,
                self.preset.num_curve_tasks,
                modes=("threshold",),
                is_trained=True,
            )
        ]

    def _save(self) -> None:
        self.progress.random = json.dumps(self.random.bit_generator.state)
        state = msgspec.json.encode(self.progress).decode()
        checkpoint.save(self.checkpoint_path, self.learner, state)

    def _load(self) -> None:
        state = checkpoint.load(self.checkpoint_path, self.learner)
        self.progress = msgspec.json.decode(state, type=_Progress)
        if self.progress.fingerprint != self.preset.fingerprint:
            raise OtherRun(f"{self.checkpoint_path} is of a run with other settings")
        self.random.bit_generator.state = json.loads(self.progress.random)
