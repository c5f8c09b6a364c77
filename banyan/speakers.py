"""Speakers: the lines of a transcript at which somebody begins to speak. Pure, in linear time.

A turn begins with a name and a colon, with or without a time: `Ann: text`, `[00:12:03] Ann Lee:`,
`SPEAKER 1 (12:03):`, `**Ann:**`. The lines below it, up to the next, belong to the turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# It begins with a literal newline because the regular expression engine looks for that fast.
TURN = re.compile(
    r"""
    \n[ \t]{0,8}+(?:>>[ ]?+)?(?:\*\*)?
    (?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])]?[ \t]{1,4}(?:-[ ])?(?:\*\*)?)?
    (?P<name>[^\W\d_][\w.'\u2019&-]{0,30}+(?:[ ][\w.'\u2019&\#-]{1,30}+){0,4}+)
    (?:[ ]?[\[(][^\])\r\n]{1,30}+[\])])?
    (?:\*\*)?[ ]?(?::(?=[\s*]|\Z)|\uff1a)
    """,
    re.VERBOSE,
)

_FEWEST_TURNS = 5
_LEAST_SHARE_OF_LINES = 0.05
"""Of a transcript's lines, those that begin a turn; one speaker may hold out for a page."""
_MOST_NAMES_PER_TURN = 0.6
_SHORTEST_FORM = 3
"""Keys that come round in a fixed order of at least so many are a form's, not speakers."""


def turns(text: str, low: int, high: int, context: int) -> Iterator[int]:
    """The places in `[low, high]` where a turn begins, read with `context` code points around."""
    for match in TURN.finditer(text, max(0, low - context), high + context):
        start = match.start() + 1
        if low <= start <= high and _is_name(match["name"]):
            yield start


def is_transcript(text: str) -> bool:
    """Whether several people speak in turn in `text`, the beginning of a document.

    Prose with a colon here and there has too few such lines, a list of keys names each of them
    once, and records of `key: value` lines repeat their keys in one order.
    """
    names = [match["name"] for match in TURN.finditer(f"\n{text}") if _is_name(match["name"])]
    num_lines = sum(1 for line in text.splitlines() if line.strip())
    return (
        len(names) >= _FEWEST_TURNS
        and 2 <= len(set(names)) <= _MOST_NAMES_PER_TURN * len(names)
        and len(names) >= _LEAST_SHARE_OF_LINES * num_lines
        and not _is_form(names)
    )


def _is_name(words: str) -> bool:
    """Not the beginning of a sentence: `Marieke van der Berg`, but not `He had one rule`."""
    are_small = [word[0].islower() for word in words.split()]
    return not are_small[0] and sum(are_small) <= len(are_small) / 2


def _is_form(names: Sequence[str]) -> bool:
    period = next((n for n in range(1, len(names)) if names[n] == names[0]), len(names))
    return period >= _SHORTEST_FORM and all(
        name == names[index % period] for index, name in enumerate(names)
    )
