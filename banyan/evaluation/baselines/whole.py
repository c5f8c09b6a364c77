"""Whole: one call over all of a text that fits. No method has a reason to cut such a text."""

from __future__ import annotations

from banyan.evaluation.baselines.fitting import MAX_CHARS_PER_TOKEN
from banyan.evaluation.baselines.job import Job, Reply


async def whole(job: Job) -> Reply | None:
    """The answer in one call; None where the text does not fit."""
    if len(job.text) > MAX_CHARS_PER_TOKEN * job.calls.window:
        return None  # not even counted
    messages = job.single(job.text)
    if job.text and await job.left(messages) < 0:
        return None
    return Reply(await job.answer(messages), ((0, len(job.text)),))
