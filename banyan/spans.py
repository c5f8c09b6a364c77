"""Spans: half-open ranges of code points of a document's extracted text, and their algebra."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, model_validator

Place = tuple[str, int]
"""A document, and an offset into it in code points."""


class Span(BaseModel):
    """`text[start:end]` of one document, in code points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.end < self.start:
            raise ValueError(f"span ends at {self.end}, before it starts at {self.start}")
        return self

    def __len__(self) -> int:
        return self.end - self.start

    def __bool__(self) -> bool:
        """A span is true even where it is empty; `__len__` would say otherwise."""
        return True


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The union of `spans` as the fewest disjoint spans, ordered. Empty ones vanish."""
    by_document: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for span in spans:
        if span.end > span.start:
            by_document[span.document].append((span.start, span.end))
    merged: list[Span] = []
    for document, ranges in sorted(by_document.items()):
        ranges.sort()
        start, end = ranges[0]
        for next_start, next_end in ranges[1:]:
            if next_start > end:
                merged.append(Span(document=document, start=start, end=end))
                start, end = next_start, next_end
            else:
                end = max(end, next_end)
        merged.append(Span(document=document, start=start, end=end))
    return tuple(merged)


def size(spans: Iterable[Span]) -> int:
    """Code points in the union of `spans`."""
    return sum(len(span) for span in merge(spans))


def subtract(whole: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """What of `whole` is in none of `taken`, merged."""
    taken_by_document: dict[str, list[Span]] = defaultdict(list)
    for span in merge(taken):
        taken_by_document[span.document].append(span)
    left: list[Span] = []
    for span in merge(whole):
        position = span.start
        for hole in taken_by_document[span.document]:
            if hole.end <= position or hole.start >= span.end:
                continue
            if hole.start > position:
                left.append(Span(document=span.document, start=position, end=hole.start))
            position = max(position, hole.end)
        if position < span.end:
            left.append(Span(document=span.document, start=position, end=span.end))
    return tuple(left)
