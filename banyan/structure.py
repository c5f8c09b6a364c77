"""Structure: which places of a document are good for a cut, given its layout. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import get_args

from banyan import code_lines, numbered, speakers
from banyan.action import SplitBy
from banyan.boundaries import CONTEXT, FINDERS, Finder, Group, Rank, every, match_ends
from banyan.enclosures import Closed, Elements, Enclosure, Fences, Quotes
from banyan.layouts import Layout, LayoutKind

BY: tuple[SplitBy, ...] = get_args(SplitBy)

_LINES: Group = frozenset({Rank.SECTION, Rank.PARAGRAPH, Rank.LINE})
_UNITS: Group = frozenset({Rank.UNIT})
_WANTED: Mapping[SplitBy, Group] = {
    "section": frozenset({Rank.SECTION}),
    "speaker": _UNITS,
    "record": _UNITS,
    "paragraph": frozenset({Rank.SECTION, Rank.PARAGRAPH}),
    "line": _LINES,
    "sentence": frozenset({Rank.SECTION, Rank.PARAGRAPH, Rank.SENTENCE}),
}

_PROSE = (Rank.SECTION, Rank.PARAGRAPH, Rank.LINE, Rank.SENTENCE, Rank.SPACE)
_OF_RECORDS = (Rank.UNIT, Rank.PARAGRAPH, Rank.LINE, Rank.SENTENCE, Rank.SPACE)
_ORDER: Mapping[LayoutKind, tuple[Rank, ...]] = {
    "prose": _PROSE,
    "transcript": (Rank.SECTION, Rank.UNIT, *_PROSE[1:]),
    "code": (Rank.SECTION, Rank.UNIT, Rank.PARAGRAPH, Rank.LINE, Rank.SPACE),
    "csv": _OF_RECORDS,
    "json_lines": _OF_RECORDS,
    "json_array": _OF_RECORDS,
    "numbered": _OF_RECORDS,
    "lines": (Rank.LINE, Rank.SENTENCE, Rank.SPACE),
}
_BEHIND_COMMA = re.compile(r",\s*+")


def order(layout: Layout) -> tuple[Group, ...]:
    """The ranks to look for in turn, the best first, where nobody asked for one."""
    return tuple(frozenset({rank}) for rank in _ORDER[layout.kind])


def wanted(by: SplitBy, layout: Layout) -> Group:
    """What a caller who asks for `by` accepts. Records of a text that has none are its lines."""
    return _LINES if by == "record" and not layout.has_records else _WANTED[by]


def finders(by: SplitBy | None, layout: Layout) -> Mapping[Rank, Finder]:
    """What finds the places of each rank. Speakers who are asked for are looked for anywhere."""
    if by == "speaker":
        return {**FINDERS, Rank.UNIT: _turns}
    match layout.kind:
        case "transcript":
            return {**FINDERS, Rank.UNIT: _turns}
        case "code":
            return {**FINDERS, Rank.SECTION: _outer_definitions, Rank.UNIT: _inner_definitions}
        case "csv" | "json_lines":
            return {**FINDERS, Rank.UNIT: FINDERS[Rank.LINE]}
        case "json_array":
            return {**FINDERS, Rank.UNIT: match_ends(_BEHIND_COMMA)}
        case "numbered":
            return {**FINDERS, Rank.UNIT: _items(layout.numbering)}
        case "prose" | "lines":
            return FINDERS


def enclosure(layout: Layout, *, at_start: bool) -> Enclosure | None:
    """What must not be cut although a boundary lies in it; None where there is no such thing.

    `at_start`: the text that it will be fed begins with the document. Otherwise it is taken to
    begin outside of any stretch, as parts do.
    """
    match layout.kind:
        case "csv":
            return Quotes(layout.delimiter)
        case "json_array":
            return Elements(in_array=not at_start)
        case "prose":
            return Fences()
        case _:
            return None


def records(text: str, layout: Layout, *, at_start: bool) -> list[tuple[int, int]]:
    """The records of `text` that are not blank, in order, without its header.

    `at_start`: `text` begins with its document.
    """
    begin = layout.header_chars if at_start else 0
    if begin >= len(text):
        return []
    unit = Rank.UNIT if layout.has_records else Rank.LINE
    inside = enclosure(layout, at_start=at_start) if layout.has_records else None
    closed: Closed = inside.feed(text) if inside is not None else []
    cuts = every(text, frozenset({unit}), finders(None, layout), closed)
    cuts = [begin, *(cut for cut in cuts if cut > begin), len(text)]
    return [(start, end) for start, end in pairwise(cuts) if text[start:end].strip()]


def _turns(text: str, low: int, high: int) -> Iterator[int]:
    return speakers.turns(text, low, high, CONTEXT)


def _items(numbering: str) -> Finder:
    def find(text: str, low: int, high: int) -> Iterator[int]:
        return numbered.items(text, low, high, numbering, CONTEXT)

    return find


def _outer_definitions(text: str, low: int, high: int) -> Iterator[int]:
    for one in code_lines.definitions(text, low, high, CONTEXT):
        if one.indent == 0:
            yield one.start


def _inner_definitions(text: str, low: int, high: int) -> Iterator[int]:
    for one in code_lines.definitions(text, low, high, CONTEXT):
        if one.indent > 0:
            yield one.start
