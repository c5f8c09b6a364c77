"""`gate`: success for what is spent, by the mode of the gate."""

from __future__ import annotations

from training.experiments.algebra import COMPARISON, DEEPEST
from training.experiments.comparison import RECURSIVE, Results
from training.experiments.experiment import Experiment, Findings, percent
from training.experiments.measuring import MODES
from training.experiments.report import Grid

_DEPTHS = (2, 4, DEEPEST)


def _find(results: Results) -> Findings:
    rows, best = [], []
    for depth in _DEPTHS:
        per_step = {}
        for is_trained in (False, True):
            for mode in MODES:
                value = results.success(RECURSIVE, mode, depth, is_trained=is_trained)
                cells = results.cells(RECURSIVE, mode, depth, is_trained=is_trained)
                steps = sum(cell.num_steps for cell in cells) / len(cells)
                if is_trained:
                    per_step[mode] = value.mean / steps
                rows.append(
                    [
                        str(depth),
                        "RL" if is_trained else "warm-up",
                        mode,
                        percent(value),
                        f"{steps:.1f}",
                        f"{100 * value.mean / steps:.2f}",
                    ]
                )
        top = max(per_step, key=per_step.__getitem__)
        best.append(f"{top if per_step[top] else 'none'} at depth {depth}")
    columns = ["depth", "after", "gate", "success %", "steps", "success per 100 steps"]
    grid = Grid("The recursive agent under each gate mode", columns, rows, num_names=3)
    verdict = f"After RL, most success for the steps spent: {', '.join(best)}."
    notes = [
        "A step is one action of one node; views are of one size, so tokens go with steps.",
        "One answer of ten is right by chance, which is what `never` lives on.",
    ]
    return Findings(verdict, [grid], notes)


GATE = Experiment(
    name="gate",
    title="Gate: always, never, sampled and threshold on the same tasks",
    claim="reward per token spent, by gate mode (no figure is claimed)",
    comparison=COMPARISON,
    find=_find,
)
