"""Layouts: what kind of text a document is, told from its beginning; and what a record of it is.

The layout decides which places are best for a cut (`banyan/structure.py`), what stands for the
columns where a part lost its header, and what is counted where records are counted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from banyan import alike_lines, code_lines, numbered, speakers, tables

LayoutKind = Literal[
    "prose", "transcript", "code", "csv", "json_lines", "json_array", "numbered", "lines"
]  # fmt: skip

HEAD_CHARS = 32_768
"""So much of a document's beginning tells its layout."""

_RECORDS: frozenset[LayoutKind] = frozenset({"csv", "json_lines", "json_array", "numbered"})
_ARRAY = re.compile(r"\s*\[\s*(?=[\[{])")
_FEWEST_LINES = 2
_MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """`header_chars`: the length of what stands before its records; 0 where nothing does.

    Of a table that is its header record, of lines that begin alike a preamble.
    """

    kind: LayoutKind = "prose"
    header_chars: int = 0
    delimiter: str = ""
    numbering: str = ""

    @property
    def has_records(self) -> bool:
        """Whether it consists of records that are told apart otherwise than by lines."""
        return self.kind in _RECORDS


PROSE = Layout()


def layout_of(head: str) -> Layout:
    """The layout of a document that begins with `head`, at most HEAD_CHARS of it.

    Total and linear. What nothing speaks for is prose, Markdown among it.
    """
    if _is_json_lines(head):
        return Layout("json_lines")
    if _is_json_array(head):
        return Layout("json_array")
    table = tables.table_of(head)
    if table is not None:
        return Layout("csv", header_chars=table.header_chars, delimiter=table.delimiter)
    if code_lines.is_code(head):  # before speakers: `Args:` and `Returns:` come round there
        return Layout("code")
    if speakers.is_transcript(head):
        return Layout("transcript")
    numbering = numbered.numbering_of(head)
    if numbering:
        return Layout("numbered", numbering=numbering)
    preamble = alike_lines.preamble_chars(head, is_whole=len(head) < HEAD_CHARS)
    return PROSE if preamble is None else Layout("lines", header_chars=preamble)


def _is_json_lines(head: str) -> bool:
    lines = [line for line in head.split("\n", _MOST_LINES + 1) if line.strip()]
    if len(head) >= HEAD_CHARS or len(lines) > _MOST_LINES:
        lines = lines[:-1]  # perhaps not all of it
    return len(lines) >= _FEWEST_LINES and all(map(_is_json_object, lines))


def _is_json_object(line: str) -> bool:
    line = line.strip()
    return line[:1] in {"{", "["} and line[-1:] in {"}", "]"} and _first_value(line) == len(line)


def _is_json_array(head: str) -> bool:
    start = _ARRAY.match(head)
    if start is None:
        return False
    end = _first_value(head[start.end() :])
    return end is not None and head[start.end() + end :].lstrip()[:1] in {",", "]"}


def _first_value(text: str) -> int | None:
    """Where the JSON value ends that `text` begins with; None where there is none, or too deep."""
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return None
