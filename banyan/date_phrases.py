"""Date phrases: the days, months, years and ranges that a goal names of dates. Pure.

Nothing is guessed: where a goal speaks of dates in a way that is not known here ("by May", "two
weeks after May 3"), or of several ranges, it names none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from banyan.dates import DAY, MONTH, MONTHS, YEAR, Part, Range, date_of, order, part

_MOST_MENTIONS = 64
"""A goal of more, one with a long text in it, says nothing clear."""
_VERBS = ("may", "march")
_TO = r"(?:to|through|until|till|\N{EN DASH}|\N{EM DASH})"


def _one_date(group: str) -> str:
    """The pattern of a date in a goal, whose groups begin with `group`."""
    return rf"""(?<![\w-])(?:
        (?P<{group}y1>{YEAR})-(?P<{group}m1>\d\d)(?:-(?P<{group}d1>\d\d))?
        | (?P<{group}d2>{DAY})\s+(?:of\s+)?(?P<{group}m2>{MONTH})\.?
            (?:,?\s+(?P<{group}y2>{YEAR}))?
        | (?P<{group}m3>{MONTH})\.?\s+(?P<{group}d3>{DAY})(?:,?\s+(?P<{group}y3>{YEAR}))?
        | (?P<{group}m4>{MONTH})\.?(?:,?\s+(?:of\s+)?(?P<{group}y4>{YEAR}))?
        | (?P<{group}y5>{YEAR})
    )(?![\w-])"""


_MENTION = re.compile(
    rf"""(?:
        (?:(?P<between>\bbetween\s+)|\bfrom\s+)?
        (?:{_one_date("a")}|(?<![\w-])(?P<ad0>{DAY}))
        (?(between)\s+(?:and|{_TO})\s+|\s*{_TO}\s*)
        (?:{_one_date("b")}|(?P<bd0>{DAY})(?:,?\s+(?P<by0>{YEAR}))?(?![\w-]))
        | \b(?P<side>on\s+or\s+after|on\s+or\s+before|before|after|since)\s+{_one_date("c")}
        | \bfrom\s+{_one_date("e")}\s+on(?:wards?)?\b
        | {_one_date("f")}
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_UNKNOWN_BEFORE = re.compile(
    r"\b(?:not(?:\s+(?:in|on|of|from|during))?|(?:except|excluding|outside)(?:\s+\w+){0,2}"
    r"|(?:before|after)\s+(?:or|and)|(?:start|beginning|middle|end)\s+of|early|late"
    r"|between|from|until|till|to|by|through"
    rf"|{DAY}\s*(?:and|or|-))\s*(?:the\s+)?$",
    re.IGNORECASE,
)
_DURATION = re.compile(r"\b(?:days?|weeks?|months?|years?)\s+$", re.IGNORECASE)
_UNKNOWN_BEHIND = re.compile(
    r",?\s+(?:or|and)\s+(?:later|earlier|after|before|older|newer)\b"
    rf"|\s*(?:{_TO}|-)\s*(?:\d|now\b|today\b|date\b|the\b)"
    rf"|\s*(?:,|and|or)\s+{DAY}\b(?!\s+[a-z])",
    re.IGNORECASE,
)
_SAME_LIST = re.compile(r"\s*(?:,|and|or|,\s*and|,\s*or)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Mention:
    """`said` is None where dates are spoken of in a way that is not known.

    `is_listed`: only a comma or "and" stands between it and the mention before.
    """

    text: str
    said: Part | Range | None
    is_listed: bool = False


def named(goal: str, values: Collection[str]) -> list[str] | None:
    """What `goal` says of the dates `values`: parts that some of them are of, or one range.

    They are phrases that `is_of` reads. None where the goal has no dates, or `values` are none.
    """
    mentions = _mentions(goal)
    dates = [date for value in values if (date := date_of(value))] if mentions else []
    if not dates or len(dates) < len(values):
        return None
    mentions = [one for one in mentions if not _is_number(one.said, dates)]
    said = [one.said for one in mentions if one.said is not None]
    if len(said) < len(mentions):
        return []
    if any(isinstance(one, Range) for one in said):
        is_clear = len(said) == 1 and _divides(said[0], dates)
        return [one.text for one in mentions if is_clear]
    if len({one.month is None for one in said if isinstance(one, Part) and not one.is_whole}) > 1:
        return []  # "of 2023 ... in May": neither of them alone, nor any of both
    found = zip(mentions, said, strict=True)
    return list(dict.fromkeys(one.text for one, own in found if any(map(own.has, dates))))


def is_of(value: str, phrase: str) -> bool:
    """Whether `value` is a date of what `phrase` says, as `named` gives it."""
    said = _read(phrase)
    date = date_of(value) if said is not None else None
    return said is not None and date is not None and said.has(date)


@lru_cache(maxsize=1_000)
def _read(phrase: str) -> Part | Range | None:
    match _mentions(phrase):
        case [_Mention(text=text, said=said)] if text == phrase:
            return said
    return None


def _mentions(goal: str) -> list[_Mention]:
    """All that `goal` says of dates, in order."""
    found: list[_Mention] = []
    end = 0
    matches = [*islice(_MENTION.finditer(goal), _MOST_MENTIONS)]
    if len(matches) == _MOST_MENTIONS:
        return [_Mention("", None)]
    for match in matches:
        between, said = goal[end : match.start()], _said(match)
        if _is_word(match) or (said is None and not _has_month(match)):
            continue
        if (
            _UNKNOWN_BEFORE.search(between)
            or _UNKNOWN_BEHIND.match(goal, match.end())
            or (match["side"] and _DURATION.search(between))
        ):
            said = None
        is_listed = bool(found) and _SAME_LIST.fullmatch(between) is not None
        found.append(_Mention(match[0], said, is_listed))
        end = match.end()
    return _with_years(found)


def _said(match: re.Match[str]) -> Part | Range | None:
    if side := match["side"]:
        bound, word = _in_group(match, "c"), side.split()[-1].lower()
        is_open = word == side.lower() and word != "since"
        if bound is None:
            return None
        return (
            Range(last=bound, is_open=is_open) if word == "before" else Range(bound, None, is_open)
        )
    if bound := _in_group(match, "e"):
        return Range(bound)
    return _in_group(match, "f") or _between(match)


def _between(match: re.Match[str]) -> Range | None:
    """Of "May 3 to 10, 2023" and the like, where one side says what the other leaves out."""
    first, last = _in_group(match, "a"), _in_group(match, "b")
    if first is None and last is not None and last.day and match["ad0"]:
        first = part(last.year, last.month, match["ad0"])
    if last is None and first is not None and first.day and match["bd0"]:
        last = part(match["by0"] or first.year, first.month, match["bd0"])
    if first is None or last is None:
        return None
    if first.year is None and last.year is not None and last.month is not None:
        first = replace(first, year=last.year - (order(first) > order(last)))
    if last.year is None and first.year is not None and first.month is not None:
        last = replace(last, year=first.year + (order(first) > order(last)))
    return Range(first, last) if (first.year is None) == (last.year is None) else None


def _in_group(match: re.Match[str], group: str) -> Part | None:
    for form in range(1, 6):
        groups = (f"{group}{kind}{form}" for kind in ("y", "m", "d"))
        year, month, day = (match.groupdict().get(one) for one in groups)
        if year or month:
            return part(year, month, day)
    return None


def _is_word(match: re.Match[str]) -> bool:
    """Whether "may", "march" or "Jan" is no month, as far as can be told: no year is beside it."""
    for group in ("c", "f"):
        with_day, alone = match[f"{group}m3"], match[f"{group}m4"]
        month, year = with_day or alone or "", match[f"{group}y3"] or match[f"{group}y4"]
        if year is None and (month in _VERBS or (alone and alone.lower() not in MONTHS)):
            return True
    return False


def _has_month(match: re.Match[str]) -> bool:
    return any(value and name[1] == "m" for name, value in match.groupdict().items())


def _with_years(mentions: Sequence[_Mention]) -> list[_Mention]:
    """Months of a list have the year that is said at its end: "in May and June 2023"."""
    found = [*mentions]
    for at in reversed(range(len(found) - 1)):
        match found[at], found[at + 1]:
            case _Mention(said=Part(year=None, month=int()) as month), _Mention(
                said=Part(year=int(year), month=int()), is_listed=True
            ):
                own = replace(month, year=year)
                found[at] = replace(found[at], text=str(own), said=own)
    return found


def _is_number(said: Part | Range | None, dates: Collection[Part]) -> bool:
    """Whether years are most likely other numbers: no date is of them, or no date is not."""
    if isinstance(said, Part):
        return said.month is None and not any(map(said.has, dates))
    sides = [side for side in (said.first, said.last) if side] if said else []
    return bool(sides) and all(side.month is None for side in sides) and not _divides(said, dates)


def _divides(said: Part | Range | None, dates: Collection[Part]) -> bool:
    """Whether some dates are of it and some are not, and it is clear of which year it is."""
    if isinstance(said, Range) and None in (said.first, said.last):
        [side] = [side for side in (said.first, said.last) if side]
        if side.year is None and len({date.year for date in dates}) > 1:
            return False
    return said is not None and len({*map(said.has, dates)}) > 1
