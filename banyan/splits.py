"""Splits: dividing inputs into balanced parts for children, on the structure of their text.

The parts cover the inputs once, in order, without gap or overlap, whatever the text. Only windows
around the cuts are read, so the cost does not grow with the length of a document.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

from banyan.boundaries import BY, CONTEXT, DEFAULT_ORDER, anywhere, nearest
from banyan.spans import Span

Reader = Callable[[Span], str]

REACH = 0.3
"""How far a cut may move from where equal parts would meet, as a share of a part."""
WIDE_REACH = 0.45
"""The same for boundaries asked for with `by`. Below 0.5, so that cuts stay apart."""
MAX_WINDOW_CHARS = 32_768
"""The most that is read on either side of a cut."""


def split(
    inputs: Sequence[Span],
    parts: int,
    by: str | None,
    read: Reader,
    breaks: Mapping[str, Sequence[int]] | None = None,
) -> list[tuple[Span, ...]]:
    """Cut `inputs`, taken as one concatenation, into at most `parts` parts of about equal length.

    A cut lies between two inputs where one ends near, else on the best structural boundary near,
    else between two characters. `by` names the boundaries to prefer (`boundaries.BY`). `breaks`
    gives, for derived documents, the starts of their passages: they are cut only there, except
    inside a passage that is larger than a part. `read` is asked only for text around the cuts.
    There are fewer parts where there is too little text; none is empty. Raises ValueError for
    `parts` below 1 and for an unknown `by`.
    """
    if parts < 1:
        raise ValueError("a split needs at least one part")
    if by is not None and by not in BY:
        raise ValueError(f"cannot split by {by!r}")
    spans = [span for span in inputs if span.end > span.start]
    cutter = _Cutter(spans, parts, by, read, breaks or {})
    return cutter.parts()


class _Cutter:
    """Places the cuts of one split. Positions are offsets into the concatenation of the spans."""

    def __init__(
        self,
        spans: Sequence[Span],
        parts: int,
        by: str | None,
        read: Reader,
        breaks: Mapping[str, Sequence[int]],
    ) -> None:
        self._spans = spans
        self._edges = [0]
        for span in spans:
            self._edges.append(self._edges[-1] + len(span))
        self._total = self._edges[-1]
        self._parts = min(parts, self._total)
        self._size = self._total / self._parts if self._total else 0.0
        self._by = by
        self._read = read
        self._breaks = breaks

    def parts(self) -> list[tuple[Span, ...]]:
        cuts = [0]
        for index in range(1, self._parts):
            cut = self._cut(index * self._total // self._parts, cuts[-1])
            if cut is not None and cuts[-1] < cut < self._total:
                cuts.append(cut)
        ends = [*cuts[1:], self._total]
        return [self._between(a, b) for a, b in zip(cuts, ends, strict=True) if a < b]

    def _between(self, start: int, end: int) -> tuple[Span, ...]:
        """The spans of positions `[start, end)`."""
        first = bisect_right(self._edges, start) - 1
        found: list[Span] = []
        for span, edge in zip(self._spans[first:], self._edges[first:], strict=False):
            if edge >= end:
                break
            local = span.start - edge
            found.append(
                Span(
                    document=span.document,
                    start=max(span.start, start + local),
                    end=min(span.end, end + local),
                )
            )
        return tuple(found)

    def _cut(self, ideal: int, previous: int) -> int | None:
        index = bisect_right(self._edges, ideal) - 1
        start, end = self._edges[index], self._edges[index + 1]
        edge = self._near((start, end), ideal, previous)
        if edge is not None:
            return edge
        span = self._spans[index]
        if span.document in self._breaks:
            start, end = self._passage_around(ideal, index)
            fits = end - start <= self._size
            near = self._near((start, end), ideal, previous, reach=1.0 if fits else REACH)
            if near is not None or fits:
                return near
        return self._inside(ideal, previous, start, end, span.start - self._edges[index])

    def _near(
        self, places: Iterable[int], ideal: int, previous: int, reach: float = REACH
    ) -> int | None:
        near = [
            place
            for place in places
            if previous < place < self._total and abs(place - ideal) <= reach * self._size
        ]
        return min(near, key=lambda place: abs(place - ideal), default=None)

    def _passage_around(self, ideal: int, index: int) -> tuple[int, int]:
        """The passage of a derived document that `ideal` lies in, as far as it is in the input."""
        span, edge = self._spans[index], self._edges[index]
        starts = self._breaks[span.document]
        after = bisect_right(starts, ideal - edge + span.start)
        start = starts[after - 1] if after else span.start
        end = starts[after] if after < len(starts) else span.end
        local = edge - span.start
        return max(start, span.start) + local, min(end, span.end) + local

    def _inside(self, ideal: int, previous: int, start: int, end: int, local: int) -> int | None:
        """The best place strictly inside positions `[start, end)`, which are one document's."""
        wide = min(int(WIDE_REACH * self._size), MAX_WINDOW_CHARS)
        reach = min(int(REACH * self._size), MAX_WINDOW_CHARS)
        floor, ceiling = max(previous, start) + 1, end - 1
        if not floor <= ideal <= ceiling:
            return None
        margin = max(wide, reach) + CONTEXT
        begin = max(start, ideal - margin)
        document = self._spans[bisect_right(self._edges, ideal) - 1].document
        text = self._read(
            Span(document=document, start=begin + local, end=min(end, ideal + margin) + local)
        )
        floor, ceiling, aim = floor - begin, ceiling - begin, ideal - begin
        wanted = BY[self._by] if self._by is not None else frozenset()
        if wanted:
            low, high = max(floor, aim - wide), min(ceiling, aim + wide)
            cut = nearest(text, low, high, aim, wanted)
            if cut is not None:
                return cut + begin
        low, high = max(floor, aim - reach), min(ceiling, aim + reach)
        for group in (group for group in DEFAULT_ORDER if not group <= wanted):
            cut = nearest(text, low, high, aim, group)
            if cut is not None:
                return cut + begin
        cut = anywhere(text, floor, ceiling, aim, min(reach, 64))
        return None if cut is None else cut + begin
