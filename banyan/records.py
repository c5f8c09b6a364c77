"""Records: the records of documents, one after the other, with what their fields say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from banyan import structure
from banyan.fields import Reader
from banyan.layouts import Layout
from banyan.spans import Span

Read = Callable[[Span], str]
Kinds = Callable[[str], tuple[Layout, Reader | None]]
"""A document's layout, and what reads the fields of its records; None where these have none."""

_CHUNK_CHARS = 262_144


@dataclass(frozen=True, slots=True)
class Record:
    """Where it stands, what its fields say, and how much stands before its document's records."""

    document: str
    start: int
    text: str
    fields: Mapping[str, str]
    header_chars: int = 0

    @property
    def span(self) -> Span:
        return Span(document=self.document, start=self.start, end=self.start + len(self.text))


def records_of(inputs: Sequence[Span], read: Read, kinds: Kinds) -> Iterator[Record]:
    """The records of those inputs that have fields, in order; each input is read piece by piece."""
    for span in inputs:
        layout, reader = kinds(span.document)
        if reader is None:
            continue
        for start, text in _pieces(span, layout, read):
            yield Record(span.document, start, text, reader(text), layout.header_chars)


def without_fields(inputs: Sequence[Span], kinds: Kinds) -> tuple[Span, ...]:
    """The inputs of which `records_of` tells nothing."""
    return tuple(span for span in inputs if kinds(span.document)[1] is None)


def _pieces(span: Span, layout: Layout, read: Read) -> Iterator[tuple[int, str]]:
    position, num_chars = span.start, _CHUNK_CHARS
    while position < span.end:
        end = min(span.end, position + num_chars)
        text = read(Span(document=span.document, start=position, end=end))
        found = structure.records(text, layout, at_start=position == 0)
        following = span.end
        if end < span.end:
            if len(found) < 2:  # a record that is longer than what was read
                num_chars *= 2
                continue
            following = position + found.pop()[0]
        for start, stop in found:
            yield position + start, text[start:stop]
        position, num_chars = following, _CHUNK_CHARS
