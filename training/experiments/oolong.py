"""`oolong`: counting over many windows of records: does the reward rise with training?"""

from __future__ import annotations

from collections.abc import Sequence

from banyan.evaluation.stats import Estimate, Measures, difference
from training.environments.tally import Tally
from training.experiments.comparison import RECURSIVE, Comparison, Results
from training.experiments.experiment import Experiment, Findings, judged, percent
from training.experiments.report import Grid
from training.experiments.versus import GATE, Versus

_HARDEST = 4
_NUM_RECORDS = 4 << _HARDEST
_COMPARISON = Comparison(
    environment=Tally(),
    train_difficulties=(0, 1, 2, 3),
    eval_difficulties=(0, 1, 2, 3, _HARDEST),
    curve_difficulties=(2, _HARDEST),
    skill_difficulty=0,
)
_VERSUS = Versus(
    difficulty=_HARDEST,
    where=f"{_NUM_RECORDS} records, gate threshold, after RL on up to {_NUM_RECORDS // 2}",
    claimed=0.0,
    notes=[
        "A view holds 9 records; the warm-up teaches to count 4, and to add up two digits.",
        "The records and their labels are ours; no data of Oolong was used.",
    ],
)


def _find(results: Results) -> Findings:
    found, rows = _VERSUS.find(results), []
    for arm in results.arms:
        for difficulty in _COMPARISON.eval_difficulties:
            before, after = (
                results.success(arm, GATE, difficulty, is_trained=is_trained)
                for is_trained in (False, True)
            )
            rise = rise_of(results, arm, (difficulty,))
            rows.append([arm, str(difficulty), *map(percent, (before, after, rise))])
    rise = rise_of(results, RECURSIVE, _COMPARISON.eval_difficulties)
    claim = judged(results.preset, is_met=rise.low > 0)
    verdict = (
        f"The recursive agent's mean reward changed by {percent(rise)} points with training."
        f" Claim: {claim}."
    )
    columns = ["agent", "difficulty", "warm-up", "RL", "difference"]
    grid = Grid(f"Reward in % before and after RL, gate {GATE}", columns, rows, num_names=2)
    return Findings(verdict, [grid, *found.grids], found.notes)


def rise_of(results: Results, arm: str, difficulties: Sequence[int]) -> Estimate:
    """Reward after RL minus before, the mean over difficulties, seed by seed."""
    before, after = (
        _mean_rewards(results, arm, difficulties, is_trained=is_trained)
        for is_trained in (False, True)
    )
    return difference(after, before)


def _mean_rewards(
    results: Results, arm: str, difficulties: Sequence[int], *, is_trained: bool
) -> list[Measures]:
    columns = [
        [cell.success for cell in results.cells(arm, GATE, difficulty, is_trained=is_trained)]
        for difficulty in difficulties
    ]
    return [(sum(rewards) / len(rewards),) for rewards in zip(*columns, strict=True)]


OOLONG = Experiment(
    name="oolong",
    title=f"Oolong: counting over {_NUM_RECORDS} records, seven times the view",
    claim="aggregation far beyond the window; the average reward rises with training",
    comparison=_COMPARISON,
    find=_find,
)
