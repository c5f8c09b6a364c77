"""Surroundings: what a part's reader sees beside it, so that it can be understood alone. Pure.

The header of a table whose rows are divided, and on demand some text before the part. Neither is
part of it: a citation of it stands for its true place, but it is not covered, nor counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from banyan import structure
from banyan.boundaries import Group, Rank, nearest
from banyan.ports.library import Part
from banyan.spans import Span, merge
from banyan.splits import Layouts, Reader

_SENTENCES: tuple[Group, ...] = (frozenset({Rank.SENTENCE}), frozenset({Rank.SPACE}))


def surrounded(
    parts: Sequence[tuple[Span, ...]],
    allowed: Sequence[Span],
    *,
    overlap_chars: int,
    max_header_chars: int,
    read: Reader,
    layout: Layouts,
) -> list[Part]:
    """Each of `parts` with its context, which lies within `allowed`: what the parent may see.

    `overlap_chars`: so much text, or a little less, before each part, from the same document.
    `max_header_chars`: headers that are longer together are left out, and the part says so.
    What is allowed of other documents are the headers of records that the inputs were made of.
    """
    allowed = merge(allowed)
    own = {span.document for spans in parts for span in spans}
    foreign = [one for one in allowed if one.document not in own]
    found = []
    for spans in parts:
        headers = [*_headers(spans, allowed, layout), *foreign]
        lacks_header = sum(map(len, headers)) > max_header_chars
        context = [] if lacks_header else headers
        before = _before(spans[0], allowed, overlap_chars, read, layout) if overlap_chars else None
        if before is not None:
            context = [*context, before]
        found.append(Part(spans=spans, context=merge(context), lacks_header=lacks_header))
    return found


def _headers(spans: Sequence[Span], allowed: Sequence[Span], layout: Layouts) -> list[Span]:
    """The headers of the tables that `spans` are rows of, where these are not in the part."""
    found: dict[str, Span] = {}
    for span in spans:
        if span.start == 0 or span.document in found:
            continue
        header_chars = layout(span.document).header_chars
        header = Span(document=span.document, start=0, end=header_chars)
        if 0 < header_chars <= span.start and any(_holds(one, header) for one in allowed):
            found[span.document] = header
    return list(found.values())


def _holds(outer: Span, inner: Span) -> bool:
    return (
        outer.document == inner.document and outer.start <= inner.start and inner.end <= outer.end
    )


def _before(
    span: Span, allowed: Sequence[Span], most_chars: int, read: Reader, layout: Layouts
) -> Span | None:
    """Text before `span`, which begins on a boundary where there is one in the first half of it."""
    around = next(
        (
            one
            for one in allowed
            if one.document == span.document and one.start < span.start <= one.end
        ),
        None,
    )
    if around is None:
        return None
    kind = layout(span.document)
    floor = max(around.start, span.start - most_chars)
    if floor == around.start:
        return Span(document=span.document, start=floor, end=span.start)
    text = read(Span(document=span.document, start=floor, end=span.start))
    finders = structure.finders(None, kind)
    for group in (*structure.order(kind), *_SENTENCES):
        start = nearest(text, 1, len(text) // 2, 1, group, finders=finders)
        if start is not None:
            return Span(document=span.document, start=floor + start, end=span.start)
    return Span(document=span.document, start=floor, end=span.start)
