"""Documents in a bucket: what the folder promises, and what only a bucket can get wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from banyan.adapters.blobs import Blobs, FolderBlobs
from banyan.adapters.bucket_blobs import BucketBlobs
from banyan.adapters.library import BlobLibrary
from banyan.adapters.object_store import PART_BYTES, open_bucket
from banyan.adapters.stores import make_blobs
from banyan.errors import InvalidDocument, NotFound, StoreFull, StoreUnavailable
from banyan.settings import Settings
from banyan.spans import Span
from tests.documents.texts import chunked
from tests.fixtures.bucket import Bucket, settings_for
from tests.full_disk import full_disk


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Both are held to the same tests."""
    if request.param == "folder":
        return FolderBlobs(tmp_path)
    bucket: Bucket = request.getfixturevalue("bucket")
    return make_blobs(bucket.settings)


def keep(blobs: Blobs, key: str, *data: bytes) -> None:
    with blobs.stage() as staged:
        for block in data:
            staged.write(block)
        staged.keep(key)


def test_a_blob_is_there_whole_or_not_at_all(blobs: Blobs) -> None:
    with blobs.stage() as staged:
        staged.write(b"some ")
        with pytest.raises(NotFound):
            blobs.read("a/b.c")
        staged.write(b"bytes")
        staged.keep("a/b.c")
    assert blobs.read("a/b.c") == b"some bytes"


NOWHERE = settings_for("s3://documents", "http://127.0.0.1:1")
"""A bucket that nothing is sent to."""


@pytest.mark.parametrize("block_bytes", [1_000, 3_000_000], ids=["small", "large"])
def test_a_full_disk_has_no_room_for_what_waits_for_the_bucket(block_bytes: int) -> None:
    blobs = BucketBlobs(open_bucket(NOWHERE.blob_url, NOWHERE))
    blocks = [b"x" * block_bytes] * (3_000_000 // block_bytes)
    with full_disk(2_000_000), pytest.raises(StoreFull):
        keep(blobs, "a/b.c", *blocks)


def test_a_full_disk_is_noticed_before_anything_is_put_into_the_bucket() -> None:
    blobs = BucketBlobs(open_bucket(NOWHERE.blob_url, NOWHERE))
    with full_disk(2_000_000), blobs.stage() as staged:
        staged.write(b"x" * 2_000_000)
        staged.write(b"the end")
        with pytest.raises(StoreFull):
            staged.keep("a/b.c")


def test_a_range_ends_where_the_blob_does(blobs: Blobs) -> None:
    keep(blobs, "a/b.c", b"some bytes")
    for start, end in [(0, 4), (2, 6), (8, 99), (5, None), (10, 12), (99, 100), (3, 3)]:
        assert blobs.read("a/b.c", start, end) == b"some bytes"[start:end]


def test_an_empty_blob_is_a_blob(blobs: Blobs) -> None:
    keep(blobs, "a/b.c")
    assert (blobs.read("a/b.c"), blobs.read("a/b.c", 0, 8)) == (b"", b"")


def test_what_was_never_kept_is_not_found(blobs: Blobs) -> None:
    for start, end in [(0, None), (0, 4), (4, 4), (4, None)]:
        with pytest.raises(NotFound):
            blobs.read("a/b.c", start, end)


def test_what_was_removed_is_not_found_and_need_not_be_there(blobs: Blobs) -> None:
    keep(blobs, "a/b.c", b"some bytes")
    keep(blobs, "a/b.d", b"more bytes")
    for _ in range(2):
        blobs.remove("a/b.c")
    with pytest.raises(NotFound):
        blobs.read("a/b.c")
    assert blobs.read("a/b.d") == b"more bytes"
    with pytest.raises(ValueError, match="no blob key"):
        blobs.remove("../a")


def test_a_key_stays_below_the_prefix(bucket: Bucket) -> None:
    blobs = BucketBlobs(bucket.open())
    for key in ["", "/etc/passwd", "../x", "a/../b", "a//b", "A"]:
        with pytest.raises(ValueError, match="no blob key"):
            blobs.read(key)
        with pytest.raises(ValueError, match="no blob key"):
            keep(blobs, key, b"x")
    assert bucket.names() == []


def test_what_is_large_goes_in_parts(bucket: Bucket) -> None:
    data = bytes(range(256)) * (PART_BYTES // 128 + 1)
    blobs = BucketBlobs(bucket.open())
    keep(blobs, "a/b.c", data[:1000], data[1000:])
    assert (
        blobs.read("a/b.c", PART_BYTES - 5, PART_BYTES + 5) == data[PART_BYTES - 5 : PART_BYTES + 5]
    )
    assert blobs.read("a/b.c", len(data) - 3) == data[-3:]
    assert bucket.num_uploads() == 0


async def test_a_document_is_kept_once_and_read_by_span(bucket: Bucket) -> None:
    library = BlobLibrary(make_blobs(bucket.settings))
    text = "ä banyan drops roots. " * 10_000
    info = await library.put("t", chunked(text.encode()))
    assert (await library.put("t", chunked(text.encode()))) == info
    other_process = BlobLibrary(make_blobs(bucket.settings))
    span = Span(document=info.id, start=70_000, end=70_100)
    assert await other_process.text("t", span) == text[70_000:70_100]
    assert [key.rpartition(".")[2] for key in bucket.names()] == ["index", "info", "text"]
    assert all(key.startswith("some/prefix/") for key in bucket.names())


async def test_a_refused_or_broken_upload_leaves_nothing_behind(bucket: Bucket) -> None:
    library = BlobLibrary(make_blobs(bucket.settings))

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await library.put("t", broken())
    with pytest.raises(InvalidDocument):
        await library.put("t", chunked(b"x" * 3_000_000 + b"\x00"))
    assert (bucket.names(), bucket.num_uploads()) == ([], 0)


def test_a_store_that_fails_is_told_from_a_blob_that_is_missing() -> None:
    nowhere = settings_for("s3://documents", "http://127.0.0.1:1")
    with pytest.raises(StoreUnavailable, match=r"a/b\.c"):
        make_blobs(nowhere).read("a/b.c")
    with pytest.raises(StoreUnavailable):
        keep(make_blobs(nowhere), "a/b.c", b"x")


@pytest.mark.parametrize("url", ["documents", "https://documents", "s3://", "s3://b?x=1"])
def test_only_the_url_of_a_bucket_names_one(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(blob_url=url)
    with pytest.raises(ValueError, match="s3://BUCKET"):
        open_bucket(url, Settings())
