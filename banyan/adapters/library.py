"""Library: documents in a blob store that several processes share, read by span."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from banyan import documents
from banyan.adapters.blob_shelf import BlobShelf, Cache
from banyan.adapters.blobs import Blobs, Staged
from banyan.adapters.intake import (
    DEFAULT_MAX_BYTES,
    Decoder,
    Indexer,
    check_id,
    content_id,
    derived_id,
)
from banyan.adapters.shelf import ShelfLibrary
from banyan.documents import Provenance
from banyan.node import Passage
from banyan.ports import Announce, DocumentInfo
from banyan.spans import Span

_BUFFER_BYTES = 1 << 18


class BlobLibrary(ShelfLibrary):
    """`banyan.ports.Library` over a blob store.

    `max_bytes` bounds one document; `cache_bytes` the text that was read last, kept decoded.
    """

    def __init__(
        self,
        blobs: Blobs,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        cache_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._cache = Cache(cache_bytes)

    def shelf(self, tenant: str) -> BlobShelf:
        """The documents of `tenant`."""
        return BlobShelf(self._blobs, self._cache, tenant)

    async def info(self, tenant: str, document: str) -> DocumentInfo:
        """Raises NotFound. No thread is asked for what this process knows already."""
        shelf = self.shelf(tenant)
        known = shelf.known(document)
        return await asyncio.to_thread(shelf.info, document) if known is None else known

    async def put(
        self, tenant: str, chunks: AsyncIterator[bytes], *, title: str | None = None
    ) -> DocumentInfo:
        """Store UTF-8 text in bounded memory, once per tenant and content.

        Where the content is there, it keeps the title it has. Raises InvalidDocument.
        """
        with await asyncio.to_thread(self._blobs.stage) as staged:
            upload = _Upload(staged, self._max_bytes)
            buffer = bytearray()
            async for chunk in chunks:
                for start in range(0, len(chunk), _BUFFER_BYTES):
                    buffer += chunk[start : start + _BUFFER_BYTES]
                    if len(buffer) >= _BUFFER_BYTES:
                        await asyncio.to_thread(upload.feed, bytes(buffer))
                        buffer.clear()
            await asyncio.to_thread(upload.feed, bytes(buffer), final=True)
            document = content_id(tenant, upload.indexer.content_sha256)
            return await asyncio.to_thread(
                self.shelf(tenant).keep, document, staged, upload.indexer, title=title
            )

    async def remove(self, tenant: str, document: str) -> bool:
        """See `Library.remove`."""
        check_id(document)
        return await asyncio.to_thread(self.shelf(tenant).remove, document)

    async def derive(
        self, tenant: str, name: str, passages: Sequence[Passage], *, announce: Announce
    ) -> Span:
        """Store `passages` as the derived document `name`, and return the whole of it.

        Repeatable: the id follows from the tenant, the name and the passages. `announce` is told it
        before anything is stored.
        """
        joined = await asyncio.to_thread(_Joined.of, tenant, name, passages)
        await announce(joined.document)
        info = await asyncio.to_thread(self._keep, tenant, joined)
        return Span(document=info.id, start=0, end=info.num_chars)

    async def forget(self, tenant: str, document: str) -> bool:
        """See `Library.forget`."""
        check_id(document)
        return await asyncio.to_thread(self.shelf(tenant).remove, document, derived=True)

    async def close(self) -> None:
        """Nothing is held open."""

    def _keep(self, tenant: str, joined: _Joined) -> DocumentInfo:
        with self._blobs.stage() as staged:
            indexer = Indexer()
            staged.write(indexer.feed(joined.text))
            shelf = self.shelf(tenant)
            return shelf.keep(joined.document, staged, indexer, provenance=joined.provenance)


@dataclass(frozen=True, slots=True)
class _Joined:
    """A derived document that is not stored yet."""

    document: str
    text: str
    provenance: tuple[Provenance, ...]

    @classmethod
    def of(cls, tenant: str, name: str, passages: Sequence[Passage]) -> _Joined:
        text, provenance = documents.join(passages)
        document = derived_id(tenant, name, documents.fingerprint(text, provenance))
        return cls(document, text, provenance)


class _Upload:
    """One upload on its way into a staged blob."""

    def __init__(self, staged: Staged, max_bytes: int) -> None:
        self._staged = staged
        self._decoder = Decoder(max_bytes)
        self.indexer = Indexer()

    def feed(self, data: bytes, *, final: bool = False) -> None:
        self._staged.write(self.indexer.feed(self._decoder.feed(data, final=final)))
