"""Run: every item by every system, each answer scored and written down before the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from banyan.evaluation.code import code_mark
from banyan.evaluation.item import Item
from banyan.evaluation.plan import Plan
from banyan.evaluation.question import System
from banyan.evaluation.records import Journal, Record, fingerprint
from banyan.evaluation.systems import Cast

OnRecord = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One item for one system."""

    item: Item
    system: System
    mark: str


async def run_set(
    name: str,
    items: Sequence[Item],
    *,
    plan: Plan,
    cast: Cast,
    journal: Journal,
    on_record: OnRecord,
) -> list[Record]:
    """The records of all items, in their order; those in the journal are not asked again.

    An item goes through all systems before the next one starts, so that what was run when the
    user stops can be compared.
    """
    jobs = [
        Job(item, system, fingerprint(_settings(plan, cast, system), item.question))
        for item in items
        for system in cast.of(name)
    ]
    done: dict[int, Record] = {}
    left = iter(enumerate(jobs))

    async def work() -> None:
        for index, job in left:
            record = None if plan.fresh else journal.find(job.system.name, job.mark)
            if record is None or not record.stands:
                record = await _ask(name, job, plan, cast)
                journal.add(record)
            done[index] = record
            on_record(record)

    async with asyncio.TaskGroup() as group:
        for _ in range(plan.parallel):
            group.create_task(work())
    return [done[index] for index in range(len(jobs))]


async def _ask(name: str, job: Job, plan: Plan, cast: Cast) -> Record:
    question = job.item.question
    input_tokens = await cast.tokens.of(question)
    answered = await job.system.answer(question)
    score = await asyncio.to_thread(job.item.grade, answered)
    return Record(
        set=name,
        system=job.system.name,
        item=question.id,
        bucket=question.bucket,
        fingerprint=job.mark,
        code=code_mark(),
        settings=_settings(plan, cast, job.system),
        input_tokens=input_tokens,
        score=score.value,
        parts=dict(score.parts),
        answered=answered,
        engine_peak_bytes=cast.engine_peak_bytes(),
        at=time.time(),
    )


def _settings(plan: Plan, cast: Cast, system: System) -> dict[str, JsonValue]:
    """What an answer of `system` depends on beside the question."""
    return {"model": cast.model, "window": plan.window, **system.settings}
