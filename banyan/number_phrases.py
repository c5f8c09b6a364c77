"""Number phrases: what a goal says of numbers: "a price above 100", "4 or more stars". Pure.

It stands beside the field's name. Nothing is guessed: where a goal says more than one thing of a
field ("above 10 and below 20"), or says "not", nothing is named.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice

_MOST_PHRASES = 16
"""A goal of more says nothing clear."""
_FARTHEST_NAME = 80
"""Characters, in which a field's name and what links it stand."""

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_SIGN = "[$%\N{EURO SIGN}\N{POUND SIGN}\N{YEN SIGN}]"
_VALUE = re.compile(rf"{_SIGN}?\s?({_NUMBER})\s?(?:{_SIGN}|[^\W\d]{{1,3}})?")
_PHRASE = re.compile(
    rf"""(?<![\w-])(?:
        (?:(?P<between>between)|from)\s+{_SIGN}?(?P<first>{_NUMBER})\s?{_SIGN}?
            \s+(?(between)and|to)\s+{_SIGN}?(?P<last>{_NUMBER})
        | (?:(?P<above>above|over|(?:more|greater|higher|larger)\s+than|>(?!=))
            | (?P<least>at\s+least|no\s+(?:less|fewer)\s+than|>=)
            | (?P<below>below|under|(?:less|fewer|lower|smaller)\s+than|<(?!=))
            | (?P<most>at\s+most|no\s+more\s+than|up\s+to|<=)
          )\s*{_SIGN}?(?P<bound>{_NUMBER})
        | {_SIGN}?(?P<side>{_NUMBER})\s?{_SIGN}?(?:
            (?P<or_more>\+|\s+or\s+(?:more|higher|above|over)|\s+and\s+(?:above|over|up))
            | (?P<or_less>\s+or\s+(?:less|fewer|lower|below|under)|\s+and\s+(?:below|under)))
    )(?![\w.,]*\d)""",
    re.VERBOSE | re.IGNORECASE,
)
_OF_TIME = re.compile(r"\b(?:after|before|since|until|till)\s+\d+", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|never|isn't|aren't|except)\s+$", re.IGNORECASE)
_LINK = r"(?:\s+(?:that|which|who))?(?:\s+(?:is|are|was|were|be|of|has|have))?\s*[:=]?\s*"
_OF_THING = re.compile(rf"\s*{_SIGN}?\s*(?!(?:and|but|or|than)\b)\w", re.IGNORECASE)
_MORE = re.compile(rf"\s*{_SIGN}?,?\s*(?:and|but|or|than|to)\s+(?:with\s+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Numbers from `low` to `high`, which are of it but where `is_open`; None is endless."""

    low: Decimal | None = None
    high: Decimal | None = None
    is_open: bool = False

    def has(self, number: Decimal) -> bool:
        """Whether `number` is of it."""
        if self.is_open and number in (self.low, self.high):
            return False
        return (self.low is None or self.low <= number) and (
            self.high is None or number <= self.high
        )


def are_numbers(values: Collection[str]) -> bool:
    """Whether all of them are."""
    return bool(values) and all(number_of(value) is not None for value in values)


def named(goal: str, field: str, values: Collection[str]) -> list[str] | None:
    """What `goal` says of the numbers `values` of `field`, its name in words: a phrase for `is_of`.

    None where it says nothing of them; empty where that is not clear, or of all or none.
    """
    matches = [*islice(_PHRASE.finditer(goal), _MOST_PHRASES)]
    own = [one for one in matches if _is_of_field(goal, one, field)]
    if not own:
        return None
    if len(matches) == _MOST_PHRASES:
        return []
    said = own[0]
    others = [one for one in matches if one in own or not _OF_THING.match(goal, one.end())]
    more = _MORE.match(goal, said.end())
    goes_on = more is not None and any(one.start() == more.end() for one in matches)
    if others != [said] or goes_on or _NOT.search(goal[: said.start()]):
        return []
    divided = {is_of(value, said[0]) for value in values}
    return [said[0]] if len(divided) > 1 else []


def _is_of_field(goal: str, match: re.Match[str], field: str) -> bool:
    name = r"\s+".join(map(re.escape, field.split()))
    before, behind = rf"(?<!\w){name}s?{_LINK}$", rf"\s*{_SIGN}?\s*{name}s?(?!\w)"
    near = goal[max(0, match.start() - _FARTHEST_NAME) : match.start()]
    return bool(name) and bool(
        re.search(before, near, re.IGNORECASE)
        or re.match(behind, goal[match.end() : match.end() + _FARTHEST_NAME], re.IGNORECASE)
    )


def without(goal: str) -> str:
    """`goal` without such phrases and bounds of time, since these name no value.

    The 4 of "at least 4" is none, nor is the 2022 of "since 2022".
    """
    return _OF_TIME.sub(" ", _PHRASE.sub(" ", goal))


def is_phrase(text: str) -> bool:
    """Whether `text` says something of numbers, as `named` gives it."""
    return _read(text) is not None


def is_of(value: str, phrase: str) -> bool:
    """Whether `value` is a number of what `phrase` says, as `named` gives it."""
    bounds = _read(phrase)
    number = number_of(value) if bounds is not None else None
    return bounds is not None and number is not None and bounds.has(number)


@lru_cache(maxsize=10_000)
def number_of(value: str) -> Decimal | None:
    """The number that `value` is, with a currency's sign or a short unit: `$1,200.50`."""
    match = _VALUE.fullmatch(value)
    return _decimal(match[1]) if match else None


@lru_cache(maxsize=1_000)
def _read(phrase: str) -> Bounds | None:
    match = _PHRASE.fullmatch(phrase)
    return _bounds(match) if match else None


def _bounds(match: re.Match[str]) -> Bounds:
    if match["first"]:
        low, high = sorted((_decimal(match["first"]), _decimal(match["last"])))
        return Bounds(low, high)
    number = _decimal(match["bound"] or match["side"])
    is_open = bool(match["above"] or match["below"])
    if match["above"] or match["least"] or match["or_more"]:
        return Bounds(low=number, is_open=is_open)
    return Bounds(high=number, is_open=is_open)


def _decimal(number: str) -> Decimal:
    return Decimal(number.replace(",", ""))
