"""Splits: dividing inputs into balanced parts for children, on the structure of their text.

The parts cover the inputs once, in order, without gap or overlap, whatever the text. Only windows
around the cuts are read, so the cost does not grow with the length of a document; where what
stood before decides what may be cut (a quoted field, a fenced block, an element of a JSON array),
the text is read through once.
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from banyan import structure
from banyan.action import SplitBy
from banyan.boundaries import CONTEXT, Group, Rank, anywhere, nearest
from banyan.enclosures import Closed, Enclosure
from banyan.layouts import PROSE, Layout
from banyan.spans import Place, Span

Reader = Callable[[Span], str]
Layouts = Callable[[str], Layout]
"""The layout of a document."""

REACH = 0.3
"""How far a cut may move from where equal parts would meet, as a share of a part."""
WIDE_REACH = 0.45
"""The same for boundaries asked for with `by`, and for turns, records and definitions, which are
worth more than equal lengths. Below 0.5, so that cuts stay apart and no part is longer than twice
its share."""
MAX_WINDOW_CHARS = 32_768
"""The most that is read on either side of a cut."""

_CHUNK_CHARS = 262_144
_LAST_RESORT: Group = frozenset({Rank.SPACE})


def split(
    inputs: Sequence[Span],
    parts: int,
    by: SplitBy | None,
    read: Reader,
    breaks: Mapping[str, Sequence[int]] | None = None,
    *,
    layout: Layouts = lambda _: PROSE,
) -> list[tuple[Span, ...]]:
    """Cut `inputs`, taken as one concatenation, into at most `parts` parts of about equal length.

    A cut lies between two inputs where one ends near, else on the best structural boundary near,
    else between two characters. `by` names the boundaries to prefer; None: those of the document's
    `layout`, which is asked only for documents that a cut falls into. `breaks` gives, for derived
    documents, the starts of their passages: they are cut only there, except inside a passage that
    is larger than a part. There are fewer parts where there is too little text; none is empty, and
    none longer than twice its share. Raises ValueError for `parts` below 1 and for an unknown `by`.
    """
    if parts < 1:
        raise ValueError("a split needs at least one part")
    if by is not None and by not in structure.BY:
        raise ValueError(f"cannot split by {by!r}")
    spans = [span for span in inputs if span.end > span.start]
    cutter = _Cutter(spans, parts, by, read, breaks=breaks or {}, layout=layout)
    return cutter.parts()


def split_at(inputs: Sequence[Span], places: Sequence[Place]) -> list[tuple[Span, ...]]:
    """Cut `inputs` before each of `places`, which lie within them, in order; nowhere else."""
    parts: list[tuple[Span, ...]] = []
    part: list[Span] = []
    left = list(reversed(places))
    for span in inputs:
        start = span.start
        while left and left[-1][0] == span.document and start <= left[-1][1] < span.end:
            _, at = left.pop()
            if at > start:
                part.append(Span(document=span.document, start=start, end=at))
            if part:
                parts.append(tuple(part))
            part, start = [], at
        if start < span.end:
            part.append(Span(document=span.document, start=start, end=span.end))
    return [*parts, tuple(part)] if part else parts


class _Cutter:
    """Places the cuts of one split. Positions are offsets into the concatenation of the spans."""

    def __init__(
        self,
        spans: Sequence[Span],
        parts: int,
        by: SplitBy | None,
        read: Reader,
        *,
        breaks: Mapping[str, Sequence[int]],
        layout: Layouts,
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
        self._layout = layout
        self._scans: dict[int, _Scan] = {}

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
        margin = wide + CONTEXT
        begin = max(start, ideal - margin)
        index = bisect_right(self._edges, ideal) - 1
        document = self._spans[index].document
        text = self._read(
            Span(document=document, start=begin + local, end=min(end, ideal + margin) + local)
        )
        layout = PROSE if document in self._breaks else self._layout(document)
        window = _Window(text, floor - begin, ceiling - begin, ideal - begin, wide, reach)
        cut = window.cut(self._by, layout, self._closed(index, begin + local, text, layout))
        return None if cut is None else cut + begin

    def _closed(self, index: int, begin: int, text: str, layout: Layout) -> Closed:
        """What must stay whole in `text`, which stands at `begin` in the document of a span."""
        span = self._spans[index]
        if span.document in self._breaks:
            return []
        if index not in self._scans:
            inside = structure.enclosure(layout, at_start=span.start == 0)
            self._scans[index] = _Scan(span, inside, self._read)
        return self._scans[index].closed(begin, text)


class _Scan:
    """Goes through one span once, as far as is asked for, to know what is open at a place."""

    def __init__(self, span: Span, enclosure: Enclosure | None, read: Reader) -> None:
        self._span = span
        self._enclosure = enclosure
        self._read = read
        self._position = span.start

    def closed(self, begin: int, text: str) -> Closed:
        """The stretches in `text`, which stands at `begin`, never before a place asked earlier."""
        if self._enclosure is None or not self._enclosure.matters(text):
            return []
        while self._position < begin:
            end = min(begin, self._position + _CHUNK_CHARS)
            document = self._span.document
            self._enclosure.feed(self._read(Span(document=document, start=self._position, end=end)))
            self._position = end
        return copy.copy(self._enclosure).feed(text)


@dataclass(frozen=True, slots=True)
class _Window:
    """The text around one cut. `floor`, `ceiling` and `ideal` are places in it.

    `wide` and `reach`: how far from the ideal a place may lie, in code points.
    """

    text: str
    floor: int
    ceiling: int
    ideal: int
    wide: int
    reach: int

    def cut(self, by: SplitBy | None, layout: Layout, closed: Closed) -> int | None:
        """The best place: as asked for, else as the layout has it; whole stretches if possible."""
        wanted = structure.wanted(by, layout) if by is not None else None
        groups = [group for group in structure.order(layout) if wanted is None or group != wanted]
        if wanted is not None:
            groups.insert(0, wanted)
        rounds = [(closed, [group for group in groups if group != _LAST_RESORT])] if closed else []
        for shut, welcome in [*rounds, ([], groups)]:
            for group in welcome:
                is_wide = group == wanted or Rank.UNIT in group
                cut = self._nearest(group, by, layout, shut, self.wide if is_wide else self.reach)
                if cut is not None:
                    return cut
        return anywhere(self.text, self.floor, self.ceiling, self.ideal, min(self.reach, 64))

    def _nearest(
        self, group: Group, by: SplitBy | None, layout: Layout, closed: Closed, reach: int
    ) -> int | None:
        low, high = max(self.floor, self.ideal - reach), min(self.ceiling, self.ideal + reach)
        finders = structure.finders(by, layout)
        return nearest(self.text, low, high, self.ideal, group, finders=finders, closed=closed)
