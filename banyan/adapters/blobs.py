"""Blobs: immutable byte strings by key. Here in a folder that service and workers share.

`banyan/adapters/bucket_blobs.py` keeps them in a bucket instead.

A key is complete or absent, never half written: bytes are staged under a name of their own,
flushed to the disk and renamed. Writers of one key write the same bytes, so the last one wins and
nothing changes.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from banyan.adapters.room import room
from banyan.errors import NotFound

_KEY = re.compile(r"[a-z0-9_]{1,80}(?:[/.][a-z0-9_]{1,80}){0,4}")
_STAGING = ".staging"


class Staged(Protocol):
    """Bytes on their way in. A context manager: what is not kept when it ends is gone."""

    def write(self, data: bytes) -> None: ...

    def keep(self, key: str) -> None:
        """Make the bytes readable under `key`, durably."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Blobs(Protocol):
    """A blob store. Methods block; they are called from threads. Safe between processes.

    What writes raises StoreFull where there is no room.
    """

    def stage(self) -> Staged: ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes `[start, end)`, fewer where the blob is shorter. Raises NotFound."""
        ...

    def remove(self, key: str) -> None:
        """Forget a blob, where there is one."""
        ...


class FolderBlobs:
    """Blobs as files below `root`, which is made at the first write."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def stage(self) -> Staged:
        return _StagedFile(self._root)

    def remove_staged(self, *, before: float) -> None:
        """Remove what writers that died had staged before this time (seconds since the epoch)."""
        folder = self._root / _STAGING
        for path in folder.iterdir() if folder.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()

    def remove(self, key: str) -> None:
        """See `Blobs.remove`."""
        _path(self._root, key).unlink(missing_ok=True)

    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """See `Blobs.read`."""
        try:
            with _path(self._root, key).open("rb", buffering=0) as file:
                file.seek(start)
                return _read_fully(file.fileno(), end - start if end is not None else None)
        except FileNotFoundError as error:
            raise NotFound(f"no blob {key}") from error


def _read_fully(descriptor: int, size: int | None) -> bytes:
    """`size` bytes from here on, or up to the end: a single read may return fewer."""
    blocks: list[bytes] = []
    while size is None or size > 0:
        block = os.read(descriptor, 1 << 20 if size is None else min(size, 1 << 30))
        if not block:
            break
        blocks.append(block)
        size = None if size is None else size - len(block)
    return b"".join(blocks)


class _StagedFile:
    def __init__(self, root: Path) -> None:
        self._root = root
        folder = root / _STAGING
        with room("documents"):
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / secrets.token_hex(16)
            # Without a buffer nothing is left to be written when it is closed.
            self._file = self._path.open("xb", buffering=0)

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        with room("documents"):
            while rest:
                rest = rest[self._file.write(rest) :]

    def keep(self, key: str) -> None:
        target = _path(self._root, key)
        is_new = not target.parent.exists()
        with room("documents"):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.fsync(self._file.fileno())
            self._path.replace(target)
            _sync_folder(target.parent)
            if is_new:
                _sync_folder(target.parent.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def check_key(key: str) -> None:
    """Raises ValueError for what is no key, and could lead out of where blobs are kept."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no blob key")


def _path(root: Path, key: str) -> Path:
    check_key(key)
    return root / key


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
