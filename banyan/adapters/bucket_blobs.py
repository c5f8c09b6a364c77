"""Bucket blobs: blobs as objects of an S3-compatible bucket, for machines that share no folder.

What is staged waits in a file of this machine (in `TMPDIR`) until it is kept, and is uploaded then:
a put is atomic, and an upload that breaks off leaves nothing in the bucket.
"""

from __future__ import annotations

import contextlib
import tempfile
from types import TracebackType
from typing import Self

import obstore
from obstore.exceptions import GenericError
from obstore.store import S3Store

from banyan.adapters.blobs import check_key
from banyan.adapters.object_store import (
    NUM_PARALLEL_PARTS,
    PART_BYTES,
    put_translated,
    translated,
)
from banyan.adapters.room import room
from banyan.errors import NotFound

_SPOOL_BYTES = 1 << 20
"""Up to here staged bytes stay in memory."""


class BucketBlobs:
    """Blobs as objects. Safe between processes: keys are written whole, and always alike."""

    def __init__(self, bucket: S3Store) -> None:
        self._bucket = bucket

    def stage(self) -> _StagedObject:
        """See `Blobs.stage`."""
        return _StagedObject(self._bucket)

    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """See `Blobs.read`. Raises StoreUnavailable too."""
        check_key(key)
        with translated(key):
            if start == 0 and end is None:
                return bytes(obstore.get(self._bucket, key).bytes())
            if end is not None and start < end:
                with contextlib.suppress(GenericError):  # 416 where it begins behind the end
                    return bytes(obstore.get_range(self._bucket, key, start=start, end=end))
            return self._clipped(key, start, end)

    def remove(self, key: str) -> None:
        """See `Blobs.remove`. Raises StoreUnavailable too."""
        check_key(key)
        with contextlib.suppress(NotFound), translated(key):
            obstore.delete(self._bucket, key)

    def _clipped(self, key: str, start: int, end: int | None) -> bytes:
        """A range within what there is; S3 serves no empty ones."""
        size = obstore.head(self._bucket, key)["size"]
        end = size if end is None else min(end, size)
        if start >= end:
            return b""
        return bytes(obstore.get_range(self._bucket, key, start=start, end=end))


class _StagedObject:
    def __init__(self, bucket: S3Store) -> None:
        self._bucket = bucket
        self._file = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115  # closed below

    def write(self, data: bytes) -> None:
        with room("documents"):
            self._file.write(data)

    def keep(self, key: str) -> None:
        check_key(key)
        with room("documents"):
            self._file.seek(0)  # which writes what waits in its buffer
        with put_translated(key):
            obstore.put(
                self._bucket,
                key,
                self._file,
                chunk_size=PART_BYTES,
                max_concurrency=NUM_PARALLEL_PARTS,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # what the disk did not take is not kept either
            self._file.close()
