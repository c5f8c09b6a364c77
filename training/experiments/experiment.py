"""Experiment: a claim, the runs that test it, and the tables that say what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from banyan.evaluation.stats import Estimate
from training.experiments.comparison import Comparison, Results, TellArm
from training.experiments.measuring import MODES
from training.experiments.preset import Preset
from training.experiments.report import Grid, Report

MIN_SEEDS = 5
"""Fewer say nothing that holds (RAO section 6)."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an experiment makes of the runs. Verdict and notes are sentences."""

    verdict: str
    grids: list[Grid]
    notes: list[str]


class Measurable(Protocol):
    """What has a name, and a report to measure."""

    @property
    def name(self) -> str: ...

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report: ...


@dataclass(frozen=True, slots=True)
class Experiment:
    """Experiments over the same comparison share its runs."""

    name: str
    title: str
    claim: str
    comparison: Comparison
    find: Callable[[Results], Findings]

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report:
        """Run what has not been run, below `folder`. Raises OtherRun and BadCheckpoint."""
        return self.report(self.comparison.run(preset, folder, tell))

    def report(self, results: Results) -> Report:
        preset, found = results.preset, self.find(results)
        return Report(
            name=self.name,
            title=self.title,
            claim=self.claim,
            command=command_of(self.name, preset),
            verdict=found.verdict,
            notes=[*found.notes, *seed_notes(preset)],
            grids=[*found.grids, runs_grid(results)],
            curves=results.curves(),
        )


def seed_notes(preset: Preset) -> list[str]:
    """A note where the seeds are too few."""
    if preset.num_seeds >= MIN_SEEDS:
        return []
    few = f"{preset.num_seeds} of at least {MIN_SEEDS} seeds"
    return [f"{few}: this shows that it runs, and proves nothing."]


def judged(preset: Preset, *, is_met: bool) -> str:
    """What a verdict says of a claim."""
    if preset.num_seeds < MIN_SEEDS:
        return "too few seeds to judge"
    return "met" if is_met else "not met"


def command_of(name: str, preset: Preset) -> str:
    """What measures this again."""
    return (
        f"banyan-train experiment {name} --preset {preset.name}"
        f" --seeds {preset.num_seeds} --steps {preset.num_steps}"
    )


def success_grid(results: Results) -> Grid:
    """Every agent, untrained and trained, under every gate mode, at every difficulty."""
    difficulties = results.comparison.eval_difficulties
    rows = [
        [
            arm,
            "RL" if is_trained else "warm-up",
            mode,
            *(
                percent(results.success(arm, mode, difficulty, is_trained=is_trained))
                for difficulty in difficulties
            ),
        ]
        for arm in results.arms
        for is_trained in (False, True)
        for mode in MODES
    ]
    name = results.comparison.environment.name
    columns = ["agent", "after", "gate", *map(str, difficulties)]
    return Grid(f"Success in % by difficulty of {name}", columns, rows, num_names=3)


def runs_grid(results: Results) -> Grid:
    """What was run, arm by arm and seed by seed."""
    rows = [
        [
            run.arm,
            str(run.seed),
            f"{run.num_parameters / 1e6:.2f}",
            f"{100 * run.base_skill:.1f}",
            str(run.num_steps),
            f"{run.train_s:.0f}",
            f"{run.num_steps / run.train_s:.0f}" if run.train_s else "-",
        ]
        for run in results.runs
    ]
    columns = ["agent", "seed", "M parameters", "base skill %", "steps", "s", "steps/s"]
    return Grid("Runs", columns, rows)


def percent(value: Estimate) -> str:
    """`87.0 (81.5-91.0)`; without an interval where there is one seed alone."""
    mean = f"{100 * value.mean:.1f}"
    if value.n == 1:
        return mean
    return f"{mean} ({100 * value.low:.1f}-{100 * value.high:.1f})"
