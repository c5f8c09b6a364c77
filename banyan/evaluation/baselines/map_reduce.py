"""Map-reduce, flat: every chunk is asked the goal in parallel, and the results are combined.

Where the results exceed the window, neighbours are combined first, again and again, until they
fit: the collapse step of LangChain's map-reduce chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from banyan.errors import PromptTooLong
from banyan.evaluation.baselines.chunks import chunks
from banyan.evaluation.baselines.fitting import largest
from banyan.evaluation.baselines.job import Job, Reply
from banyan.evaluation.baselines.prompts import NOTHING, Messages, collapse, combine, part
from banyan.evaluation.baselines.whole import whole

_LEAST_PART_TOKENS = 64
"""A part's result gives facts for its combination, even where the answer is a word."""


async def map_reduce(job: Job) -> Reply:
    """Map, collapse as often as needed, reduce. A text that fits is read in one call."""
    reply = await whole(job)
    if reply is not None:
        return reply

    async def left(chunk: str) -> int:
        return await job.calls.left(part(chunk, job.goal), _part_tokens(job))

    ranges = await chunks(job.text, left)
    mapped = await _all(job, [part(job.text[a:b], job.goal) for a, b in ranges])
    results = [result for result in mapped if not _is_nothing(result)] or mapped
    while await job.left(_combine(job, results)) < 0:
        results = await _collapsed(job, results)
    return Reply(await job.answer(_combine(job, results)), tuple(ranges))


def _part_tokens(job: Job) -> int:
    """At most an eighth of the window, so that several results fit together."""
    wanted = max(_LEAST_PART_TOKENS, job.question.answer_tokens)
    return min(wanted, job.calls.window // 8)


def _combine(job: Job, results: Sequence[str]) -> Messages:
    return combine(results, job.goal, job.question.answer_schema)


def _is_nothing(result: str) -> bool:
    return result.strip(" .\"'*`\n").upper() in {"", NOTHING}


async def _collapsed(job: Job, results: Sequence[str]) -> list[str]:
    """Neighbours combined in groups as large as fit. Raises PromptTooLong where no two fit."""
    groups: list[Sequence[str]] = []
    rest = results
    while rest:
        size = max(1, await _group_size(job, rest))
        groups.append(rest[:size])
        rest = rest[size:]
    if len(groups) == len(results):
        raise PromptTooLong("the window has no room for two parts' results beside the task")
    several = [group for group in groups if len(group) > 1]
    combined = iter(await _all(job, [collapse(group, job.goal) for group in several]))
    return [next(combined) if len(group) > 1 else group[0] for group in groups]


async def _group_size(job: Job, results: Sequence[str]) -> int:
    async def left(size: int) -> int:
        return await job.calls.left(collapse(results[:size], job.goal), _part_tokens(job))

    return await largest(len(results), len(results), left)


async def _all(job: Job, prompts: Sequence[Messages]) -> list[str]:
    """Ask all at once, as far as `Calls` lets them; the first error cancels the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(job.calls.ask(messages, max_tokens=_part_tokens(job)))
                for messages in prompts
            ]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]
