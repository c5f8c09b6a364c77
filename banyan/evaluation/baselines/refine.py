"""Refine: a window that slides over the text in sequence, and a running answer.

Every chunk is read once, in order, beside the answer so far, which is written anew each time. It
is the `refine` chain of LangChain and LlamaIndex; a chunk is as large as the actual answer so far
lets it be.
"""

from __future__ import annotations

from banyan.evaluation.baselines.chunks import next_chunk
from banyan.evaluation.baselines.fitting import MAX_CHARS_PER_TOKEN
from banyan.evaluation.baselines.job import Job, Reply
from banyan.evaluation.baselines.prompts import Messages, finish
from banyan.evaluation.baselines.prompts import refine as refine_prompt
from banyan.evaluation.baselines.source import Range
from banyan.evaluation.baselines.whole import whole

_LEAST_NOTES_TOKENS = 128
"""The answer so far holds facts that a later part may need, even where the answer is a word."""


async def refine(job: Job) -> Reply:
    """Read on until the rest fits beside the answer so far, then answer."""
    reply = await whole(job)
    if reply is not None:
        return reply
    notes, start = "", 0
    read: list[Range] = []
    while not (notes and await _is_last(job, notes, start)):
        end = await _chunk_end(job, notes, start)
        messages = refine_prompt(notes, job.text[start:end], job.goal)
        notes = await job.calls.ask(messages, max_tokens=_notes_tokens(job)) or "(nothing)"
        read.append((start, end))
        start = end
    answer = await job.answer(_last(job, notes, start))
    return Reply(answer, (*read, (start, len(job.text))))


def _notes_tokens(job: Job) -> int:
    wanted = max(_LEAST_NOTES_TOKENS, job.question.answer_tokens)
    return min(wanted, job.calls.window // 4)


def _last(job: Job, notes: str, start: int) -> Messages:
    return finish(notes, job.text[start:], job.goal, job.question.answer_schema)


async def _is_last(job: Job, notes: str, start: int) -> bool:
    if len(job.text) - start > MAX_CHARS_PER_TOKEN * job.calls.window:
        return False
    return await job.left(_last(job, notes, start)) >= 0


async def _chunk_end(job: Job, notes: str, start: int) -> int:
    async def left(chunk: str) -> int:
        messages = refine_prompt(notes, chunk, job.goal)
        return await job.calls.left(messages, _notes_tokens(job))

    end = await next_chunk(job.text, start, left)
    if end < len(job.text):
        return end
    # The rest fits here but not beside the last call's longer reply: leave half of it to that.
    return start + max(1, (len(job.text) - start) // 2)
