"""Versus: what a recursive agent and a single one reach at one difficulty, beside what is claimed.

Every experiment that is such a comparison says the same in the same words: success after RL as the
policy is served, whether the claim is met, every agent under every gate mode, and a task's cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from banyan.task import GateMode
from training.experiments.comparison import RECURSIVE, SINGLE, Results
from training.experiments.experiment import Findings, judged, percent, success_grid
from training.experiments.measuring import MODES
from training.experiments.report import Grid
from training.experiments.results import Cell

GATE: GateMode = "threshold"
"""How a policy is served."""


@dataclass(frozen=True, slots=True)
class Versus:
    """`claimed` is the least success of the recursive agent; it has to beat the single one too.

    `claimed_speed_up` is over the single agent, by steps in sequence where everything is divided.
    """

    difficulty: int
    where: str
    """The difficulty in words, as the verdict begins."""
    claimed: float
    claimed_speed_up: float | None = None
    notes: Sequence[str] = ()

    def find(self, results: Results) -> Findings:
        ours = results.success(RECURSIVE, GATE, self.difficulty, is_trained=True)
        single = results.success(SINGLE, GATE, self.difficulty, is_trained=True)
        gain = results.gain(GATE, self.difficulty)
        verdict = (
            f"{self.where}: recursive {percent(ours)} %, "
            f"single {percent(single)} %, difference {percent(gain)} points."
        )
        is_met = ours.mean >= self.claimed and gain.low > 0
        if self.claimed_speed_up is not None:
            speed_up = self.speed_up(results)
            verdict += f" Where both divide everything, {speed_up:.2f} times as fast."
            is_met = is_met and speed_up >= self.claimed_speed_up
        claim = judged(results.preset, is_met=is_met)
        grids = [success_grid(results), costs(results, self.difficulty)]
        return Findings(f"{verdict} Claim: {claim}.", grids, [*NOTES, *self.notes])

    def speed_up(self, results: Results) -> float:
        """Steps in sequence of the single agent over those of the recursive one, after RL."""
        ours, single = (
            [
                cell.num_waves
                for cell in results.cells(arm, "always", self.difficulty, is_trained=True)
            ]
            for arm in (RECURSIVE, SINGLE)
        )
        return sum(single) / sum(ours)


def costs(results: Results, difficulty: int) -> Grid:
    """What a task takes after RL: each agent under each mode of the gate."""
    rows = []
    for arm in results.arms:
        for mode in MODES:
            cells = results.cells(arm, mode, difficulty, is_trained=True)
            rows.append([arm, mode, *(f"{value:.1f}" for value in _means(cells))])
    columns = ["agent", "gate", "steps", "nodes", "steps in sequence"]
    environment = results.comparison.environment.name
    title = f"Cost of a task at difficulty {difficulty} of {environment}, after RL"
    return Grid(title, columns, rows, num_names=2)


def _means(cells: Sequence[Cell]) -> list[float]:
    """Over seeds: steps, nodes, waves."""
    columns = (
        [cell.num_steps for cell in cells],
        [cell.num_nodes for cell in cells],
        [cell.num_waves for cell in cells],
    )
    return [sum(values) / len(cells) for values in columns]


NOTES = (
    "An interval is the 95 % bootstrap over seeds, each with a warm-up of its own.",
    "All are measured on the same tasks, which training never saw.",
    "Words are the likeliest ones, but under `sampled`, where they are drawn.",
    "`always` after the warm-up is what the structure brings without RL.",
    "The single agent has that structure too: it reads the parts in sequence, in the same view.",
)
