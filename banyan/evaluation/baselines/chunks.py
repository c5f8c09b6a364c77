"""Chunks: a text cut one piece after the other, each as large as fits, on structural boundaries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from banyan.boundaries import DEFAULT_ORDER, nearest
from banyan.errors import PromptTooLong
from banyan.evaluation.baselines.fitting import CHARS_PER_TOKEN, largest
from banyan.evaluation.baselines.source import Range

REACH = 0.25
"""How far a cut may move back from where a chunk is full, as a share of the chunk."""
_SLACK = 16
"""A chunk that leaves at most this many tokens free is full enough."""

LeftBeside = Callable[[str], Awaitable[int]]
"""Tokens that a chunk's prompt leaves free; negative where it does not fit."""


async def chunks(text: str, left: LeftBeside) -> list[Range]:
    """Cut the whole of `text`, without gap or overlap. Raises PromptTooLong."""
    found: list[Range] = []
    start = 0
    while start < len(text):
        end = await next_chunk(text, start, left)
        found.append((start, end))
        start = end
    return found


async def next_chunk(text: str, start: int, left: LeftBeside) -> int:
    """Where the chunk that begins at `start` ends. Raises PromptTooLong where nothing fits."""

    async def left_by(size: int) -> int:
        return await left(text[start : start + size])

    guess = int(CHARS_PER_TOKEN * max(0, await left("")))
    size = await largest(len(text) - start, guess, left_by, slack=_SLACK)
    if not size:
        raise PromptTooLong("the window has no room for any text beside the task")
    return cut_back(text, start, start + size)


def pieces(text: str, num_chars: int) -> list[Range]:
    """Cut the whole of `text` into chunks of at most `num_chars` code points, uncounted."""
    found: list[Range] = []
    start = 0
    while start < len(text):
        end = cut_back(text, start, min(len(text), start + max(1, num_chars)))
        found.append((start, end))
        start = end
    return found


def cut_back(text: str, start: int, end: int) -> int:
    """The last of the best boundaries near the end of `[start, end)`; `end` without any."""
    if end >= len(text):
        return end
    low = max(start + 1, end - int(REACH * (end - start)))
    for ranks in DEFAULT_ORDER:
        position = nearest(text, low, end, end, ranks)
        if position is not None:
            return position
    return end
