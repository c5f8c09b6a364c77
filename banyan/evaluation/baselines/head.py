"""Head: one call over the beginning of the text, as much of it as fits."""

from __future__ import annotations

from banyan.evaluation.baselines.fitting import CHARS_PER_TOKEN, largest
from banyan.evaluation.baselines.job import Job, Reply


async def head(job: Job) -> Reply:
    """Truncate at the window's end: not one more character of the text would fit."""

    async def left(size: int) -> int:
        return await job.left(job.single(job.text[:size]))

    guess = int(CHARS_PER_TOKEN * job.calls.window)
    size = await largest(len(job.text), guess, left)
    return Reply(await job.answer(job.single(job.text[:size])), ((0, size),))
