"""Media types: which formats are read as documents, and what the bytes themselves say."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from typing import Literal

from banyan.errors import UnsupportedMediaType

Kind = Literal["text", "html", "pdf"]

HEAD_BYTES = 1024
"""Of a document's beginning, to tell its format by."""

_PDF = b"%PDF-"
_HTML = (b"<!doctype html", b"<html")
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive, as office files are",
    b"\xd0\xcf\x11\xe0": "an office file of the old format",
    b"\x1f\x8b": "compressed with gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "in RTF",
}
_TEXTS = frozenset(
    {"application/json", "application/xml", "application/x-ndjson", "application/yaml"}
)
_UNNAMED = "application/octet-stream"
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
"""What browsers and curl send where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a caller says a document is. `kind` is None where the bytes are to tell."""

    name: str
    kind: Kind | None
    charset: str | None


def media_type_of(header: str) -> MediaType:
    """A `Content-Type`; without one, the bytes are to tell.

    Raises UnsupportedMediaType for what is not read here.
    """
    message = Message()
    message["Content-Type"] = header or _UNNAMED
    name = message.get_content_type() if "/" in message["Content-Type"] else ""
    charset = message.get_content_charset()
    if name in {"text/html", "application/xhtml+xml"}:
        return MediaType(name, "html", charset)
    if name == "application/pdf":
        return MediaType(name, "pdf", None)
    if name == _UNNAMED:
        return MediaType(name, None, charset)
    if name.startswith("text/") or name in _TEXTS or name.endswith(("+json", "+xml")):
        return MediaType(name, "text", charset)
    if name in _FORMS:
        raise UnsupportedMediaType(
            "this is a form, and a document is the body itself",
            hint="Send the file alone under its Content-Type, with curl: --data-binary @FILE "
            "-H 'Content-Type: text/plain'.",
        )
    raise UnsupportedMediaType("a document of this content type is not read here")


def resolved(declared: MediaType, head: bytes) -> MediaType:
    """What the document is, given its first HEAD_BYTES.

    Raises UnsupportedMediaType where these say that it is something else.
    """
    for magic, what in _FOREIGN.items():
        if head.startswith(magic) and declared.kind != "pdf":
            raise UnsupportedMediaType(f"this is {what}, and not text")
    is_pdf = _PDF in head if declared.kind is None else head.startswith(_PDF)
    if is_pdf and declared.kind in {"text", "html"}:
        raise UnsupportedMediaType(
            f"this is a PDF, and was sent as {declared.name}",
            hint="Send it as `Content-Type: application/pdf`.",
        )
    if declared.kind is not None:
        return declared
    if is_pdf:
        return MediaType("application/pdf", "pdf", None)
    if head.lstrip()[:16].lower().startswith(_HTML):
        return MediaType("text/html", "html", declared.charset)
    return MediaType("text/plain", "text", declared.charset)
