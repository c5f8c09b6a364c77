"""Comparison: agents against one another in one environment; mostly a single and a recursive one.

All have the same model size, view and budget of environment steps over all nodes, the same warm-up,
and the same structure to divide goals by: what one delegates, a single one reads in sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from banyan.evaluation.stats import Estimate, difference, estimate
from banyan.task import GateMode
from training.environments.environment import Environment
from training.experiments.arm import Agent, ArmSpec, Phase, run_arm
from training.experiments.curves import Curve, Step
from training.experiments.preset import Preset
from training.experiments.results import ArmResult, Cell

RECURSIVE, SINGLE = "recursive", "single"
ARMS = (RECURSIVE, SINGLE)
AGENTS = (Agent(RECURSIVE), Agent(SINGLE, alone=True))

TellArm = Callable[[str, int, Phase, int, int], None]
"""Told of the arm and seed, and of what an arm tells."""


@dataclass(frozen=True, slots=True)
class Comparison:
    environment: Environment
    train_difficulties: tuple[int, ...]
    eval_difficulties: tuple[int, ...]
    curve_difficulties: tuple[int, ...]
    agents: tuple[Agent, ...] = AGENTS
    """In the order of the tables. Those of one name and one environment share their runs."""
    skill_difficulty: int = 1
    """The difficulty that the warm-up teaches."""
    enough_skill: float | None = None
    """The share of its goals that ends the warm-up; None: the preset's."""

    def run(self, preset: Preset, folder: Path, tell: TellArm) -> Results:
        """All arms and seeds; those that are there are read. Raises OtherRun and BadCheckpoint."""
        warmup = replace(
            preset.warmup,
            skill_difficulty=self.skill_difficulty,
            shown_difficulties=self.train_difficulties,
            enough_skill=self.enough_skill or preset.warmup.enough_skill,
        )
        preset, runs = replace(preset, warmup=warmup), list[ArmResult]()
        for seed in range(preset.num_seeds):
            for agent in self.agents:
                spec = ArmSpec(
                    agent=agent,
                    environment=self.environment,
                    train_difficulties=self.train_difficulties,
                    eval_difficulties=self.eval_difficulties,
                    curve_difficulties=self.curve_difficulties,
                )
                place = folder / self.environment.name / preset.name / f"{agent.name}-{seed}"
                told = _teller(tell, agent.name, seed)
                runs.append(run_arm(spec, seed, preset, place, told))
        return Results(self, preset, runs)


@dataclass(frozen=True, slots=True)
class Results:
    """What all arms and seeds measured."""

    comparison: Comparison
    preset: Preset
    runs: Sequence[ArmResult]

    @property
    def arms(self) -> list[str]:
        return [agent.name for agent in self.comparison.agents]

    def of(self, arm: str) -> list[ArmResult]:
        """In the order of seeds."""
        return [run for run in self.runs if run.arm == arm]

    def cells(self, arm: str, mode: GateMode, difficulty: int, *, is_trained: bool) -> list[Cell]:
        """One for each seed."""
        wanted = (is_trained, mode, difficulty)
        return [
            cell
            for run in self.of(arm)
            for cell in run.cells
            if (cell.is_trained, cell.mode, cell.difficulty) == wanted
        ]

    def success(self, arm: str, mode: GateMode, difficulty: int, *, is_trained: bool) -> Estimate:
        """Mean and interval over seeds."""
        cells = self.cells(arm, mode, difficulty, is_trained=is_trained)
        return estimate([(cell.success,) for cell in cells])

    def gain(
        self, mode: GateMode, difficulty: int, arm: str = RECURSIVE, than: str = SINGLE
    ) -> Estimate:
        """One arm's success minus another one's, both trained, seed by seed."""
        ours, theirs = (
            [(cell.success,) for cell in self.cells(one, mode, difficulty, is_trained=True)]
            for one in (arm, than)
        )
        return difference(ours, theirs)

    def curves(self) -> list[Curve]:
        """Of each arm and curve difficulty; seeds are joined point by point, in their order."""
        return [
            Curve(f"{arm}, {self.comparison.environment.name} {difficulty}", steps)
            for difficulty in self.comparison.curve_difficulties
            for arm in self.arms
            if (steps := self._steps(arm, difficulty))
        ]

    def _steps(self, arm: str, difficulty: int) -> list[Step]:
        rows = [
            [point for point in run.curve if point.difficulty == difficulty] for run in self.of(arm)
        ]
        steps = []
        for points in zip(*rows, strict=False):
            value = estimate([(point.success,) for point in points])
            mean_steps = sum(point.num_steps for point in points) / len(points)
            steps.append(Step(mean_steps, value.mean, value.low, value.high))
        return steps


def _teller(tell: TellArm, arm: str, seed: int) -> Callable[[Phase, int, int], None]:
    return lambda phase, done, total: tell(arm, seed, phase, done, total)
