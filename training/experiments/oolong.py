"""`oolong`: counting over many windows of records: does the reward rise with training?"""

from __future__ import annotations

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
    rises = []
    for arm in results.arms:
        for difficulty in _COMPARISON.eval_difficulties:
            before, after = (
                results.success(arm, GATE, difficulty, is_trained=is_trained)
                for is_trained in (False, True)
            )
            rises.append((arm, after.mean - before.mean))
            gained = f"{100 * (after.mean - before.mean):+.1f}"
            rows.append([arm, str(difficulty), percent(before), percent(after), gained])
    mean = sum(rise for arm, rise in rises if arm == RECURSIVE) / len(_COMPARISON.eval_difficulties)
    claim = judged(results.preset, is_met=mean > 0)
    verdict = (
        f"The recursive agent's mean reward changed by {100 * mean:+.1f} points with training."
        f" Claim: {claim}."
    )
    columns = ["agent", "difficulty", "warm-up", "RL", "difference"]
    grid = Grid(f"Reward in % before and after RL, gate {GATE}", columns, rows, num_names=2)
    return Findings(verdict, [grid, *found.grids], found.notes)


OOLONG = Experiment(
    name="oolong",
    title=f"Oolong: counting over {_NUM_RECORDS} records, seven times the view",
    claim="aggregation far beyond the window; the average reward rises with training",
    comparison=_COMPARISON,
    find=_find,
)
