"""Command: an evaluation from its plan to the files it leaves; what `banyan eval` calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from banyan.evaluation.item import Item
from banyan.evaluation.language.systems import check, notes
from banyan.evaluation.plan import BOOKS, Plan
from banyan.evaluation.plot import write_plot
from banyan.evaluation.records import Journal, Record
from banyan.evaluation.run import run_set
from banyan.evaluation.selection import select
from banyan.evaluation.sets import load_set, measure_of
from banyan.evaluation.stage import Stage, open_stage
from banyan.evaluation.summary import Summary, summarise
from banyan.evaluation.systems import chosen_baselines, open_systems
from banyan.local.errors import Interrupted
from banyan.local.stop_signal import StopSignal
from banyan.local.up import Report

_POLL_S = 0.2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a caller hears: the parts that start, how many answers there will be, and each one."""

    report: Report
    begin: Callable[[str, int], None]
    record: Callable[[Record], None]


def evaluate(plan: Plan, hooks: Hooks, stop: StopSignal) -> list[Summary]:
    """Run `plan`; its records, plots and summaries are in `plan.out`.

    Raises Missing, Unknown, and what the all-in-one raises; Interrupted at a signal. All that was
    answered before an error is on the disk, and is not asked again.
    """
    plan = replace(plan, baselines=chosen_baselines(plan.baselines))
    check(plan)
    chosen = {
        name: select(
            load_set(name, plan.data), limit=plan.limit, buckets=plan.buckets, seed=plan.seed
        )
        for name in dict.fromkeys(plan.sets)
    }
    with open_stage(plan, report=hooks.report, stop=stop) as stage:
        return asyncio.run(guarded(_run(plan, chosen, stage, hooks), stage, stop))


async def _run(
    plan: Plan, chosen: dict[str, list[Item]], stage: Stage, hooks: Hooks
) -> list[Summary]:
    summaries = []
    async with open_systems(plan, stage) as cast:
        for name, items in chosen.items():
            hooks.begin(name, len(items) * len(cast.of(name)))
            with Journal(plan.out / f"{name}.jsonl") as journal:
                records = await run_set(
                    name,
                    items,
                    plan=plan,
                    cast=cast,
                    journal=journal,
                    on_record=hooks.record,
                )
            summaries.append(await asyncio.to_thread(_write, plan, name, records))
    return summaries


def _write(plan: Plan, name: str, records: Sequence[Record]) -> Summary:
    summary = summarise(
        name,
        records,
        seed=plan.seed,
        measure=measure_of(name),
        notes=notes(plan) if name == BOOKS else (),
    )
    write_plot(summary, plan.out / f"{name}.png")
    (plan.out / f"{name}.json").write_text(summary.model_dump_json(indent=2) + "\n")
    return summary


async def guarded(work: Coroutine[Any, Any, T], stage: Stage, stop: StopSignal) -> T:
    """The result of `work`; ends it where a part dies (Died) or a signal comes (Interrupted)."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_S)
            if not task.done():
                stage.check()
                if stop.event.is_set():
                    raise Interrupted("stopped", hint="The same command goes on with what is left.")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    error = task.exception()
    if error is not None:
        stage.check()  # the end of a part explains best what its callers saw of it
        raise _alone(error)
    return task.result()


def _alone(error: BaseException) -> BaseException:
    """The error itself where it is the only one of its group."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
