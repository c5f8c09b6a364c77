"""Shelf: what every library does alike, whatever keeps the documents.

`ShelfLibrary` runs blocking work over one tenant's shelf in threads; a library adds how documents
are kept.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Protocol

from banyan import documents, selection, splits, structure, surroundings
from banyan.action import SplitBy
from banyan.adapters import relevance, search
from banyan.adapters.search import Hit
from banyan.documents import Provenance
from banyan.errors import InvalidInput
from banyan.fields import Reader, reader_of
from banyan.layouts import HEAD_CHARS, PROSE, Layout, layout_of
from banyan.node import Passage
from banyan.ports import DocumentInfo, Nearest, Part
from banyan.records import Kinds, records_of, without_fields
from banyan.selection import Named, Query, Selection
from banyan.spans import Place, Span

MAX_PARTS = 10_000


class Shelf(Protocol):
    """One tenant's documents. Methods block; each raises NotFound for an unknown document."""

    def info(self, document: str) -> DocumentInfo: ...

    def read(self, span: Span) -> str:
        """The text of a span that lies within its document."""
        ...

    def provenance(self, document: str) -> tuple[Provenance, ...] | None:
        """Of a derived document; None for an original."""
        ...


class ShelfLibrary(ABC):
    """The reading half of `banyan.ports.Library`."""

    @abstractmethod
    def shelf(self, tenant: str) -> Shelf:
        """The documents of `tenant`."""

    async def info(self, tenant: str, document: str) -> DocumentInfo:
        """Raises NotFound."""
        return await asyncio.to_thread(self.shelf(tenant).info, document)

    async def text(self, tenant: str, span: Span) -> str:
        """Raises NotFound, and InvalidInput where `span` leaves the document."""
        return await asyncio.to_thread(_text, self.shelf(tenant), span)

    async def passages(self, tenant: str, span: Span) -> tuple[Passage, ...]:
        """The text of `span` in pieces that know where they come from.

        Of a derived document: the passages it was made of, cut where `span` cuts them.
        """
        return await asyncio.to_thread(_passages, self.shelf(tenant), span)

    async def layout(self, tenant: str, document: str) -> Layout:
        """What kind of text a document is. Raises NotFound."""
        return await asyncio.to_thread(_layout, self.shelf(tenant), document)

    async def split(
        self,
        tenant: str,
        inputs: Sequence[Span],
        parts: int,
        by: SplitBy | None,
        *,
        places: Sequence[Place] = (),
        context: Sequence[Span] = (),
        overlap_chars: int = 0,
        max_header_chars: int = 0,
    ) -> list[Part]:
        """See `banyan.splits.split` and `banyan.surroundings.surrounded`.

        Raises InvalidInput for parts or `by` that cannot be.
        """

        def divide() -> list[Part]:
            shelf = self.shelf(tenant)
            _check(shelf, [*inputs, *context])
            layout = _Layouts(shelf)
            return surroundings.surrounded(
                splits.split_at(inputs, places)
                if places
                else _split(shelf, inputs, parts, by, layout),
                [*inputs, *context],
                overlap_chars=overlap_chars,
                max_header_chars=max_header_chars,
                read=shelf.read,
                layout=layout,
            )

        return await asyncio.to_thread(divide)

    async def search(
        self, tenant: str, inputs: Sequence[Span], query: str, *, regex: bool, limit: int
    ) -> tuple[Passage, ...]:
        """See `banyan.adapters.search`. Raises InvalidInput for a query that cannot be searched."""
        return await asyncio.to_thread(_search, self.shelf(tenant), inputs, query, regex, limit)

    async def nearest(
        self, tenant: str, inputs: Sequence[Span], goal: str, max_chars: int
    ) -> Nearest:
        """See `banyan.adapters.relevance`."""
        return await asyncio.to_thread(_nearest, self.shelf(tenant), inputs, goal, max_chars)

    async def named(self, tenant: str, inputs: Sequence[Span], goal: str) -> tuple[Named, ...]:
        """See `banyan.selection.named`."""
        shelf = self.shelf(tenant)

        def find() -> tuple[Named, ...]:
            _check(shelf, inputs)
            return selection.named(goal, records_of(inputs, shelf.read, _kinds(shelf)))

        return await asyncio.to_thread(find)

    async def select(self, tenant: str, inputs: Sequence[Span], query: Query) -> Selection:
        """See `banyan.selection.select`."""
        shelf = self.shelf(tenant)

        def choose() -> Selection:
            _check(shelf, inputs)
            kinds = _kinds(shelf)
            others = without_fields(inputs, kinds)
            return selection.select(records_of(inputs, shelf.read, kinds), query, others)

        return await asyncio.to_thread(choose)


def _text(shelf: Shelf, span: Span) -> str:
    _check(shelf, [span])
    return shelf.read(span)


def _passages(shelf: Shelf, span: Span) -> tuple[Passage, ...]:
    _check(shelf, [span])
    provenance = shelf.provenance(span.document)
    if provenance is None:
        return documents.passages(shelf.read(span), span)
    entries = documents.overlapping(provenance, span.start, span.end)
    return _derived(shelf, span.document, entries)


def _layout(shelf: Shelf, document: str) -> Layout:
    """A derived document is its passages, however these look one behind the other."""
    return PROSE if shelf.info(document).derived else layout_of(_head(shelf, document))


def _head(shelf: Shelf, document: str) -> str:
    end = min(HEAD_CHARS, shelf.info(document).num_chars)
    return shelf.read(Span(document=document, start=0, end=end))


def _kinds(shelf: Shelf) -> Kinds:
    @cache
    def kinds(document: str) -> tuple[Layout, Reader | None]:
        layout = _layout(shelf, document)
        return layout, reader_of(_head(shelf, document), layout)

    return kinds


class _Layouts:
    """The layouts of documents, each told once, and only if it is asked for."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[str, Layout] = {}

    def __call__(self, document: str) -> Layout:
        if document not in self._known:
            self._known[document] = _layout(self._shelf, document)
        return self._known[document]


def _split(
    shelf: Shelf, inputs: Sequence[Span], parts: int, by: SplitBy | None, layout: splits.Layouts
) -> list[tuple[Span, ...]]:
    if not 1 <= parts <= MAX_PARTS:
        raise InvalidInput(f"parts must be between 1 and {MAX_PARTS}")
    if by is not None and by not in structure.BY:
        raise InvalidInput(f"by must be one of {', '.join(structure.BY)}")
    breaks: dict[str, list[int]] = {}
    for document in {span.document for span in inputs}:
        provenance = shelf.provenance(document)
        if provenance is not None:
            breaks[document] = [entry.start for entry in provenance]
    return splits.split(inputs, parts, by, shelf.read, breaks, layout=layout)


def _search(
    shelf: Shelf,
    inputs: Sequence[Span],
    query: str,
    regex: bool,  # noqa: FBT001 - handed on by position, through a thread
    limit: int,
) -> tuple[Passage, ...]:
    matcher = search.compile_query(query, regex=regex)
    _check(shelf, inputs)
    found: list[Passage] = []
    for span in inputs:
        if len(found) >= limit:
            break
        for hit in search.find([span], matcher, shelf.read, limit - len(found)):
            found += _shown(shelf, hit)
    return tuple(found[:limit])


def _nearest(shelf: Shelf, inputs: Sequence[Span], goal: str, max_chars: int) -> Nearest:
    _check(shelf, inputs)
    layout = _Layouts(shelf)

    def header_chars(document: str) -> int:
        return layout(document).header_chars

    hits, share = relevance.nearest(inputs, goal, shelf.read, max_chars, header_chars)
    return Nearest(tuple(passage for hit in hits for passage in _shown(shelf, hit)), share)


def _shown(shelf: Shelf, hit: Hit) -> tuple[Passage, ...]:
    """A hit as a passage; in a derived document, those passages that hold the match."""
    document = hit.shown.document
    provenance = shelf.provenance(document)
    if provenance is None:
        own = (hit.shown,)
        return (Passage(text=shelf.read(hit.shown), sources=own, covered=own),)
    shown = documents.overlapping(provenance, hit.shown.start, hit.shown.end)
    matching = [e for e in shown if e.end > hit.match.start and e.start < hit.match.end]
    return _derived(shelf, document, matching)


def _derived(shelf: Shelf, document: str, entries: Sequence[Provenance]) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            text=shelf.read(Span(document=document, start=entry.start, end=entry.end)),
            sources=entry.sources,
            covered=entry.covered,
        )
        for entry in entries
    )


def _check(shelf: Shelf, spans: Sequence[Span]) -> None:
    for span in spans:
        num_chars = shelf.info(span.document).num_chars
        if span.end > num_chars:
            raise InvalidInput(
                f"span ends at {span.end}, but {span.document} has {num_chars} characters"
            )
