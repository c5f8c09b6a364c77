"""Report: the judging of citations as the command line runs it."""

from __future__ import annotations

from rich.console import Console

from banyan.evaluation.plan import Plan
from banyan.evaluation.support.command import judge_citations, lines_of
from banyan.evaluation.support.result import Judgement, Support
from banyan.local.stop_signal import StopSignal
from banyan.local.up import Step

__all__ = ["lines_of", "run"]

_WORDS = {True: "yes", False: "no", None: "no verdict"}


def run(plan: Plan, num_samples: int, console: Console) -> Support:
    """Judge with a line for each part that starts and each judgement; raises as the judging."""

    def report(step: Step) -> None:
        console.print(f"{step.part:<9} {step.detail}", style="dim", markup=False)

    def tell(one: Judgement) -> None:
        verdict = _WORDS[one.supported] if one.log_odds is None else f"{one.log_odds:+.2f}"
        line = f"{one.kind} {one.item} {verdict}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    with StopSignal() as stop:
        return judge_citations(plan, num_samples, report=report, on_judgement=tell, stop=stop)
