"""What only the stored form can get wrong: crashes, damage, races, escapes, memory."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from banyan.adapters.blob_shelf import RECHECK_S, BlobShelf, Cache
from banyan.adapters.blobs import Blobs, FolderBlobs, Staged
from banyan.adapters.intake import BLOCK_CHARS
from banyan.adapters.library import BlobLibrary
from banyan.adapters.lru import Lru
from banyan.errors import InvalidDocument, NotFound, StoreError, StoreFull, StoreUnavailable
from banyan.spans import Span
from tests.documents.texts import chunked, unheard
from tests.fixtures.waiting import PATIENCE_S
from tests.full_disk import full_disk
from tests.threads import all_busy

MEGABYTE = 1_000_000


async def test_a_full_disk_refuses_a_document_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))

    with full_disk(MEGABYTE // 2), pytest.raises(StoreFull):
        await library.put("acme", chunked(b"word " * MEGABYTE))

    assert files(tmp_path) == []
    info = await library.put("acme", chunked(b"word " * MEGABYTE))
    assert info.num_chars == 5 * MEGABYTE


class CountingBlobs:
    """Passes on to a folder, and counts the bytes that are read."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.read_bytes = 0

    def stage(self) -> Staged:
        return self._blobs.stage()

    def remove(self, key: str) -> None:
        self._blobs.remove(key)

    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        data = self._blobs.read(key, start, end)
        self.read_bytes += len(data)
        return data


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def only(root: Path, name: str) -> Path:
    (path,) = root.rglob(name)
    return path


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "A", "a\n"])
def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path, key: str) -> None:
    blobs = FolderBlobs(tmp_path)
    with pytest.raises(ValueError, match="no blob key"):
        blobs.read(key)
    with pytest.raises(ValueError, match="no blob key"), blobs.stage() as staged:
        staged.keep(key)
    assert files(tmp_path) == []


def test_a_blob_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    with blobs.stage() as staged:
        staged.write(b"never kept")
    with blobs.stage() as staged:
        staged.write(b"some ")
        with pytest.raises(NotFound):
            blobs.read("a/b.c")
        staged.write(b"bytes")
        staged.keep("a/b.c")
    assert blobs.read("a/b.c") == b"some bytes"
    assert blobs.read("a/b.c", 2, 6) == b"me b"
    assert blobs.read("a/b.c", 8, 99) == b"es"
    assert files(tmp_path) == [tmp_path / "a" / "b.c"]


async def test_a_refused_or_broken_upload_leaves_nothing_behind(tmp_path: Path) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await library.put("t", broken())
    with pytest.raises(InvalidDocument):
        await library.put("t", chunked(b"x" * 3_000_000 + b"\xff"))
    assert files(tmp_path) == []


async def test_a_document_is_stored_once(tmp_path: Path) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))
    await library.put("t", chunked(b"text"))
    before = [(path, path.stat().st_ino) for path in files(tmp_path)]
    await library.put("t", chunked(b"text"))
    assert [(path, path.stat().st_ino) for path in files(tmp_path)] == before
    assert [path.suffix for path, _ in before] == [".index", ".info", ".text"]


async def test_what_is_known_of_a_document_is_told_while_all_threads_are_busy(
    tmp_path: Path,
) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))
    info = await library.put("t", chunked(b"text"))

    with all_busy():
        async with asyncio.timeout(PATIENCE_S):
            assert await library.info("t", info.id) == info


async def test_a_document_without_info_is_not_there_and_can_be_stored_again(tmp_path: Path) -> None:
    info = await BlobLibrary(FolderBlobs(tmp_path)).put("t", chunked(b"text"))
    only(tmp_path, f"{info.id}.info").unlink()
    library = BlobLibrary(FolderBlobs(tmp_path))
    with pytest.raises(NotFound):
        await library.info("t", info.id)
    assert await library.put("t", chunked(b"text")) == info
    assert await library.text("t", Span(document=info.id, start=0, end=4)) == "text"


@pytest.mark.parametrize("part", ["text", "index", "info", "passages"])
async def test_damage_is_noticed(tmp_path: Path, part: str) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))
    text = "ä" * 40_000
    span = Span(document=(await library.put("t", chunked(text.encode()))).id, start=0, end=40_000)
    if part == "passages":
        passages = await library.passages("t", span)
        span = await library.derive("t", "n", passages, announce=unheard)
    damage(only(tmp_path, f"{span.document}.{part}"))
    with pytest.raises(StoreError, match="damaged"):
        await BlobLibrary(FolderBlobs(tmp_path)).passages("t", span)


async def test_nothing_is_left_of_a_derived_text_that_was_forgotten(tmp_path: Path) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))
    whole = Span(document=(await library.put("t", chunked(b"text"))).id, start=0, end=4)
    before = files(tmp_path)
    passages = await library.passages("t", whole)
    derived = await library.derive("t", "n", passages, announce=unheard)
    assert len(files(tmp_path)) == len(before) + 4
    assert await library.forget("t", derived.document)
    assert files(tmp_path) == before


async def test_what_a_crash_has_left_of_a_derived_text_is_forgotten_too(tmp_path: Path) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))
    derived = await library.derive("t", "n", [], announce=unheard)
    only(tmp_path, f"{derived.document}.info").unlink()
    assert not await BlobLibrary(FolderBlobs(tmp_path)).forget("t", derived.document)
    assert files(tmp_path) == []


STORE = """
import asyncio, sys
from pathlib import Path
from banyan.adapters.blobs import FolderBlobs
from banyan.adapters.library import BlobLibrary

async def chunks():
    for n in range(50):
        yield f"Line {n}. ".encode() * 2_000

async def main():
    libraries = [BlobLibrary(FolderBlobs(Path(sys.argv[1]))) for _ in range(4)]
    infos = await asyncio.gather(*(library.put("t", chunks()) for library in libraries))
    (only,) = {info.id for info in infos}
    print(only)

asyncio.run(main())
"""


async def test_processes_that_store_the_same_text_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STORE, str(tmp_path)]
    pipe = asyncio.subprocess.PIPE
    started = [await asyncio.create_subprocess_exec(*command, stdout=pipe) for _ in range(2)]
    outputs = [(await process.communicate())[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert len(set(outputs)) == 1
    identifier = outputs[0].decode().strip()
    library = BlobLibrary(FolderBlobs(tmp_path))
    text = "".join(f"Line {n}. " * 2_000 for n in range(50))
    assert await library.text("t", Span(document=identifier, start=0, end=len(text))) == text
    assert len(files(tmp_path)) == 3


async def large(library: BlobLibrary, megabytes: int) -> Span:
    """A document of lines of 100 bytes, which is never in memory as a whole."""

    async def chunks() -> AsyncIterator[bytes]:
        for n in range(megabytes):
            yield b"".join(
                f"{n:04}{line:05} {'word ' * 17}end.\n".encode() for line in range(10_000)
            )

    info = await library.put("t", chunks())
    assert info.num_bytes == megabytes * MEGABYTE
    return Span(document=info.id, start=0, end=info.num_chars)


async def test_a_large_document_is_stored_split_and_read_in_little_memory(tmp_path: Path) -> None:
    blobs = CountingBlobs(FolderBlobs(tmp_path))
    library = BlobLibrary(blobs, cache_bytes=MEGABYTE)
    tracemalloc.start()
    try:
        span = await large(library, 24)
        parts = await library.split("t", [span], 8, None)
        start = parts[4].spans[0].start
        line = await library.text("t", parts[4].spans[0].model_copy(update={"end": start + 9}))
        assert line == f"{start // MEGABYTE:04}{start % MEGABYTE // 100:05}"
        assert tracemalloc.get_traced_memory()[1] < 10 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert len(parts) == 8
    assert blobs.read_bytes < 2 * MEGABYTE


async def test_text_that_was_just_read_is_not_read_again(tmp_path: Path) -> None:
    blobs = CountingBlobs(FolderBlobs(tmp_path))
    library = BlobLibrary(blobs)
    span = await large(library, 1)
    await library.text("t", span)
    before = blobs.read_bytes
    await library.text("t", span)
    assert blobs.read_bytes - before < 1_000


def test_a_span_costs_the_blocks_it_touches(tmp_path: Path) -> None:
    blobs = CountingBlobs(FolderBlobs(tmp_path))
    span = asyncio.run(large(BlobLibrary(blobs), 1))
    blobs.read_bytes = 0
    shelf = BlobShelf(blobs, Cache(0), "t")
    shelf.read(Span(document=span.document, start=500_000, end=500_010))
    assert blobs.read_bytes < BLOCK_CHARS + 500


def test_the_cache_forgets_what_was_used_least_recently() -> None:
    cache: Lru[str, int] = Lru(10)
    cache.put("a", 1, 4)
    cache.put("b", 2, 4)
    assert cache.get("a") == 1
    cache.put("c", 3, 4)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    cache.put("a", 9, 1)
    cache.put("huge", 5, 11)
    assert (cache.get("a"), cache.get("huge"), cache.weight) == (9, None, 5)


async def test_what_another_process_removes_is_soon_gone_here_and_can_be_sent_again(
    tmp_path: Path,
) -> None:
    now = [0.0]
    here, elsewhere = BlobLibrary(FolderBlobs(tmp_path)), BlobLibrary(FolderBlobs(tmp_path))
    info = await here.put("acme", chunked(b"word"))
    cached = BlobShelf(FolderBlobs(tmp_path), Cache(MEGABYTE, lambda: now[0]), "acme")
    span = Span(document=info.id, start=0, end=4)
    assert cached.read(span) == "word"

    assert await elsewhere.remove("acme", info.id)
    assert files(tmp_path) == []
    now[0] = RECHECK_S
    with pytest.raises(NotFound):
        cached.read(span)

    assert await here.put("acme", chunked(b"word")) == info  # though it remembers to have it
    assert await elsewhere.text("acme", span) == "word"


class Interrupted(FolderBlobs):
    """Has something happen just before a blob of this name is kept."""

    def __init__(self, root: Path, name: str, happens: Callable[[], object]) -> None:
        super().__init__(root)
        self._name, self._happens = name, happens

    def stage(self) -> Staged:
        return Telling(super().stage(), self._before)

    def _before(self, key: str) -> None:
        if key.endswith(self._name):
            self._happens()


class Telling:
    """Staged bytes that tell when they are to be kept."""

    def __init__(self, staged: Staged, tell: Callable[[str], None]) -> None:
        self._staged, self._tell = staged, tell

    def write(self, data: bytes) -> None:
        self._staged.write(data)

    def keep(self, key: str) -> None:
        self._tell(key)
        self._staged.keep(key)

    def __enter__(self) -> Self:
        self._staged.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._staged.__exit__(kind, error, trace)


@pytest.mark.parametrize("name", [".index", ".info"])
async def test_an_upload_that_a_removal_meets_is_whole_or_not_there(
    tmp_path: Path, name: str
) -> None:
    sure = BlobLibrary(FolderBlobs(tmp_path))
    info = await sure.put("acme", chunked(b"word"))
    await sure.remove("acme", info.id)
    elsewhere = BlobShelf(FolderBlobs(tmp_path), Cache(0), "acme")
    met = BlobLibrary(Interrupted(tmp_path, name, lambda: elsewhere.remove(info.id)))

    with pytest.raises(StoreUnavailable, match="deleted while it was stored"):
        await met.put("acme", chunked(b"word"))
    with pytest.raises(NotFound):
        await sure.info("acme", info.id)

    assert await sure.put("acme", chunked(b"word")) == info
    assert await sure.text("acme", Span(document=info.id, start=0, end=4)) == "word"


async def test_what_a_removal_that_broke_off_has_left_goes_with_the_next(tmp_path: Path) -> None:
    library = BlobLibrary(FolderBlobs(tmp_path))
    info = await library.put("acme", chunked(b"word"))
    only(tmp_path, "*.info").unlink()

    assert not await BlobLibrary(FolderBlobs(tmp_path)).remove("acme", info.id)
    assert files(tmp_path) == []
