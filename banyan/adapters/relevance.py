"""Relevance: the few places of a long text that share the most telling words with a goal.

One linear scan for the goal's words counts in how many slices of the text each stands; slices are
ranked by what their words weigh (`banyan/words.py`), and the best are shown with the sentences
around them, in the order of the text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import re2

from banyan.adapters.search import WINDOW_CHARS, Hit, Reader, gather, with_context
from banyan.spans import Span
from banyan.words import sought, weight

SLICE_CHARS = 200
"""What counts as one place."""
AROUND_CHARS = 80
"""Shown on both sides of the words, to the nearest end of a sentence or line."""
_LONGEST_WORD = 64
_MAX_WORDS = 64

Scan = Callable[[str], Iterator[tuple[int, int, str]]]


def nearest(
    inputs: Sequence[Span],
    goal: str,
    read: Reader,
    max_chars: int,
    header_chars: Callable[[str], int],
) -> tuple[list[Hit], float]:
    """The best places of `inputs` for `goal`, in order, together about `max_chars` long.

    Also the share of what the goal's words weigh that stands in these places: 1 where all of them
    were found, 0 where none was, or where the goal has no words to be found. What stands in the
    header of a document, its first `header_chars` code points, does not count: it names what
    records are about, and tells of none of them. Asked for documents with a place among the best.
    """
    words_of_goal, num_nowhere = sought(goal)
    wanted = list(dict.fromkeys(words_of_goal))[:_MAX_WORDS]
    if not wanted:
        return [], 0.0
    alike = _alike(inputs, _scanner(wanted), read, max_chars // (2 * AROUND_CHARS))
    num_slices = max(1, sum(len(span) for span in inputs) // SLICE_CHARS)
    counts: Counter[str] = Counter()
    for words, found in alike.items():
        counts.update(dict.fromkeys(words, found.count))
    weights = {word: weight(max(num_slices, counts[word]), counts[word]) for word in wanted}
    ranked = sorted(
        (-sum(weights[word] for word in words), place, words)
        for words, found in alike.items()
        for place in found.first
    )
    chosen: list[_Place] = []
    shown: set[str] = set()
    left = max_chars
    for _, place, words in ranked:
        left -= place[2] - place[1] + 2 * AROUND_CHARS
        if left < 0:
            break
        chosen.append(place)
        if place[1] >= header_chars(inputs[place[0]].document):
            shown.update(words)
    # Sums of floats in another order may differ in the last digit.
    total = sum(weights.values()) + num_nowhere * weight(num_slices, 0)
    share = min(1.0, sum(weights[word] for word in shown) / total)
    hits = []
    for number, start, end in sorted(chosen):
        span = inputs[number]
        match = Span(document=span.document, start=start, end=end)
        hits.append(with_context(match, span, read, AROUND_CHARS))
    return gather(hits), share


_Place = tuple[int, int, int]
"""Number of the input, and the code points from the first to the last word of one slice."""


@dataclass(slots=True)
class _Alike:
    """Slices with the same words: how many there are, and the first of them."""

    count: int = 0
    first: list[_Place] = field(default_factory=list)


def _alike(
    inputs: Sequence[Span], scan: Scan, read: Reader, most: int
) -> dict[tuple[str, ...], _Alike]:
    """All slices by the words that stand in them, at most `most` places of each kind.

    Memory grows with the combinations of words, not with the length of the text.
    """
    alike: dict[tuple[str, ...], _Alike] = defaultdict(_Alike)
    for number, words, start, end in _slices(inputs, scan, read):
        kind = alike[tuple(sorted(words))]
        kind.count += 1
        if len(kind.first) < most:
            kind.first.append((number, start, end))
    return alike


def _slices(
    inputs: Sequence[Span], scan: Scan, read: Reader
) -> Iterator[tuple[int, set[str], int, int]]:
    """Each slice that holds a word, in order: number of the input, words, first and last place."""
    for number, span in enumerate(inputs):
        current, words, start, end = -1, set[str](), 0, 0
        for at, stop, word in _found(span, scan, read):
            place = (at - span.start) // SLICE_CHARS
            if place != current:
                if words:
                    yield number, words, start, end
                current, words, start = place, set(), at
            words.add(word)
            end = stop
        if words:
            yield number, words, start, end


def _found(span: Span, scan: Scan, read: Reader) -> Iterator[tuple[int, int, str]]:
    """The wanted words in `span`, in order."""
    for position in range(span.start, span.end, WINDOW_CHARS):
        # One code point before the window shows whether a word begins there.
        begin = max(span.start, position - 1)
        end = min(span.end, position + WINDOW_CHARS + _LONGEST_WORD)
        for start, stop, word in scan(read(Span(document=span.document, start=begin, end=end))):
            if position <= begin + start < position + WINDOW_CHARS:
                yield begin + start, begin + stop, word


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
