"""Selection: the records that a goal is about, and how often a field has each value. Pure.

What fields say is taken from them exactly, record by record, without a model. An agent names
fields and values of those that its goal names (`named`), and nothing that it writes is run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from banyan.errors import InvalidInput
from banyan.node import Passage
from banyan.records import Record
from banyan.spans import Span
from banyan.words import telling

MOST_NAMED = 16
"""Fields, and values of a field, that are offered."""
MOST_CHOSEN = 100_000
"""Records: of more, their places alone would take hundreds of megabytes."""
_MOST_VALUES = 10_000
_MOST_VALUE_CHARS = 200
"""A field with more values than these, or longer ones, is a text or a number: nothing to name."""
_MOST_FIELDS = 256
_MOST_NAME_CHARS = 40
_MOST_WORDS = 6
_MOST_WORDS_OF_DATE = 8
_RECURS = 2
"""How often a value occurs, on average, of a field by whose values records may be counted."""

_WORD = re.compile(r"\w+")
_WORD_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[^\W_A-Za-z]+")
_ISO_DATE = re.compile(r"(?<!\d)\d{4}-(\d{2})-\d{2}(?!\d)")
_YEAR = re.compile(r"[12]\d{3}")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORT = {name: name[:3] for name in _MONTHS} | {"sept": "sep"}
_OF_RANGES = frozenset({"after", "before", "between", "from", "since", "to", "until"})


@dataclass(frozen=True, slots=True)
class Named:
    """What a goal names of a field: some of its values, and (`counts`) the field itself.

    `counts` is true only where its values recur, so that to count them says something.
    """

    field: str
    values: tuple[str, ...]
    counts: bool


@dataclass(frozen=True, slots=True)
class Query:
    """`where`: a record counts where each of these fields has one of its values.

    `count_by`: the field of which each value is counted.
    """

    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    count_by: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a query found. `records` are there where it chooses some, `counts` where it counts.

    `num_without`: chosen records that lack the field that is counted by. `headers`: what stands
    before the records in their documents: column names, a preamble. `others`: inputs that are no
    records with fields.
    """

    num_selected: int
    records: tuple[Passage, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    num_without: int = 0
    headers: tuple[Span, ...] = ()
    others: tuple[Span, ...] = ()


def named(goal: str, records: Iterable[Record]) -> tuple[Named, ...]:
    """What `goal` names of the records' fields; nothing that it does not name is to be guessed.

    A value is named where all of its words stand in the goal one behind the other, in any case.
    Of dates these are also months (as names, in English) and years, unless they bound a range.
    """
    num_records, values = _values_of(records)
    text = f" {' '.join(_WORD.findall(goal.lower()))} "
    found = []
    for name, known in values.items():
        spoken = [value for value in known if _stands_in(text, value) and _says_something(value)]
        spoken = spoken or _dates_in(goal, known)
        words = " ".join(_WORD_OF_NAME.findall(name))
        is_named = _stands_in(text, words) or _stands_in(text, f"{words}s")
        recurs = len(known) * _RECURS <= num_records
        counts = is_named and recurs and _says_something(words)
        one = Named(name, tuple(spoken[:MOST_NAMED]), counts=counts)
        if one.values or one.counts:
            found.append(one)
    return tuple(found[:MOST_NAMED])


def select(records: Iterable[Record], query: Query, others: tuple[Span, ...] = ()) -> Selection:
    """Go through the records once, in memory that is bounded but for a field's values.

    Raises InvalidInput where no record has one of the fields, and where more than MOST_CHOSEN are
    chosen.
    """
    wanted = {*query.where} | ({query.count_by} if query.count_by else set())
    num_selected = num_without = 0
    known: set[str] = set()
    counts: Counter[str] = Counter()
    chosen: list[Passage] = []
    headers: dict[str, int] = {}
    for record in records:
        known |= record.fields.keys() & wanted
        if not _holds(record.fields, query.where):
            continue
        num_selected += 1
        if query.count_by is None:
            if len(chosen) == MOST_CHOSEN:
                raise InvalidInput(f"more than {MOST_CHOSEN} records are like that")
            own = (record.span,)
            chosen.append(Passage(text=record.text, sources=own, covered=own))
            headers[record.document] = record.header_chars
        elif value := record.fields.get(query.count_by):
            counts[value] += 1
        else:
            num_without += 1
    if unknown := wanted - known:
        raise InvalidInput(f"no record has the field {min(unknown)!r}")
    return Selection(
        num_selected=num_selected,
        records=tuple(chosen),
        counts=counts,
        num_without=num_without,
        headers=tuple(
            Span(document=document, start=0, end=end) for document, end in headers.items() if end
        ),
        others=others,
    )


def _values_of(records: Iterable[Record]) -> tuple[int, dict[str, dict[str, None]]]:
    """How many records there are, and the values of each field that is no text, in order."""
    num_records, values = 0, dict[str, dict[str, None]]()
    texts: set[str] = set()
    for record in records:
        num_records += 1
        for name, value in record.fields.items():
            if not value or name in texts or len(name) > _MOST_NAME_CHARS:
                continue
            if name not in values and len(values) + len(texts) >= _MOST_FIELDS:
                continue
            known = values.setdefault(name, {})
            known[value] = None
            if len(value) > _MOST_VALUE_CHARS or len(known) > _MOST_VALUES:
                texts.add(name)
                del values[name]
    return num_records, values


def _holds(fields: Mapping[str, str], where: Mapping[str, Sequence[str]]) -> bool:
    return all(
        any(_is(fields.get(name, ""), wanted) for wanted in any_of)
        for name, any_of in where.items()
    )


def _is(value: str, wanted: str) -> bool:
    """Whether `wanted` is the value, in any case, or the month or year of the date that it is."""
    if value.lower() == wanted.lower():
        return True
    date = _date_words(value)
    return bool(date) and {_SHORT.get(one, one) for one in _WORD.findall(wanted.lower())} <= date


def _stands_in(text: str, value: str) -> bool:
    words = _WORD.findall(value.lower())
    return 0 < len(words) <= _MOST_WORDS and f" {' '.join(words)} " in text


def _says_something(value: str) -> bool:
    """Whether it is more than words as `no` and `other`, which goals have for other reasons."""
    return any(map(str.isdigit, value)) or bool(telling(value))


def _dates_in(goal: str, values: Iterable[str]) -> list[str]:
    """Months, years, and months of a year that a goal names of dates; none of a range's."""
    dates = [_date_words(value) for value in values]
    if not dates or not all(dates):
        return []
    there = frozenset[str]().union(*dates)
    found: list[str] = []
    words = _WORD.findall(goal)
    for before, word, behind in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word.istitle() and word.lower() in _MONTHS and word.lower()[:3] in there:
            named_date = f"{word} {behind}" if _YEAR.fullmatch(behind) else word
        elif _YEAR.fullmatch(word) and word in there and before.lower() not in _MONTHS:
            named_date = word
        else:
            continue
        if before.lower() in _OF_RANGES:
            return []
        found.append(named_date)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=10_000)
def _date_words(value: str) -> frozenset[str]:
    """Month (three letters), day and year of a date; empty where `value` is none."""
    words = [_SHORT.get(word, word) for word in _WORD.findall(value.lower())]
    if len(words) > _MOST_WORDS_OF_DATE:
        return frozenset()
    words += [
        _MONTHS[int(month) - 1][:3]
        for month in _ISO_DATE.findall(value)
        if 1 <= int(month) <= len(_MONTHS)
    ]
    months, years = (
        any(word in _SHORT.values() for word in words),
        any(map(_YEAR.fullmatch, words)),
    )
    return frozenset(words) if months and years else frozenset()
