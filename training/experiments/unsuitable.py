"""`unsuitable`: a chained task, on which there is nothing to divide: what recursion costs there."""

from __future__ import annotations

from collections.abc import Callable

from banyan.evaluation.stats import Measures, difference
from banyan.task import GateMode
from training.environments.chain import Chain
from training.experiments.arm import Agent
from training.experiments.comparison import AGENTS, RECURSIVE, SINGLE, Comparison, Results
from training.experiments.experiment import Experiment, Findings, judged, percent, success_grid
from training.experiments.report import Grid
from training.experiments.results import Cell

DIRECT = "direct"
LONGEST = 16
COMPARISON = Comparison(
    environment=Chain(),
    train_difficulties=(2, 4, 8),
    eval_difficulties=(2, 4, 8, LONGEST),
    curve_difficulties=(8, LONGEST),
    agents=(*AGENTS, Agent(DIRECT, gate="never")),
    skill_difficulty=2,
    enough_skill=0.98,
)
_COMPARED: tuple[tuple[str, GateMode], ...] = (
    (DIRECT, "never"),
    (SINGLE, "threshold"),
    (SINGLE, "always"),
    (RECURSIVE, "threshold"),
    (RECURSIVE, "always"),
)


def _find(results: Results) -> Findings:
    direct = results.success(DIRECT, "never", LONGEST, is_trained=True)
    divided = results.success(RECURSIVE, "always", LONGEST, is_trained=True)
    steps = _mean(results, RECURSIVE, "always", _steps) / _mean(results, DIRECT, "never", _steps)
    gain = difference(*(_successes(results, *one) for one in (_COMPARED[-1], _COMPARED[0])))
    claim = judged(results.preset, is_met=steps > 1 and gain.low <= 0)
    verdict = (
        f"{LONGEST} operations after RL at equal steps of training: direct {percent(direct)} %, "
        f"recursive and always dividing {percent(divided)} % (difference {percent(gain)}), "
        f"for {steps:.1f} times the steps. Claim: {claim}."
    )
    return Findings(verdict, [_cost_grid(results), success_grid(results)], _NOTES)


def _cost_grid(results: Results) -> Grid:
    rows = []
    for arm, mode in _COMPARED:
        success = results.success(arm, mode, LONGEST, is_trained=True)
        per_step = 100 * success.mean / _mean(results, arm, mode, _steps)
        rows.append(
            [
                arm,
                mode,
                percent(success),
                f"{_mean(results, arm, mode, _steps):.1f}",
                f"{_mean(results, arm, mode, lambda cell: cell.num_nodes):.1f}",
                f"{_mean(results, arm, mode, lambda cell: cell.num_waves):.1f}",
                f"{1000 * _mean(results, arm, mode, lambda cell: cell.wall_s):.1f}",
                f"{per_step:.2f}",
            ]
        )
    columns = ["agent", "gate", "success %", "steps", "nodes", "steps in sequence", "ms"]
    columns.append("success per step")
    return Grid(f"A task of {LONGEST} operations, after RL", columns, rows, num_names=2)


def _mean(results: Results, arm: str, mode: GateMode, value_of: Callable[[Cell], float]) -> float:
    """Of the longest chains, over seeds."""
    cells = results.cells(arm, mode, LONGEST, is_trained=True)
    return sum(map(value_of, cells)) / len(cells)


def _successes(results: Results, arm: str, mode: GateMode) -> list[Measures]:
    """Of the longest chains, seed by seed."""
    return [(cell.success,) for cell in results.cells(arm, mode, LONGEST, is_trained=True)]


def _steps(cell: Cell) -> float:
    return cell.num_steps


_NOTES = [
    "`direct` never divides, in training and after it; the others may, and learn when.",
    "All have the same warm-up, up to chains of 2, and the same steps of training.",
    "The window shows one operation, so nothing that is seen says how long the chain is.",
    "ms: wall time of a task on this machine, all tasks of a cell in one batch.",
    "The parts share one value and wait for one another: nothing runs at once.",
]

UNSUITABLE = Experiment(
    name="unsuitable",
    title="Unsuitable: chains, where each step needs the one before",
    claim="recursion loses: no more success, for more steps",
    comparison=COMPARISON,
    find=_find,
)
