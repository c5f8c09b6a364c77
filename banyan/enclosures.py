"""Enclosures: stretches of a text that should not be cut, whose state depends on what stood before.

Quoted fields of a table, fenced blocks of Markdown, the elements of a JSON array. Each is fed with
the text in order, in pieces of any size, in linear time, and remembers only a few numbers.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Literal

Closed = list[tuple[int, int]]
"""Stretches in order: no place `p` with `start < p < end` is one to cut at."""


class Enclosure(ABC):
    """Knows which stretches of a text belong together. It starts outside of any."""

    @abstractmethod
    def matters(self, text: str) -> bool:
        """Whether `text` holds anything that could open or close a stretch."""

    @abstractmethod
    def feed(self, text: str) -> Closed:
        """Go on through `text`, and return its stretches; one that does not end ends with it."""


class Quotes(Enclosure):
    """Fields in quotation marks (RFC 4180): only a field may begin with one, `""` is one."""

    _QUOTED = re.compile(r'(?:[^"]++|"")*+')

    def __init__(self, delimiter: str) -> None:
        self._opening = re.compile(rf'[{delimiter}\n\r]"')
        self._state: Literal["start", "outside", "inside", "mark"] = "start"

    def matters(self, text: str) -> bool:
        return '"' in text

    def feed(self, text: str) -> Closed:
        closed: Closed = []
        position = start = 0
        while position < len(text):
            if self._state == "mark":  # it ended the field, or was the first of two
                self._state = "inside" if text[position] == '"' else "outside"
                position += self._state == "inside"
            elif self._state == "start" and text[position] == '"':
                start, position, self._state = position, position + 1, "inside"
            elif self._state == "inside":
                end = self._QUOTED.match(text, position)
                position = end.end() if end else len(text)
                if position < len(text):
                    position, self._state = position + 1, "mark"
                closed.append((start, position))
            else:
                opening = self._opening.search(text, position)
                if opening is None:
                    is_start = self._opening.match(f'{text[-1]}"') is not None
                    self._state = "start" if is_start else "outside"
                    break
                start, position, self._state = opening.end() - 1, opening.end(), "inside"
        return closed


class Fences(Enclosure):
    """Fenced blocks of Markdown. A fence is closed by at least as many of the same characters."""

    _FENCE = re.compile(
        r"(?:^|(?<=\n))[ ]{0,3}(?P<marks>`{3,255}+|~{3,255}+)(?P<info>[^`\n]{0,200}+)(?P<end>\n|\Z)"
    )

    def __init__(self) -> None:
        self._open: str | None = None
        self._held = ""
        self._in_line = False

    def matters(self, text: str) -> bool:
        return "```" in text or "~~~" in text or self._open is not None

    def feed(self, text: str) -> Closed:
        if not text:
            return []
        before = len(self._held)
        closed: Closed = []
        start = 0 if self._open is not None else None
        whole = self._held + text
        for match in self._FENCE.finditer(whole):
            if (match.start() == 0 and self._in_line) or not match["end"]:
                continue
            marks = match["marks"]
            if self._open is None:
                self._open, start = marks, max(0, match.start() - before)
            elif marks.startswith(self._open) and not match["info"].strip():
                closed.append((start or 0, max(0, match.end() - before)))
                self._open, start = None, None
        if start is not None:
            closed.append((start, len(text)))
        self._hold(whole)
        return closed

    def _hold(self, whole: str) -> None:
        """Keep the beginning of a line that may turn out to be a fence."""
        line = whole[whole.rfind("\n") + 1 :]
        is_rest = self._in_line and "\n" not in whole
        self._held = "" if is_rest or len(line) > 500 else line
        self._in_line = bool(line) and not self._held


class Elements(Enclosure):
    """The elements of a JSON array: what is nested in it, and strings."""

    _TOKEN = re.compile(r'[\[{\]}]|"')
    _STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)

    def __init__(self, *, in_array: bool) -> None:
        """`in_array`: the text goes on behind an element; else it begins with the array."""
        self._depth = int(in_array)
        self._in_string = False
        self._escaped = False

    def matters(self, text: str) -> bool:
        return bool(text)

    def feed(self, text: str) -> Closed:
        closed: Closed = []
        position = start = 0
        while position < len(text):
            if self._in_string:
                position = self._end_of_string(text, position)
                if not self._in_string and self._depth <= 1:
                    closed.append((start, position))
                continue
            token = self._TOKEN.search(text, position)
            if token is None:
                break
            position = token.end()
            if token[0] == '"':
                self._in_string = True
                start = token.start() if self._depth <= 1 else start
            elif token[0] in "[{":
                start = token.start() if self._depth == 1 else start
                self._depth += 1
            else:
                if self._depth == 2:
                    closed.append((start, position))
                self._depth = max(1, self._depth - 1)
        if self._in_string or self._depth > 1:
            closed.append((start, len(text)))
        return closed

    def _end_of_string(self, text: str, position: int) -> int:
        if self._escaped:
            position, self._escaped = position + 1, False
        end = self._STRING.match(text, position)
        position = end.end() if end else position
        if position >= len(text):
            return len(text)
        if text[position] == "\\":  # the last character: what it escapes comes next
            self._escaped = True
        else:
            self._in_string = False
        return position + 1
