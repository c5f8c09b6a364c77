"""Numbered records: items that count up at the beginning of a line, over one line or several."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

_ITEM = re.compile(
    r"\n[ \t]{0,8}+(?P<before>(?:[^\W\d_]{1,20}+[ ]?)?[#(\[]?)(?P<number>\d{1,9})"
    r"(?P<behind>[.):\]|]{1,2})(?=\s)"
)
_FEWEST_ITEMS = 5
_LEAST_SHARE_OF_LINES = 0.2
_LEAST_IN_ORDER = 0.8


def numbering_of(text: str) -> str:
    """How the records of `text`, the beginning of a document, are numbered; empty where not."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for match in _ITEM.finditer(f"\n{text}"):
        found[_shape(match)].append(int(match["number"]))
    if not found:
        return ""
    shape, numbers = max(found.items(), key=lambda entry: len(entry[1]))
    in_order = sum(after == before + 1 for before, after in pairwise(numbers))
    num_lines = sum(1 for line in text.splitlines() if line.strip())
    is_numbered = (
        len(numbers) >= max(_FEWEST_ITEMS, _LEAST_SHARE_OF_LINES * num_lines)
        and in_order >= _LEAST_IN_ORDER * (len(numbers) - 1)
    )  # fmt: skip
    return shape if is_numbered else ""


def items(text: str, low: int, high: int, numbering: str, context: int) -> Iterator[int]:
    """The places in `[low, high]` where a record numbered like `numbering` begins."""
    for match in _ITEM.finditer(text, max(0, low - context), high + context):
        if low <= match.start() + 1 <= high and _shape(match) == numbering:
            yield match.start() + 1


def _shape(match: re.Match[str]) -> str:
    return f"{match['before'].strip().lower()}0{match['behind']}"
