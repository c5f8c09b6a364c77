"""Head and tail: one call over the beginning and the end of the text, half of the room each."""

from __future__ import annotations

from banyan.evaluation.baselines.fitting import CHARS_PER_TOKEN, largest
from banyan.evaluation.baselines.job import Job, Reply
from banyan.evaluation.baselines.prompts import GAP
from banyan.evaluation.baselines.whole import whole


async def head_tail(job: Job) -> Reply:
    """Leave out the middle. A text that fits is read as a whole."""
    reply = await whole(job)
    if reply is not None:
        return reply
    text = job.text
    half = max(0, await job.left(job.single(GAP))) // 2
    guess = int(CHARS_PER_TOKEN * half)

    async def left_by_head(size: int) -> int:
        return await job.left(job.single(text[:size] + GAP)) - half

    head = await largest(len(text), guess, left_by_head)

    async def left_by_tail(size: int) -> int:
        return await job.left(job.single(text[:head] + GAP + text[len(text) - size :]))

    tail = await largest(len(text) - head, guess, left_by_tail)
    start = len(text) - tail
    shown = text[:head] + GAP + text[start:]
    return Reply(await job.answer(job.single(shown)), ((0, head), (start, len(text))))
