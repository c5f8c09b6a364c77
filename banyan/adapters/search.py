"""Search: literals and RE2 expressions in streamed text, in linear time.

Text is searched window by window; windows overlap, so that a match of up to OVERLAP_CHARS is found
wherever it lies. Longer matches may be cut where a window ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import re2

from banyan.boundaries import CONTEXT, Rank, anywhere, nearest
from banyan.errors import InvalidInput
from banyan.spans import Span

MAX_QUERY_CHARS = 1_000
WINDOW_CHARS = 65_536
OVERLAP_CHARS = 4_096
CONTEXT_CHARS = 150
"""Shown on both sides of a match, to the nearest end of a sentence or line."""
MAX_PASSAGE_CHARS = 1_200
"""Matches that are close become one passage, up to this length."""

Reader = Callable[[Span], str]

_ENDS = frozenset({Rank.SECTION, Rank.PARAGRAPH, Rank.LINE, Rank.SENTENCE})
_SPACES = frozenset({Rank.SPACE})


class Matcher(Protocol):
    """Finds the matches that begin at `start` or later, as ranges of `text`."""

    def __call__(self, text: str, start: int) -> Iterator[tuple[int, int]]: ...


@dataclass(frozen=True, slots=True)
class Hit:
    """`match` as it was found and `shown` with its surroundings; both ranges of one input."""

    match: Span
    shown: Span


def compile_query(query: str, *, regex: bool) -> Matcher:
    """A matcher. A literal matches in any case, and any white space where it has some.

    In an expression `^` and `$` match at lines. Raises InvalidInput with what is wrong.
    """
    if not query.strip():
        raise InvalidInput("the query is empty")
    if len(query) > MAX_QUERY_CHARS:
        raise InvalidInput(f"the query is longer than {MAX_QUERY_CHARS} characters")
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    if regex:
        pattern = f"(?m){query}"
    else:
        options.case_sensitive = False
        pattern = r"\s+".join(re2.escape(word) for word in query.split())
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        raise InvalidInput(f"not a regular expression that can be searched: {error}") from error
    if compiled.fullmatch("") is not None:
        raise InvalidInput("the expression matches everywhere, where nothing stands too")

    def matches(text: str, start: int) -> Iterator[tuple[int, int]]:
        for match in compiled.finditer(text, start):
            if match.end() > match.start():
                yield match.start(), match.end()

    return matches


def find(inputs: Sequence[Span], matcher: Matcher, read: Reader, limit: int) -> list[Hit]:
    """The first `limit` hits in `inputs`, in order. Hits of one input do not overlap."""
    hits: list[Hit] = []
    for span in inputs:
        own: list[Hit] = []
        for match in _matches(span, matcher, read):
            last = own[-1] if own else None
            if last is not None and match.end <= last.shown.end:
                own[-1] = Hit(_hull(last.match, match), last.shown)
                continue
            hit = with_context(match, span, read, CONTEXT_CHARS)
            joined = None if last is None else _join(last, hit)
            if joined is not None:
                own[-1] = joined
            elif len(hits) + len(own) == limit:
                return hits + own
            else:
                own.append(hit if last is None else _behind(last, hit))
        hits += own
    return hits


def gather(hits: Sequence[Hit]) -> list[Hit]:
    """`hits`, in the order of the text, without overlap: what touches becomes one hit."""
    gathered: list[Hit] = []
    for hit in hits:
        last = gathered[-1] if gathered else None
        if last is None or last.shown.document != hit.shown.document:
            gathered.append(hit)
        elif (joined := _join(last, hit)) is not None:
            gathered[-1] = joined
        elif hit.shown.end > last.shown.end:
            gathered.append(_behind(last, hit))
    return gathered


def _matches(span: Span, matcher: Matcher, read: Reader) -> Iterator[Span]:
    """Matches in `span`, without overlap, in order."""
    done = span.start
    position = span.start
    while position < span.end:
        # One code point before the window lets `\b` and `^` see what they stand behind.
        begin = max(span.start, position - 1)
        end = min(span.end, position + WINDOW_CHARS + OVERLAP_CHARS)
        text = read(Span(document=span.document, start=begin, end=end))
        for start, stop in matcher(text, max(position, done) - begin):
            if begin + start >= position + WINDOW_CHARS:
                break
            done = begin + stop
            yield Span(document=span.document, start=begin + start, end=done)
        position += WINDOW_CHARS


def with_context(match: Span, span: Span, read: Reader, context_chars: int) -> Hit:
    """`match` with up to `context_chars` on both sides, to the ends of sentences or lines."""
    stop = min(match.end, match.start + MAX_PASSAGE_CHARS - 2 * context_chars)
    match = match.model_copy(update={"end": stop})
    start = max(span.start, match.start - context_chars)
    end = min(span.end, match.end + context_chars)
    begin = max(span.start, start - CONTEXT)
    around = Span(document=span.document, start=begin, end=min(span.end, end + CONTEXT))
    text = read(around)
    if start > span.start:
        start = begin + _edge(text, start - begin, match.start - begin, start - begin)
    if end < span.end:
        end = begin + _edge(text, match.end - begin, end - begin, end - begin)
    return Hit(match, Span(document=span.document, start=start, end=end))


def _edge(text: str, low: int, high: int, ideal: int) -> int:
    """The end of a sentence or line in `[low, high]` that is nearest to `ideal`, else of a word."""
    for group in (_ENDS, _SPACES):
        place = nearest(text, low, high, ideal, group)
        if place is not None:
            return place
    place = anywhere(text, low, high, ideal, high - low + 1)
    return ideal if place is None else place


def _join(last: Hit, hit: Hit) -> Hit | None:
    """Both as one hit, where they touch and are not too long together."""
    if hit.shown.start > last.shown.end:
        return None
    # It begins no earlier than `last`, which may have been cut to begin behind the one before.
    shown = last.shown.model_copy(update={"end": max(last.shown.end, hit.shown.end)})
    return Hit(_hull(last.match, hit.match), shown) if len(shown) <= MAX_PASSAGE_CHARS else None


def _behind(last: Hit, hit: Hit) -> Hit:
    """`hit` without what `last` already shows."""
    start = max(hit.shown.start, last.shown.end)
    return Hit(hit.match, hit.shown.model_copy(update={"start": start}))


def _hull(a: Span, b: Span) -> Span:
    return Span(document=a.document, start=min(a.start, b.start), end=max(a.end, b.end))
