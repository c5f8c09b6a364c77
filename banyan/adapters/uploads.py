"""Uploads: documents of every format that is taken, on their way to be text in UTF-8.

Text is passed on while it comes, in bounded memory. HTML and PDF wait in a file of this machine (in
`TMPDIR`) until all of it is there, and are read then.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from banyan.adapters.encodings import Recoder
from banyan.adapters.extraction.extractor import Extractor
from banyan.adapters.media_types import HEAD_BYTES, MediaType, media_type_of, resolved
from banyan.adapters.room import room

_BLOCK_BYTES = 1 << 18
_MAGIC_BYTES = 8
"""Where a document is said to be text, these are enough to see that it is not."""


@dataclass(slots=True)
class Source:
    """What a document was sent as. Complete once its text was read to the end."""

    media_type: str
    encoding: str | None = None
    num_pages: int | None = None
    num_pages_without_text: int | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document's text in UTF-8, to be read once, and what it was sent as.

    `is_checked`: nothing that is wrong with it is left to be found while it is read.
    """

    text: AsyncIterator[bytes]
    source: Source
    is_checked: bool


class Uploads:
    """Reads what is sent, whatever its format is. Files wait in `folder`; default: `TMPDIR`."""

    def __init__(self, extractor: Extractor | None = None, folder: Path | None = None) -> None:
        self._extractor = extractor or Extractor()
        self._folder = folder

    @asynccontextmanager
    async def incoming(
        self, chunks: AsyncIterator[bytes], content_type: str
    ) -> AsyncIterator[Incoming]:
        """The text of a document that comes in chunks, each of them small.

        Raises InvalidDocument, of several kinds: here, or while the text is read. Raises StoreFull
        where there is no room for what waits.
        """
        declared = media_type_of(content_type)
        num_bytes = _MAGIC_BYTES if declared.kind == "text" else HEAD_BYTES
        head, rest = await _head(chunks, num_bytes)
        media_type = resolved(declared, head)
        source = Source(media_type.name)
        if media_type.kind == "text":
            yield Incoming(_recoded(rest, media_type.charset, source), source, is_checked=False)
            return
        with room("an upload"):
            waiting = tempfile.TemporaryDirectory(prefix="banyan-", dir=self._folder)
        with waiting as name:
            folder = Path(name)
            await _save(rest, folder / "source")
            await self._extract(folder, media_type, source)
            yield Incoming(_saved(folder / "text"), source, is_checked=True)

    async def _extract(self, folder: Path, media_type: MediaType, source: Source) -> None:
        facts = await self._extractor.extract(
            "pdf" if media_type.kind == "pdf" else "html",
            folder / "source",
            folder / "text",
            charset=media_type.charset,
        )
        source.encoding = facts.get("encoding")
        source.num_pages = facts.get("num_pages")
        source.num_pages_without_text = facts.get("num_pages_without_text")


async def _head(chunks: AsyncIterator[bytes], num_bytes: int) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, as soon as there are `num_bytes`, and everything, these included."""
    first = bytearray()
    async for chunk in chunks:
        first += chunk
        if len(first) >= num_bytes:
            break

    async def everything() -> AsyncIterator[bytes]:
        yield bytes(first)
        async for chunk in chunks:
            yield chunk

    return bytes(first[:HEAD_BYTES]), everything()


async def _recoded(
    chunks: AsyncIterator[bytes], charset: str | None, source: Source
) -> AsyncIterator[bytes]:
    recoder = Recoder(charset)
    async for chunk in chunks:
        if recoder.is_settled:
            yield chunk
        else:
            yield await asyncio.to_thread(recoder.feed, chunk)
    yield await asyncio.to_thread(recoder.feed, b"", final=True)
    source.encoding = recoder.encoding


async def _save(chunks: AsyncIterator[bytes], path: Path) -> None:
    with room("an upload"), path.open("wb", buffering=_BLOCK_BYTES) as file:
        async for chunk in chunks:
            await asyncio.to_thread(file.write, chunk)


async def _saved(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, _BLOCK_BYTES):
            yield block
