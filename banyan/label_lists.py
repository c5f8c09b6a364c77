"""Label lists: all labels that a text says a record can have, where an agent named some. Pure.

Of a goal that compares two labels a model was seen to name these two. Every record then becomes
one of them, and the counts say nothing. Where goal or material lists them, the list is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from banyan.action import MOST_LABELS, Delegate
from banyan.documents import CUT

_MOST_CHARS = 60
_MOST_WORDS = 6
"""Of one label; what is longer is no label, and ends a list."""
_LIST_CHARS = MOST_LABELS * _MOST_CHARS

_ITEM = "|".join(
    rf"{opens}[^{closes}\n]{{1,{_MOST_CHARS}}}{closes}"
    for opens, closes in ("''", '""', "``", "\u2018\u2019", "\u201c\u201d")
)
_BETWEEN = r"\s{0,3}(?:[,;/|]\s{0,3}(?:(?:and|or)\s)?|and\s|or\s)\s{0,3}"
_QUOTED = re.compile(rf"(?:{_ITEM})(?:{_BETWEEN}(?:{_ITEM}))+")
_ITEMS = re.compile(_ITEM)
_LEAD = re.compile(r"(?::|\b(?:among|are|as|either|one of)\b)(?!\s*['\"`\u2018\u201c])")
_END = re.compile(r"[.?!](?=\s|$)|[:\n]")
_COMMA = re.compile(r"[,;|]")
_LAST = re.compile(r"\s(?:and|or)\s")
_CONJUNCTION = re.compile(r"(?:and|or)\s+")
_AROUND = " \t'\"`\u2018\u2019\u201c\u201d()[]{}*"


def with_all_labels(action: Delegate, texts: Iterable[str]) -> Delegate:
    """The action with the whole list of which it names some labels, see `completed`."""
    if action.split is None or not action.split.labels:
        return action
    labels = completed(action.split.labels, texts)
    return action.model_copy(update={"split": action.split.model_copy(update={"labels": labels})})


def completed(labels: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    """The longest list in `texts` that has all `labels`, as it stands there; else `labels`.

    Case does not matter. Of lists as long as each other the first is taken. A list with no more
    labels is taken too, so that all who name these have them in one order.
    """
    wanted = {label.casefold() for label in labels}
    lists = (found for text in texts for found in _lists(text))
    whole = (found for found in lists if wanted <= {label.casefold() for label in found})
    return max(whole, key=len, default=tuple(labels)) if wanted else ()


def _lists(text: str) -> Iterator[tuple[str, ...]]:
    """What is listed in quotes, or behind a colon or words like `as` with commas between."""
    for match in _QUOTED.finditer(text):
        yield _labels(one[1:-1] for one in _ITEMS.findall(match[0]))
    for lead in _LEAD.finditer(text):
        end = lead.end() + _LIST_CHARS
        stop = _END.search(text, lead.end(), end)
        yield _labels(_listed(text[lead.end() : stop.start() if stop else end]))


def _listed(text: str) -> list[str]:
    """`a, b or c`, `a, b, and c` and `a; b; c` as their items."""
    comma = _COMMA.search(text)
    separator = comma[0] if comma else ","
    if separator == ",":
        text = text.partition(";")[0]
    *items, last = text.split(separator)
    if last.endswith(CUT):
        return items
    if _CONJUNCTION.match(last.strip()):
        return [*items, _CONJUNCTION.sub("", last.strip(), count=1)]
    return [*items, *_LAST.split(last)]


def _labels(items: Iterable[str]) -> tuple[str, ...]:
    """The items up to the first that is no label, each once."""
    found: dict[str, str] = {}
    for item in items:
        label = item.strip(_AROUND)
        if not 0 < len(label) <= _MOST_CHARS or len(label.split()) > _MOST_WORDS:
            break
        found.setdefault(label.casefold(), label)
    return tuple(found.values())[:MOST_LABELS]
