"""Inline documents: texts and files within a request, all of them read before one is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from banyan.adapters.intake import Decoder
from banyan.adapters.uploads import Uploads
from banyan.errors import InvalidDocument
from service.problems import Refused
from service.schemas import MAX_FILES, InputDocument

Texts = dict[int, AsyncIterator[bytes]]
"""Texts in UTF-8 by the place of their document in the request, each to be read once."""

_CHUNK_CHARS = 64 * 1024
_CHUNK_BYTES = 64 * 1024


@asynccontextmanager
async def texts_of(documents: Sequence[InputDocument], uploads: Uploads) -> AsyncIterator[Texts]:
    """What the documents without an id say. Raises Refused, which names the document."""
    files = [(index, one) for index, one in enumerate(documents) if one.data is not None]
    if len(files) > MAX_FILES:
        raise Refused(
            f"documents: more than {MAX_FILES} of them are files.",
            code="invalid_input",
            hint="Upload files with POST /documents, and refer to them by id.",
            field="documents",
        )
    texts = {
        index: _chunks(one.text) for index, one in enumerate(documents) if one.text is not None
    }
    async with AsyncExitStack() as stack:
        for index, document in files:
            try:
                texts[index] = await _read(document, uploads, stack)
            except InvalidDocument as error:
                raise Refused(
                    f"documents.{index}: {error}.",
                    code=error.code,
                    hint=error.hint,
                    field=f"documents.{index}.data",
                ) from error
        yield texts


async def _read(
    document: InputDocument, uploads: Uploads, stack: AsyncExitStack
) -> AsyncIterator[bytes]:
    """The text of a file, with nothing left to be refused while it is stored."""
    data = document.data or b""
    incoming = await stack.enter_async_context(uploads.incoming(_pieces(data), document.media_type))
    if incoming.is_checked:
        return incoming.text
    text = b"".join([chunk async for chunk in incoming.text])
    Decoder(len(text)).feed(text, final=True)
    return _pieces(text)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _CHUNK_BYTES):
        yield data[start : start + _CHUNK_BYTES]


async def _chunks(text: str) -> AsyncIterator[bytes]:
    for start in range(0, len(text), _CHUNK_CHARS):
        yield text[start : start + _CHUNK_CHARS].encode()
