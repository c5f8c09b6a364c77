"""Report: an evaluation as the command line runs and tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from banyan.evaluation.command import evaluate
from banyan.evaluation.display import progress_bars
from banyan.evaluation.plan import Plan
from banyan.evaluation.summary import Summary
from banyan.evaluation.table import render
from banyan.local.stop_signal import StopSignal


def run(plan: Plan, console: Console) -> list[Summary]:
    """Evaluate with progress on `console`; raises as `evaluate`."""
    with StopSignal() as stop, progress_bars(console) as hooks:
        return evaluate(plan, hooks, stop)


def show(console: Console, plan: Plan, summaries: Sequence[Summary]) -> None:
    """The tables, and where the files are."""
    for summary in summaries:
        console.print(render(summary))
        console.print()
    console.print(f"records, summaries and plots: {plan.out}", markup=False, soft_wrap=True)


def as_json(plan: Plan, summaries: Sequence[Summary]) -> str:
    """One object: the plan, and each set's summary."""
    return json.dumps(
        {
            "plan": {name: _plain(value) for name, value in asdict(plan).items()},
            "sets": [summary.model_dump(mode="json") for summary in summaries],
        }
    )


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | tuple | None) else str(value)
