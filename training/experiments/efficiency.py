"""`efficiency`: environment steps until a target is reached."""

from __future__ import annotations

from collections.abc import Sequence

from training.experiments.algebra import COMPARISON
from training.experiments.comparison import RECURSIVE, SINGLE, Results
from training.experiments.experiment import Experiment, Findings
from training.experiments.report import Grid
from training.experiments.results import ArmResult, Point

TARGETS = (0.5, 0.7, 0.9)
DIFFICULTY = max(COMPARISON.train_difficulties)
_NEVER = "not reached"


def _find(results: Results) -> Findings:
    preset, rows = results.preset, []
    for target in TARGETS:
        for ours, single in zip(results.of(RECURSIVE), results.of(SINGLE), strict=True):
            reached = steps_to(ours, target), steps_to(single, target)
            rows.append(
                [
                    f"{100 * target:.0f} %",
                    str(ours.seed),
                    *(_NEVER if steps is None else str(steps) for steps in reached),
                    _ratio(*reached),
                ]
            )
    columns = ["target", "seed", RECURSIVE, SINGLE, "single / recursive"]
    title = f"Environment steps until success at depth {DIFFICULTY} under the threshold gate"
    ratios = [row[-1] for row in rows if row[-1] != "-"]
    verdict = (
        f"Both agents reached a target after their warm-up in {len(ratios)} of {len(rows)} cases."
    )
    notes = [
        f"A curve has a point every {preset.curve_every_steps} steps.",
        f"A point is the success on {preset.num_curve_tasks} tasks.",
        "Reached is what holds at two points in a row, or at the last one.",
        "Targets that the warm-up alone reached have no ratio.",
    ]
    return Findings(verdict, [Grid(title, columns, rows, num_names=2)], notes)


def steps_to(run: ArmResult, target: float) -> int | None:
    """Environment steps at the first point that is at the target, and whose next one is too."""
    points = [point for point in run.curve if point.difficulty == DIFFICULTY]
    return next(
        (
            point.num_steps
            for place, point in enumerate(points)
            if _holds(points[place : place + 2], target)
        ),
        None,
    )


def _holds(points: Sequence[Point], target: float) -> bool:
    return all(point.success >= target for point in points)


def _ratio(ours: int | None, single: int | None) -> str:
    if not ours or single is None:
        return "-"
    return f"{single / ours:.2f}"


EFFICIENCY = Experiment(
    name="efficiency",
    title="Efficiency: environment steps to a target",
    claim="target performance with 2-3x fewer environment steps",
    comparison=COMPARISON,
    find=_find,
)
