"""Display: the progress of an evaluation on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from banyan.evaluation.code import code_mark
from banyan.evaluation.command import Hooks
from banyan.evaluation.records import Record
from banyan.evaluation.sets import measure_of
from banyan.local.up import Step


@contextmanager
def progress_bars(console: Console) -> Iterator[Hooks]:
    """One bar a set on a terminal; elsewhere a line for each answer."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}", style="dim"),
    )
    earlier = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: Step) -> None:
            bars.console.print(f"{step.part:<9} {step.detail}", style="dim", markup=False)

        def begin(name: str, total: int) -> None:
            tasks[name] = bars.add_task(name, total=total, last="")

        def record(one: Record) -> None:
            nonlocal earlier
            earlier += one.code != code_mark()
            line = describe(one)
            bars.update(tasks[one.set], advance=1, last=line)
            if not console.is_terminal:
                console.print(f"{one.set} {line}", markup=False, highlight=False, soft_wrap=True)

        yield Hooks(report, begin, record)
    if earlier:
        console.print(
            f"{earlier} of these answers were made before the code changed; --fresh asks again.",
            style="yellow",
            soft_wrap=True,
        )


def describe(record: Record) -> str:
    """`banyan qa1-2k-0 100.0 in 12.3 s`, or why there is no answer."""
    answered = record.answered
    outcome = (
        answered.error if answered.status == "failed" else measure_of(record.set).show(record.score)
    )
    return f"{record.system} {record.item} {outcome} in {answered.seconds:.1f} s"
