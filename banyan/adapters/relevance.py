"""Relevance: the few places of a long text that share the most telling words with a goal.

One linear scan for the goal's words counts in how many slices of the text each stands; slices are
ranked by what their words weigh (`banyan/words.py`), and the best are shown with the sentences
around them, in the order of the text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import re2

from banyan.adapters.search import WINDOW_CHARS, Hit, Reader, gather, with_context
from banyan.spans import Span
from banyan.words import asked, telling, weight

SLICE_CHARS = 200
"""What counts as one place."""
AROUND_CHARS = 80
"""Shown on both sides of the words, to the nearest end of a sentence or line."""
_LONGEST_WORD = 64
_MAX_WORDS = 64

Scan = Callable[[str], Iterator[tuple[int, int, str]]]


def nearest(
    inputs: Sequence[Span], goal: str, read: Reader, max_chars: int
) -> tuple[list[Hit], float]:
    """The best places of `inputs` for `goal`, in order, together about `max_chars` long.

    Also the share of what the goal's words weigh that stands in these places: 1 where all of them
    were found, 0 where none was, or where the goal has no telling words.
    """
    wanted = list(dict.fromkeys(telling(asked(goal))))[:_MAX_WORDS]
    if not wanted:
        return [], 0.0
    slices = _slices(inputs, _scanner(wanted), read)
    num_slices = max(1, sum(len(span) for span in inputs) // SLICE_CHARS)
    counts = Counter(word for found in slices.values() for word in found)
    weights = {word: weight(max(num_slices, counts[word]), counts[word]) for word in wanted}
    ranked = sorted(
        slices, key=lambda place: (-sum(weights[word] for word in slices[place]), place)
    )
    chosen: list[tuple[int, int]] = []
    left = max_chars
    for place in ranked:
        size = _hull(slices[place]).end - _hull(slices[place]).start + 2 * AROUND_CHARS
        if size > left:
            break
        left -= size
        chosen.append(place)
    shown = {word for place in chosen for word in slices[place]}
    share = sum(weights[word] for word in shown) / sum(weights.values())
    hits = [
        with_context(_hull(slices[place]), inputs[place[0]], read, AROUND_CHARS)
        for place in sorted(chosen)
    ]
    return gather(hits), share


_Slices = dict[tuple[int, int], dict[str, Span]]
"""By number of the input and of the slice: the words that stand there, and where."""


def _slices(inputs: Sequence[Span], scan: Scan, read: Reader) -> _Slices:
    slices: _Slices = defaultdict(dict)
    for number, span in enumerate(inputs):
        position = span.start
        while position < span.end:
            # One code point before the window shows whether a word begins there.
            begin = max(span.start, position - 1)
            end = min(span.end, position + WINDOW_CHARS + _LONGEST_WORD)
            text = read(Span(document=span.document, start=begin, end=end))
            for start, stop, word in scan(text):
                at = begin + start
                if not position <= at < position + WINDOW_CHARS:
                    continue
                place = (number, (at - span.start) // SLICE_CHARS)
                where = Span(document=span.document, start=at, end=begin + stop)
                slices[place].setdefault(word, where)
            position += WINDOW_CHARS
    return slices


def _scanner(wanted: Sequence[str]) -> Scan:
    """Finds the wanted words, in any case and with a plural's `s`."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    longest_first = sorted(wanted, key=len, reverse=True)
    pattern = re2.compile("(" + "|".join(re2.escape(word) for word in longest_first) + ")", options)

    def scan(text: str) -> Iterator[tuple[int, int, str]]:
        for match in pattern.finditer(text):
            start, end = match.span()
            if start and text[start - 1].isalnum():
                continue
            if text[end : end + 1] in {"s", "S"}:
                end += 1
            if text[end : end + 1].isalnum():
                continue
            yield start, end, match.group(1).casefold()

    return scan


def _hull(found: dict[str, Span]) -> Span:
    """All words of one slice as one span."""
    spans = list(found.values())
    return Span(
        document=spans[0].document,
        start=min(span.start for span in spans),
        end=max(span.end for span in spans),
    )
