"""JSON that ended too early: closed behind the last whole item of a list. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_CLOSERS = {"{": "}", "[": "]"}


@dataclass(slots=True)
class _Open:
    """An object or a list that has not been closed; `end`: behind the list's last whole item."""

    bracket: str
    end: int | None = None


def closed(text: str) -> str | None:
    """`text` up to the last whole item of its outermost unfinished list that has one, closed there.

    None where there is no such list. An item is whole once what follows it was written, since
    numbers and words may go on.
    """
    unfinished: list[_Open] = []
    for position, char in _outside_strings(text):
        if char in _CLOSERS:
            unfinished.append(_Open(char))
        elif char in "]}" and unfinished:
            unfinished.pop()
            _note(unfinished, position + 1)
        elif char == ",":
            _note(unfinished, position)
    for depth, one in enumerate(unfinished, 1):
        if one.end is not None:
            closers = (_CLOSERS[outer.bracket] for outer in reversed(unfinished[:depth]))
            return text[: one.end] + "".join(closers)
    return None


def _note(unfinished: list[_Open], end: int) -> None:
    if unfinished and unfinished[-1].bracket == "[":
        unfinished[-1].end = end


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Each character that is in no string, and where it stands."""
    is_inside = is_escaped = False
    for position, char in enumerate(text):
        if not is_inside:
            if char != '"':
                yield position, char
            is_inside = char == '"'
        elif is_escaped:
            is_escaped = False
        elif char == "\\":
            is_escaped = True
        elif char == '"':
            is_inside = False
