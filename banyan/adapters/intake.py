"""Intake: bytes of an upload become checked text, block by block, in bounded memory."""

from __future__ import annotations

import codecs
import hashlib
import re
from array import array

from banyan.errors import InvalidDocument, NotFound

BLOCK_CHARS = 16_384
"""Code points between two entries of a document's index."""
DEFAULT_MAX_BYTES = 1 << 30

_ID = re.compile(r"doc_[0-9a-f]{32}")


def content_id(tenant: str, content_sha256: str) -> str:
    """The id of a document with this content; each tenant has its own."""
    return _id(f"{len(tenant)}:{tenant}{content_sha256}")


def derived_id(tenant: str, name: str, fingerprint: str) -> str:
    """The id of a derived document; never that of an uploaded one.

    `fingerprint` is a hash of what it holds: where a resumed node derives the same name from other
    results, that is another document, and whoever still reads the old one is not disturbed.
    """
    return _id(f"{len(tenant)}:{tenant}derived:{fingerprint}:{name}")


def check_id(document: str) -> None:
    """Raises NotFound for what cannot be a document's id."""
    if not _ID.fullmatch(document):
        raise NotFound("no such document")


def _id(text: str) -> str:
    return "doc_" + hashlib.sha256(text.encode()).hexdigest()[:32]


class Decoder:
    """Incremental strict UTF-8 without NUL; a byte order mark is dropped; newlines are kept.

    `feed` raises InvalidDocument, also where the text exceeds `max_bytes`.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._started = False
        self.num_bytes = 0
        self.num_chars = 0

    def feed(self, data: bytes, *, final: bool = False) -> str:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise InvalidDocument(
                f"not UTF-8: {error.reason} soon after byte {self.num_bytes}"
            ) from error
        if text and not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        nul = text.find("\x00")
        if nul >= 0:
            raise InvalidDocument(f"NUL at character {self.num_chars + nul}")
        self.num_chars += len(text)
        self.num_bytes += len(text) if text.isascii() else len(text.encode())
        if self.num_bytes > self._max_bytes:
            raise InvalidDocument(f"larger than {self._max_bytes} bytes")
        return text


class Indexer:
    """Counts the bytes of text that comes in pieces, and notes where each block begins.

    `index` are the byte offsets of code points 0, BLOCK_CHARS, 2 * BLOCK_CHARS ... and of the end,
    as little-endian 64-bit integers.
    """

    def __init__(self) -> None:
        self._offsets = array("Q", [0])
        self._in_block = 0
        self._hash = hashlib.sha256()
        self.num_chars = 0
        self.num_bytes = 0

    def feed(self, text: str) -> bytes:
        """Count `text` and return its UTF-8."""
        encoded: list[bytes] = []
        position = 0
        while position < len(text):
            piece = text[position : position + BLOCK_CHARS - self._in_block]
            data = piece.encode()
            encoded.append(data)
            position += len(piece)
            self.num_bytes += len(data)
            self._in_block += len(piece)
            if self._in_block == BLOCK_CHARS:
                self._offsets.append(self.num_bytes)
                self._in_block = 0
        self.num_chars += len(text)
        joined = b"".join(encoded)
        self._hash.update(joined)
        return joined

    @property
    def content_sha256(self) -> str:
        return self._hash.hexdigest()

    def index(self) -> bytes:
        """The index, once all text was fed."""
        offsets = self._offsets[:]
        if self._in_block:
            offsets.append(self.num_bytes)
        return little_endian(offsets).tobytes()


def little_endian(offsets: array[int]) -> array[int]:
    """`offsets` from or to the byte order of the index file; its own inverse."""
    if memoryview(array("H", [1])).tobytes() != b"\x01\x00":
        offsets.byteswap()
    return offsets
