"""Selection: the records that a goal is about, and how often a field has each value. Pure.

What fields say is taken from them exactly, record by record, without a model. An agent names
fields and values of those that its goal names (`named`), and nothing that it writes is run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from banyan import date_phrases, number_phrases
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
_RECURS = 2
"""How often a value occurs, on average, of a field by whose values records may be counted."""

_WORD = re.compile(r"\w+")
_WORD_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[^\W_A-Za-z]+")


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
    Of dates and numbers it is what `date_phrases` and `number_phrases` find: months, a range.
    """
    num_records, values = _values_of(records)
    goal = " ".join(goal.split())
    text = _words_of(goal)
    found = []
    for name, known in values.items():
        words = " ".join(_WORD_OF_NAME.findall(name))
        spoken = _spoken(goal, words, known)
        num_named = text.count(f" {words.lower()} ") + text.count(f" {words.lower()}s ")
        # "with a rating of at least 4" names the field for its numbers alone.
        is_named = num_named > any(map(number_phrases.is_phrase, spoken))
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
    """Whether `wanted` is the value, in any case, or what is said of its date or number."""
    return (
        value.lower() == wanted.lower()
        or date_phrases.is_of(value, wanted)
        or number_phrases.is_of(value, wanted)
    )


def _spoken(goal: str, field: str, values: Collection[str]) -> list[str]:
    """What `goal` says of the values: of dates and numbers as one speaks of these, else them."""
    of_dates = date_phrases.named(goal, values)
    if of_dates is not None:
        return of_dates
    if number_phrases.are_numbers(values):
        of_numbers = number_phrases.named(goal, field, values)
        if of_numbers is not None:
            return of_numbers
        goal = number_phrases.without(goal)
    text = _words_of(goal)
    return [one for one in values if _stands_in(text, one) and _says_something(one)]


def _words_of(goal: str) -> str:
    return f" {' '.join(_WORD.findall(goal.lower()))} "


def _stands_in(text: str, value: str) -> bool:
    words = _WORD.findall(value.lower())
    return 0 < len(words) <= _MOST_WORDS and f" {' '.join(words)} " in text


def _says_something(value: str) -> bool:
    """Whether it is more than words as `no` and `other`, which goals have for other reasons."""
    return any(map(str.isdigit, value)) or bool(telling(value))
