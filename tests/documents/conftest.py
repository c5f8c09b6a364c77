from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from banyan.adapters.blobs import FolderBlobs
from banyan.adapters.library import BlobLibrary
from banyan.adapters.memory_library import MemoryLibrary
from banyan.ports import Library

MAX_BYTES = 200_000


class MakeLibrary(Protocol):
    """A fresh, empty library with a small limit."""

    def __call__(self, max_bytes: int = MAX_BYTES) -> Library: ...


@pytest.fixture(params=["folder", "memory"])
def make_library(request: pytest.FixtureRequest, tmp_path: Path) -> MakeLibrary:
    """Both libraries are held to the same suite."""

    def make(max_bytes: int = MAX_BYTES) -> Library:
        if request.param == "memory":
            return MemoryLibrary(max_bytes=max_bytes)
        return BlobLibrary(FolderBlobs(tmp_path / "blobs"), max_bytes=max_bytes)

    return make


@pytest.fixture
def library(make_library: MakeLibrary) -> Library:
    return make_library()
