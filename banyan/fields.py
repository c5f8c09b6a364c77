"""Fields: the named values that the records of a list have, told from its first records. Pure.

The columns of a table, the keys of JSON objects, `User: 7 || Date: ...` in the lines of an exported
list, and `level=warn user=7` in those of a log.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from banyan import structure
from banyan.layouts import Layout

_MOST_RECORDS = 50
_FEWEST_FIELDS = 2
_DEEPEST = 4

_DELIMITERS = (" || ", " | ", "\t", "; ")
_NAMED = re.compile(r"([^\W\d][\w .-]{0,39})[:=]")
_PAIR = re.compile(r'(?<!\S)([^\W\d][\w.-]{0,39})=("(?:[^"\\]|\\.)*+"|[^\s"]++)')


class Reader(Protocol):
    """Reads the fields of one record, by name; those that it lacks are left out."""

    def __call__(self, record: str) -> dict[str, str]: ...


def reader_of(head: str, layout: Layout) -> Reader | None:
    """What reads the records of a document that begins with `head`; None where it has no fields.

    Reading takes a record whatever it holds, in time that grows with its length.
    """
    records = _first_records(head, layout)
    if not records:
        return None
    match layout.kind:
        case "csv":
            names = _cells(head[: layout.header_chars], layout.delimiter)
            return _Columns(tuple(names), layout.delimiter) if names else None
        case "json_lines" | "json_array":
            return _keys if any(map(_keys, records)) else None
        case "lines":
            return _marked(records) or _paired(records)
        case _:
            return None


def _first_records(head: str, layout: Layout) -> list[str]:
    found = structure.records(head, layout, at_start=True)[: _MOST_RECORDS + 1]
    whole = found[:-1] if len(found) > 1 else found  # the last one may be cut off
    return [head[start:end].strip() for start, end in whole]


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    delimiter: str

    def __call__(self, record: str) -> dict[str, str]:
        return dict(zip(self.names, _cells(record, self.delimiter), strict=False))


def _cells(record: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([record.strip("\r\n")], delimiter=delimiter), [])
    except csv.Error:  # a cell that is longer than the reader allows
        return []
    return [cell.strip() for cell in cells]


def _keys(record: str) -> dict[str, str]:
    """Plain values of a JSON object, those of objects in it by dotted names."""
    begin = record.find("{")
    try:
        value = json.JSONDecoder().raw_decode(record, begin)[0] if begin >= 0 else {}
    except (ValueError, RecursionError):
        return {}
    return dict(_leaves(value, "", _DEEPEST))


def _leaves(value: dict[str, Any], before: str, levels: int) -> Iterable[tuple[str, str]]:
    for key, one in value.items():
        if isinstance(one, dict) and levels:
            yield from _leaves(one, f"{before}{key}.", levels - 1)
        elif isinstance(one, str):
            yield before + key, one.strip()
        elif isinstance(one, bool | int | float):
            yield before + key, json.dumps(one)


@dataclass(frozen=True, slots=True)
class _Marked:
    """`marks`: what stands before the value of each field, in order: `User:`, ` || Date:`."""

    names: tuple[str, ...]
    marks: tuple[str, ...]

    def __call__(self, record: str) -> dict[str, str]:
        line = record.strip()
        if not line.startswith(self.marks[0]):
            return {}
        found, start = dict[str, str](), len(self.marks[0])
        for name, following in zip(self.names, [*self.marks[1:], ""], strict=True):
            end = line.find(following, start) if following else len(line)
            if end < 0:
                return {}
            found[name] = line[start:end].strip()
            start = end + len(following)
        return found


def _marked(records: Sequence[str]) -> _Marked | None:
    """Fields that all lines have in the same order, between the same delimiters."""
    for delimiter in _DELIMITERS:
        rows = [_openings(record.split(delimiter)) for record in records]
        shared = _shared(rows)
        if len({*shared}) == len(shared) >= _FEWEST_FIELDS:
            marks = (shared[0], *(delimiter + opening for opening in shared[1:]))
            return _Marked(tuple(opening[:-1] for opening in shared), marks)
    return None


def _openings(cells: Sequence[str]) -> list[str]:
    """`Name:` of each cell, up to the first one that does not begin like that."""
    found = []
    for cell in cells:
        match = _NAMED.match(cell)
        if match is None:
            break
        found.append(match[0])
    return found


def _shared(rows: Sequence[Sequence[str]]) -> list[str]:
    """What all rows begin with."""
    found = []
    for column in zip(*rows, strict=False):
        if len({*column}) > 1:
            break
        found.append(column[0])
    return found


def _paired(records: Sequence[str]) -> Reader | None:
    """What reads `name=value`, where all lines have at least two names in common."""
    shared = set(_pairs(records[0])).intersection(*map(_pairs, records[1:]))
    return _pairs if len(shared) >= _FEWEST_FIELDS else None


def _pairs(record: str) -> dict[str, str]:
    return {
        match[1]: match[2][1:-1] if match[2].startswith('"') else match[2]
        for match in _PAIR.finditer(record)
    }
