"""Memory library: the twin of `BlobLibrary` that keeps documents as strings, for tests."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from banyan import documents
from banyan.adapters.intake import (
    DEFAULT_MAX_BYTES,
    Decoder,
    check_id,
    content_id,
    derived_id,
)
from banyan.adapters.shelf import ShelfLibrary
from banyan.documents import Provenance
from banyan.errors import NotFound
from banyan.node import Passage
from banyan.ports import Announce, DocumentInfo
from banyan.spans import Span


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    title: str | None
    provenance: tuple[Provenance, ...] | None


class _MemoryShelf:
    def __init__(self, kept: dict[str, _Kept]) -> None:
        self._kept = kept

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all documents, in the order in which they came."""
        return tuple(self._kept)

    def info(self, document: str) -> DocumentInfo:
        kept = self._get(document)
        return DocumentInfo(
            id=document,
            num_chars=len(kept.text),
            num_bytes=len(kept.text.encode()),
            derived=kept.provenance is not None,
            title=kept.title,
        )

    def read(self, span: Span) -> str:
        return self._get(span.document).text[span.start : span.end]

    def provenance(self, document: str) -> tuple[Provenance, ...] | None:
        return self._get(document).provenance

    def remove(self, document: str, *, derived: bool = False) -> bool:
        kept = self._kept.get(document)
        if kept is None or (kept.provenance is not None) is not derived:
            return False
        del self._kept[document]
        return True

    def keep(self, document: str, kept: _Kept) -> DocumentInfo:
        self._kept.setdefault(document, kept)
        return self.info(document)

    def _get(self, document: str) -> _Kept:
        check_id(document)
        try:
            return self._kept[document]
        except KeyError as error:
            raise NotFound(f"no document {document}") from error


class MemoryLibrary(ShelfLibrary):
    """`banyan.ports.Library` in this process's memory."""

    def __init__(self, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._tenants: dict[str, dict[str, _Kept]] = {}

    def shelf(self, tenant: str) -> _MemoryShelf:
        """The documents of `tenant`."""
        return _MemoryShelf(self._tenants.setdefault(tenant, {}))

    async def put(
        self, tenant: str, chunks: AsyncIterator[bytes], *, title: str | None = None
    ) -> DocumentInfo:
        """See `BlobLibrary.put`."""
        decoder = Decoder(self._max_bytes)
        texts = [decoder.feed(chunk) async for chunk in chunks]
        text = "".join([*texts, decoder.feed(b"", final=True)])
        document = content_id(tenant, hashlib.sha256(text.encode()).hexdigest())
        return self.shelf(tenant).keep(document, _Kept(text, title, None))

    async def remove(self, tenant: str, document: str) -> bool:
        """See `BlobLibrary.remove`."""
        check_id(document)
        return self.shelf(tenant).remove(document)

    async def derive(
        self, tenant: str, name: str, passages: Sequence[Passage], *, announce: Announce
    ) -> Span:
        """See `BlobLibrary.derive`."""
        text, provenance = documents.join(passages)
        document = derived_id(tenant, name, documents.fingerprint(text, provenance))
        await announce(document)
        self.shelf(tenant).keep(document, _Kept(text, None, provenance))
        return Span(document=document, start=0, end=len(text))

    async def forget(self, tenant: str, document: str) -> bool:
        """See `Library.forget`."""
        check_id(document)
        return self.shelf(tenant).remove(document, derived=True)

    async def close(self) -> None:
        """Nothing is held open."""
