"""`memory`: a question about what was seen on another page, with notes and without."""

from __future__ import annotations

from pathlib import Path

from banyan.evaluation.stats import Measures, difference
from banyan.task import GateMode
from training.environments.recall import Recall
from training.experiments.comparison import RECURSIVE, Comparison, Results, TellArm
from training.experiments.experiment import (
    command_of,
    percent,
    runs_grid,
    seed_notes,
    success_grid,
)
from training.experiments.preset import Preset
from training.experiments.report import Grid, Report
from training.experiments.versus import GATE, NOTES, costs

_MOST_FACTS = 8
_SAMPLED: GateMode = "sampled"
"""Where words are drawn: the likeliest ones may do the same thing forever."""


def _comparison(*, has_memory: bool) -> Comparison:
    return Comparison(
        environment=Recall(has_memory=has_memory),
        train_difficulties=(1, 2, 4),
        eval_difficulties=(1, 2, 4, _MOST_FACTS),
        curve_difficulties=(4, _MOST_FACTS),
        skill_difficulty=0,
    )


WITH, WITHOUT = _comparison(has_memory=True), _comparison(has_memory=False)


class Memory:
    name = "memory"
    title = "Memory: a fact of an earlier page, with notes and without"
    claim = "working memory across turns and children, on and off (no figure is claimed)"

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report:
        """Both agents in both worlds. Raises OtherRun and BadCheckpoint."""
        with_, without = (one.run(preset, folder, tell) for one in (WITH, WITHOUT))
        notes = [
            *NOTES,
            "Without memory the same actions are offered and cost their step, but nothing is kept.",
            "The warm-up teaches to answer with what was found, not to note and not to search.",
            "One answer of four is right by chance.",
            *seed_notes(preset),
        ]
        return Report(
            name=self.name,
            title=self.title,
            claim=self.claim,
            command=command_of(self.name, preset),
            verdict=_verdict(with_, without),
            notes=notes,
            grids=[grid for one in (with_, without) for grid in _grids(one)],
            curves=[curve for one in (with_, without) for curve in one.curves()],
        )


def _verdict(with_: Results, without: Results) -> str:
    told = ", and ".join(_compared(with_, without, mode) for mode in (GATE, _SAMPLED))
    return f"{_MOST_FACTS} facts after RL on up to 4, the recursive agent: {told}."


def _compared(with_: Results, without: Results, mode: GateMode) -> str:
    on, off = (
        one.success(RECURSIVE, mode, _MOST_FACTS, is_trained=True) for one in (with_, without)
    )
    gain = difference(*(_successes(one, mode) for one in (with_, without)))
    return (
        f"gate {mode}, with notes {percent(on)} %, without {percent(off)} %"
        f" (difference {percent(gain)} points)"
    )


def _successes(results: Results, mode: GateMode) -> list[Measures]:
    """Of the recursive agent, seed by seed."""
    cells = results.cells(RECURSIVE, mode, _MOST_FACTS, is_trained=True)
    return [(cell.success,) for cell in cells]


def _grids(results: Results) -> list[Grid]:
    return [success_grid(results), costs(results, _MOST_FACTS), runs_grid(results)]


MEMORY = Memory()
