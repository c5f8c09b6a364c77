"""Blob shelf: how one tenant's documents lie in a blob store, and how they are read by span.

A document is up to four blobs, written in this order: `text` (UTF-8), `index` (see `Indexer`),
`passages` (the provenance of a derived document) and `info`. A document exists once its `info`
does, so that a crash in between leaves nothing that can be seen. Blobs never change, so whatever
was read may be kept; that a document is still there is looked up again every RECHECK_S.
"""

from __future__ import annotations

import hashlib
import time
from array import array
from collections.abc import Callable
from sys import getsizeof
from typing import Literal

import msgspec
from pydantic import ValidationError

from banyan.adapters.blobs import Blobs, Staged
from banyan.adapters.intake import BLOCK_CHARS, Indexer, check_id, little_endian
from banyan.adapters.lru import Lru
from banyan.documents import Provenance
from banyan.errors import NotFound, StoreError, StoreUnavailable
from banyan.ports import DocumentInfo
from banyan.spans import Span

RECHECK_S = 10.0
"""For so long a document that was removed elsewhere may still be read here."""

_MAX_INFOS = 4_096

Part = Literal["text", "index", "passages", "info"]
_OF_UPLOADS: tuple[Part, ...] = ("text", "index")
_CONTENT: tuple[Part, ...] = (*_OF_UPLOADS, "passages")


class Record(msgspec.Struct, frozen=True):
    """What the `info` blob holds."""

    num_chars: int
    num_bytes: int
    derived: bool = False
    title: str | None = None
    version: int = 1


class Cache:
    """What was read last, of all tenants: decoded blocks and provenance up to `max_bytes` each."""

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.blocks: Lru[tuple[str, int], str] = Lru(max_bytes)
        self.provenance: Lru[str, tuple[Provenance, ...]] = Lru(max_bytes)
        self.records: Lru[str, tuple[Record, float]] = Lru(_MAX_INFOS)
        """And when each was read."""


class BlobShelf:
    """One tenant's documents. A document's id is unique over tenants, so the cache is shared."""

    def __init__(self, blobs: Blobs, cache: Cache, tenant: str) -> None:
        self._blobs = blobs
        self._cache = cache
        self._folder = hashlib.sha256(tenant.encode()).hexdigest()[:32]

    def info(self, document: str) -> DocumentInfo:
        """See `Shelf.info`."""
        return _info(document, self._record(document))

    def known(self, document: str) -> DocumentInfo | None:
        """The same where it was looked up within RECHECK_S; nothing is read. Does not block."""
        record = self._fresh(self._key(document, "info"))
        return None if record is None else _info(document, record)

    def read(self, span: Span) -> str:
        """See `Shelf.read`."""
        if span.start == span.end:
            return ""
        first, last = span.start // BLOCK_CHARS, (span.end - 1) // BLOCK_CHARS
        offsets = self._offsets(span.document, first, last)
        blocks = [
            self._block(span.document, number, offsets[number - first : number - first + 2])
            for number in range(first, last + 1)
        ]
        blocks[-1] = blocks[-1][: span.end - last * BLOCK_CHARS]
        blocks[0] = blocks[0][span.start - first * BLOCK_CHARS :]
        text = "".join(blocks)
        if len(text) != span.end - span.start:
            raise _damaged(span.document, "its text is shorter than its index says")
        return text

    def provenance(self, document: str) -> tuple[Provenance, ...] | None:
        """See `Shelf.provenance`."""
        if not self._record(document).derived:
            return None
        key = self._key(document, "passages")
        known = self._cache.provenance.get(key)
        if known is None:
            packed = self._blobs.read(key)
            try:
                entries = msgspec.msgpack.decode(packed, type=list[dict[str, object]])
                known = tuple(Provenance.model_validate(entry) for entry in entries)
            except (msgspec.DecodeError, ValidationError) as error:
                raise _damaged(document, str(error)) from error
            self._cache.provenance.put(key, known, 8 * len(packed))
        return known

    def keep(
        self,
        document: str,
        text: Staged,
        indexer: Indexer,
        *,
        title: str | None = None,
        provenance: tuple[Provenance, ...] | None = None,
    ) -> DocumentInfo:
        """Store what was staged as `document`, unless it is there. What is there is returned.

        Raises StoreUnavailable where it was removed at the same moment.
        """
        self._cache.records.drop(self._key(document, "info"))  # it may have been removed elsewhere
        if not self._is_there(document):
            text.keep(self._key(document, "text"))
            self._write(self._key(document, "index"), indexer.index())
            if provenance is not None:
                packed = msgspec.msgpack.encode([entry.model_dump() for entry in provenance])
                self._write(self._key(document, "passages"), packed)
            record = Record(
                num_chars=indexer.num_chars,
                num_bytes=indexer.num_bytes,
                derived=provenance is not None,
                title=title,
            )
            self._write(self._key(document, "info"), msgspec.msgpack.encode(record))
            if provenance is None:
                self._check_whole(document)
        return self.info(document)

    def remove(self, document: str, *, derived: bool = False) -> bool:
        """Forget a document that was uploaded, or that was derived. False where there is none.

        What a removal or an upload that broke off has left of it goes too.
        """
        key = self._key(document, "info")
        self._cache.records.drop(key)
        was_there = self._is_there(document)
        if was_there and self._record(document).derived is not derived:
            return False
        self._blobs.remove(key)  # first: the rest cannot be seen without it
        for part in _CONTENT:
            self._blobs.remove(self._key(document, part))
        self._blobs.remove(key)  # of an upload in between, whose text may have gone with the rest
        self._cache.records.drop(key)
        return was_there

    def _check_whole(self, document: str) -> None:
        """Undo an upload from which a removal at the same moment has taken a part."""
        try:
            for part in _OF_UPLOADS:
                self._blobs.read(self._key(document, part), 0, 0)
        except NotFound as error:
            self._blobs.remove(self._key(document, "info"))
            raise StoreUnavailable(
                "the document was deleted while it was stored", hint="Send it again."
            ) from error

    def _is_there(self, document: str) -> bool:
        try:
            self._record(document)
        except NotFound:
            return False
        return True

    def _write(self, key: str, data: bytes) -> None:
        with self._blobs.stage() as staged:
            staged.write(data)
            staged.keep(key)

    def _record(self, document: str) -> Record:
        check_id(document)
        key = self._key(document, "info")
        if (known := self._fresh(key)) is not None:
            return known
        now = self._cache.clock()
        try:
            record = msgspec.msgpack.decode(self._blobs.read(key), type=Record)
        except NotFound as error:
            raise NotFound(f"no document {document}") from error
        except msgspec.DecodeError as error:
            raise _damaged(document, str(error)) from error
        self._cache.records.put(key, (record, now), 1)
        return record

    def _fresh(self, key: str) -> Record | None:
        known = self._cache.records.get(key)
        if known is None or self._cache.clock() - known[1] >= RECHECK_S:
            return None
        return known[0]

    def _offsets(self, document: str, first: int, last: int) -> array[int]:
        """Byte offsets of blocks `first` to `last`, and where the last one ends."""
        self._record(document)
        data = self._blobs.read(self._key(document, "index"), 8 * first, 8 * (last + 2))
        if len(data) != 8 * (last - first + 2):
            raise _damaged(document, "its index is too short")
        return little_endian(array("Q", data))

    def _block(self, document: str, number: int, offsets: array[int]) -> str:
        key = self._key(document, "text")
        block = self._cache.blocks.get((key, number))
        if block is None:
            data = self._blobs.read(key, offsets[0], offsets[1])
            try:
                block = data.decode()
            except UnicodeDecodeError as error:
                raise _damaged(document, error.reason) from error
            self._cache.blocks.put((key, number), block, getsizeof(block))
        return block

    def _key(self, document: str, part: Part) -> str:
        return f"{self._folder}/{document}.{part}"


def _info(document: str, record: Record) -> DocumentInfo:
    return DocumentInfo(
        id=document,
        num_chars=record.num_chars,
        num_bytes=record.num_bytes,
        derived=record.derived,
        title=record.title,
    )


def _damaged(document: str, reason: str) -> StoreError:
    return StoreError(
        f"{document} is damaged: {reason}", hint="Check the disk, and upload the document again."
    )
