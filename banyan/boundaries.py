"""Boundaries: where a text may be cut so that its structure survives, best places first.

A boundary is a position between two code points. Everything here is linear in the window that is
looked at, whatever the text: patterns are possessive and start only where a run starts.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum


class Rank(IntEnum):
    """How good a place for a cut is."""

    SPACE = 1
    SENTENCE = 2
    LINE = 3
    PARAGRAPH = 4
    UNIT = 5
    """What a text of some layout consists of: a turn, a record, a nested definition."""
    SECTION = 6


Group = frozenset[Rank]
"""Ranks that are equally welcome; the nearest boundary of any of them is taken."""

Finder = Callable[[str, int, int], Iterator[int]]
"""The boundaries of one rank in `[low, high]` of a text."""

DEFAULT_ORDER: tuple[Group, ...] = tuple(
    frozenset({rank}) for rank in sorted(Rank, reverse=True) if rank is not Rank.UNIT
)
"""What is looked for in prose, the best first; see `banyan/structure.py` for other layouts."""

CONTEXT = 256
"""Code points on both sides of a window that decide what the positions inside it are."""

_NEWLINE = r"(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])"
_WIDE_MARKS = "\u3002\uff01\uff1f\uff61"  # ideographic, not followed by white space
_CLOSING = r"[\"')\]\u00bb\u2019\u201d\u300d\u300f\uff09]"  # quotation marks and brackets
_SPACES = re.compile(r"\s++")
_SENTENCE_END = re.compile(rf"[.!?…{_WIDE_MARKS}]++(?P<closing>{_CLOSING}*+)(?P<space>\s*+)")
_LINE_END = re.compile(_NEWLINE)
_BLANK_LINES = re.compile(rf"{_NEWLINE}(?:[ \t]*+{_NEWLINE})++")
# It begins with a literal newline because the regular expression engine looks for that fast.
_HEADING = re.compile(
    r"""
    \n(?![\r\n])
    (?: [ ]{0,3}\#{1,6}[ \t]++\S                                              # Markdown
      | (?:([=\-~*^+\#])\1{2,}+[ \t]*+\r?\n)?                                # an overline
        [ ]{0,3}[\w"'(\[][^\r\n]{0,119}\r?\n([=\-~*^+])\2{2,}+[ \t]*+         # underlined
        (?=\r?\n|\Z)
      | (?:(?<=\n\n)|(?<=\n\r\n))
        (?: (?P<capitals>[^a-z\s][^a-z\r\n]{2,79})                             # ALL CAPITALS
          | (?: \d{1,3}(?:\.\d{1,3}){0,5}\.?|[IVXLC]{1,7}\.                    # numbered
              | (?i:chapter|section|article|part|appendix|schedule)
                [ ][\dA-Za-z]{1,6}\b[.:]?)
            (?:[ \t]++[^\W\d_][^\r\n]{0,79})?(?<![.;,]))
        (?=\r?\n|\Z)
    )
    """,
    re.VERBOSE,
)
_MIN_CAPITALS = 3
_FIRST_RADIUS = 512
_MAX_FLAGS = 64


def nearest(
    text: str,
    low: int,
    high: int,
    ideal: int,
    ranks: Group,
    *,
    finders: Mapping[Rank, Finder] | None = None,
    closed: Sequence[tuple[int, int]] = (),
) -> int | None:
    """The boundary of one of `ranks` in `[low, high]` that is nearest to `ideal`; None without one.

    Never a position inside a character as readers see it (`is_inside`), nor inside one of the
    stretches `closed`, which are in order. `finders`: those of a layout; default: those of prose.
    """
    finders = FINDERS if finders is None else finders
    radius = _FIRST_RADIUS
    while True:
        left, right = max(low, ideal - radius), min(high, ideal + radius)
        found = [p for rank in ranks for p in finders[rank](text, left, right)]
        for position in sorted(found, key=lambda p: (abs(p - ideal), p)):
            if not is_inside(text, position) and not _is_closed(position, closed):
                return position
        if left == low and right == high:
            return None
        radius *= 8


def every(
    text: str,
    ranks: Group,
    finders: Mapping[Rank, Finder] | None = None,
    closed: Sequence[tuple[int, int]] = (),
) -> list[int]:
    """All boundaries of `ranks` strictly inside `text`, in order, none inside a character.

    Nor inside one of the stretches `closed`; see `nearest`.
    """
    finders = FINDERS if finders is None else finders
    found = {p for rank in ranks for p in finders[rank](text, 1, len(text) - 1)}
    return sorted(
        position
        for position in found
        if not is_inside(text, position) and not _is_closed(position, closed)
    )


def _is_closed(position: int, closed: Sequence[tuple[int, int]]) -> bool:
    index = bisect_right(closed, (position, -1)) - 1
    return index >= 0 and closed[index][0] < position < closed[index][1]


def anywhere(text: str, floor: int, ceiling: int, ideal: int, reach: int) -> int | None:
    """The position in `[floor, ceiling]` nearest to `ideal` that is between whole characters.

    Where there is none within `reach`, `ideal` itself or its neighbour, but never inside CR LF.
    """
    for distance in range(max(2, reach)):
        for position in (ideal - distance, ideal + distance):
            if floor <= position <= ceiling and not is_inside(text, position):
                return position
    for position in (ideal, ideal - 1, ideal + 1):
        if floor <= position <= ceiling and text[position - 1 : position + 1] != "\r\n":
            return position
    return None


def is_inside(text: str, position: int) -> bool:
    """Whether a cut at `position` would part CR from LF, or a base character from its marks."""
    if not 0 < position < len(text):
        return False
    before, after = text[position - 1], text[position]
    if before == "\r":
        return after == "\n"
    if after < "\u0300":
        return False
    return before == "\u200d" or _extends(after) or _joins_flag(text, position)


def _extends(character: str) -> bool:
    return (
        character == "\u200d"
        or "\u1160" <= character <= "\u11ff"  # Hangul vowels and finals
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of flags
        or unicodedata.category(character) in {"Mn", "Mc", "Me"}
    )


def _joins_flag(text: str, position: int) -> bool:
    """Whether `position` is between the two regional indicators of one flag."""
    if not _is_indicator(text[position]):
        return False
    count = 0
    while count < min(position, _MAX_FLAGS) and _is_indicator(text[position - count - 1]):
        count += 1
    return count % 2 == 1


def _is_indicator(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def match_ends(pattern: re.Pattern[str]) -> Finder:
    """A finder of the places in `[low, high]` where a match of `pattern` ends."""

    def find(text: str, low: int, high: int) -> Iterator[int]:
        for match in pattern.finditer(text, max(0, low - CONTEXT), high + CONTEXT):
            if low <= match.end() <= high:
                yield match.end()

    return find


def _sentences(text: str, low: int, high: int) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text, max(0, low - CONTEXT), high + CONTEXT):
        if low <= match.end() <= high and _ends_sentence(text, match):
            yield match.end()


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Neither an initial (`J. Smith`), nor a number, nor an abbreviation in mid-sentence."""
    last_mark = match.start("closing") - 1
    if text[last_mark] in _WIDE_MARKS:
        return True
    if not match["space"] or text[match.end() : match.end() + 1].islower():
        return False
    word = text[max(0, match.start() - 2) : match.start()]
    is_initial = word[-1:].isupper() and not word[:-1].isalnum()
    return not is_initial or match.start("closing") - match.start() > 1 or text[last_mark] != "."


def _headings(text: str, low: int, high: int) -> Iterator[int]:
    for match in _HEADING.finditer(text, max(0, low - CONTEXT), high + CONTEXT):
        capitals = match["capitals"]
        start = match.start() + 1
        if low <= start <= high and (capitals is None or _is_title(capitals)):
            yield start


def _is_title(line: str) -> bool:
    return line.isupper() and sum(c.isupper() for c in line) >= _MIN_CAPITALS


def _none(text: str, low: int, high: int) -> Iterator[int]:
    """Prose has no units."""
    del text, low, high
    return iter(())


FINDERS: Mapping[Rank, Finder] = {
    Rank.SPACE: match_ends(_SPACES),
    Rank.SENTENCE: _sentences,
    Rank.LINE: match_ends(_LINE_END),
    Rank.PARAGRAPH: match_ends(_BLANK_LINES),
    Rank.UNIT: _none,
    Rank.SECTION: _headings,
}
"""The finders of prose."""
