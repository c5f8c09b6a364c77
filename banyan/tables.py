"""Tables: comma-separated values as RFC 4180 has them, told from their first records. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DELIMITERS = (",", ";", "\t")
_MOST_RECORDS = 50
_FEWEST_RECORDS = 3
_FEWEST_RECORDS_OF_PAIRS = 5
"""Two columns may be sentences with one comma each."""
_MOST_AFTER_SPACE = 0.5
_NUMBER = re.compile(r"[+-]?\d[\d.,:/ TZ%-]*|0x[0-9a-f]+|true|false|null|nan", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w .()/%#*&'?$-]{0,39}")
_MOST_WORDS_OF_NAME = 4
_LONG_CELL_CHARS = 30


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is written. `header_chars`: length of its header record, 0 without one."""

    delimiter: str
    header_chars: int


@dataclass(frozen=True, slots=True)
class _Record:
    cells: tuple[str, ...]
    end: int


def table_of(text: str) -> Table | None:
    """The table that `text`, the beginning of a document, is; None where it is none."""
    best: tuple[int, Table] | None = None
    for delimiter in _DELIMITERS:
        records = _first_records(text, delimiter)
        if not _is_table(records):
            continue
        width = len(records[0].cells)
        header = records[0].end if _has_header([one.cells for one in records]) else 0
        if best is None or width > best[0]:
            best = width, Table(delimiter, header)
    return best[1] if best else None


def _first_records(text: str, delimiter: str) -> list[_Record]:
    """Records that are complete, without blank lines; none where a quoted field does not end."""
    cell = re.compile(
        rf'(?:"(?P<quoted>(?:[^"]++|"")*+)"|(?P<plain>[^{delimiter}\r\n]*+))'
        rf"(?P<end>{delimiter}|\r\n|\n|\r|\Z)"
    )
    records: list[_Record] = []
    cells: list[str] = []
    position = 0
    while position < len(text) and len(records) < _MOST_RECORDS:
        match = cell.match(text, position)
        if match is None or (match.end() == len(text) and not match["end"]):
            break  # no table, or cut off here
        quoted = match["quoted"]
        cells.append(match["plain"] if quoted is None else quoted.replace('""', '"'))
        position = match.end()
        if match["end"] != delimiter:
            if any(cells):
                records.append(_Record(tuple(cells), position))
            cells = []
    return records


def _is_table(records: Sequence[_Record]) -> bool:
    width = len(records[0].cells) if records else 0
    fewest = _FEWEST_RECORDS if width > 2 else _FEWEST_RECORDS_OF_PAIRS
    if width < 2 or len(records) < fewest or any(len(one.cells) != width for one in records):
        return False
    later = [cell for one in records for cell in one.cells[1:]]
    words = [cell for cell in later if cell[:1] == " " and not _NUMBER.fullmatch(cell.strip())]
    return len(words) <= _MOST_AFTER_SPACE * len(later)  # else these are commas of sentences


def _has_header(records: Sequence[tuple[str, ...]]) -> bool:
    """Whether the first record names columns.

    Its cells are distinct and look like names, and below some of them stands what is no name: a
    number, or a long text.
    """
    first, body = [cell.strip() for cell in records[0]], records[1:]
    if len(set(first)) < len(first) or not all(map(_is_name, first)):
        return False
    return any(
        all(_NUMBER.fullmatch(cells[column].strip()) for cells in body if cells[column].strip())
        or any(len(cells[column]) > _LONG_CELL_CHARS for cells in body)
        for column in range(len(first))
    )


def _is_name(cell: str) -> bool:
    return bool(_NAME.fullmatch(cell)) and len(cell.split()) <= _MOST_WORDS_OF_NAME
