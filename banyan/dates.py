"""Dates: what a field's date is, and parts and ranges that dates are of or not. Pure.

Months are known by their English names, dates also as machines write them (`2023-05-01`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTH = "|".join([*MONTHS, *(name[:3] for name in MONTHS), "sept"])
YEAR = r"[12]\d{3}"
DAY = r"\d{1,2}(?:st|[nr]d|th)?"
"""Patterns of a month's name (in any case), a year and a day."""

_MOST_WORDS = 10
_MOST_DAYS = 31
_WORD = re.compile(r"\w+")
_MACHINE = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{2})\2(\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Part:
    """A day, a month, a year, or a month or a day of any year; what is None is left open.

    `month` is 1 to 12, `day` 1 to 31, as in the calendar.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        month = MONTHS[self.month - 1].title() if self.month else ""
        if self.day:
            return f"{month} {self.day}, {self.year}" if self.year else f"{month} {self.day}"
        return " ".join(str(one) for one in (month, self.year) if one)

    @property
    def is_whole(self) -> bool:
        """Whether it has a year and a month."""
        return self.year is not None and self.month is not None

    def has(self, date: Part) -> bool:
        """Whether `date` is of it."""
        return self.in_terms_of(self) == date.in_terms_of(self)

    def in_terms_of(self, other: Part) -> tuple[int | None, ...]:
        """Year, month and day, as many of them as `other` has, so that both can be compared."""
        pairs = (self.year, other.year), (self.month, other.month), (self.day, other.day)
        return tuple(own for own, there in pairs if there is not None)


@dataclass(frozen=True, slots=True)
class Range:
    """All between two parts, which are of it but where `is_open`; a side that is None is endless.

    Both have a year or neither has: then it is of any year, over its turn where it has to be.
    """

    first: Part | None = None
    last: Part | None = None
    is_open: bool = False

    def has(self, date: Part) -> bool:
        """Whether `date` is of it; not where it is less exact than a side."""
        sides = []
        for side, sign in ((self.first, 1), (self.last, -1)):
            if side is None:
                continue
            own, bound = date.in_terms_of(side), side.in_terms_of(side)
            if None in own:
                return False
            place = sign * ((own > bound) - (own < bound))
            sides.append(place > 0 or (place == 0 and not self.is_open))
        return any(sides) if self._turns() else all(sides)

    def _turns(self) -> bool:
        if self.first is None or self.last is None or self.first.year is not None:
            return False
        return order(self.first) > order(self.last)


@lru_cache(maxsize=10_000)
def date_of(value: str) -> Part | None:
    """The date that `value` is, with year and month at least; None where it is none."""
    words = _WORD.findall(value)
    if len(words) > _MOST_WORDS:
        return None
    if machine := _MACHINE.search(value):
        year, _, month, day = machine.groups()
        return part(year, month, day)
    years = [word for word in words if re.fullmatch(YEAR, word)]
    if not years:
        return None
    for before, word, behind in zip(["", *words], words, [*words[1:], ""], strict=False):
        if re.fullmatch(MONTH, word, re.IGNORECASE):
            days = [one for one in (behind, before) if re.fullmatch(DAY, one)]
            return part(years[0], word, days[0] if days else None)
    return None


def part(year: str | int | None, month: str | int | None, day: str | int | None) -> Part | None:
    """Of what a text says, a month by its name or number; None where there is none such."""
    number = _month_number(month)
    own_day = int(re.sub(r"\D", "", str(day))) if day else None
    if month and not 1 <= (number or 0) <= len(MONTHS):
        return None
    if own_day is not None and not 1 <= own_day <= _MOST_DAYS:
        return None
    return Part(int(year) if year else None, number, own_day)


def _month_number(month: str | int | None) -> int | None:
    if month is None or isinstance(month, int) or month.isdigit():
        return int(month) if month else None
    return next(n for n, name in enumerate(MONTHS, 1) if name.startswith(month.lower()[:3]))


def order(one: Part) -> tuple[int, int]:
    """Its place in a year."""
    return one.month or 0, one.day or 0
