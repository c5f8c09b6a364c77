"""Lines that begin alike, as those of a log or of an exported list do, behind a preamble. Pure."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"\d+")
_FEWEST_LINES = 8
_MOST_PREAMBLE_CHARS = 2_000
_MOST_MARK_CHARS = 40


def preamble_chars(text: str, *, is_whole: bool) -> int | None:
    """How much stands before the lines that all begin alike, up to the end of `text`.

    None where it does not end with such lines, or they are too few. `is_whole`: its last line is
    not cut off. Linear.
    """
    lines = text.splitlines(keepends=True)
    start = len(text)
    if lines and not is_whole:
        start -= len(lines.pop())
    mark: str | None = None
    num_alike, preamble = 0, start
    for line in reversed(lines):
        start -= len(line)
        if not line.strip():
            continue
        current = _mark(line)
        if current is None or (mark is not None and current != mark):
            break
        mark, preamble = current, start
        num_alike += 1
    is_list = num_alike >= _FEWEST_LINES and preamble <= _MOST_PREAMBLE_CHARS
    return preamble if is_list else None


def _mark(line: str) -> str | None:
    """How `line` begins, whatever its numbers; None where it begins with a mere word."""
    first = line[: _MOST_MARK_CHARS + 1].split(maxsplit=1)[0]
    if line[0].isspace() or len(first) > _MOST_MARK_CHARS or first.isalpha():
        return None
    return _DIGITS.sub("0", first)
