"""Fences: parts of a message that are marked off as text, found in linear time.

A part begins with a line of three backticks, tildes or double quotes, and ends with a line of the
same; or it stands in `<document>` and `</document>`. What is opened and never closed is no part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPENS = re.compile(r"^(?P<fence>```|~~~|\"\"\")[^\n]*+\n|(?P<tag><document>)", re.MULTILINE)
_CLOSES = {
    fence: re.compile(rf"^{fence}[ \t]*+$", re.MULTILINE) for fence in ("```", "~~~", '"""')
} | {"<document>": re.compile("</document>")}


@dataclass(frozen=True, slots=True)
class Fenced:
    """`[start, end)` of a message, and the text that stands inside."""

    start: int
    end: int
    text: str


def fenced(message: str) -> Iterator[Fenced]:
    """Every part that is marked off, in order, without overlap."""
    unclosed: set[str] = set()  # from here on, so that nothing is looked for twice in vain
    position = 0
    while (opens := _OPENS.search(message, position)) is not None:
        kind = opens["fence"] or opens["tag"]
        closes = None if kind in unclosed else _CLOSES[kind].search(message, opens.end())
        if closes is None:
            unclosed.add(kind)
            position = opens.start() + 1
        else:
            yield Fenced(opens.start(), closes.end(), message[opens.end() : closes.start()])
            position = closes.end()
