"""Files of other formats, made here."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_CATALOG, _PAGES, _FIRST = 1, 2, 4


def pdf(pages: Sequence[Sequence[str]], *, trailer: bytes = b"") -> bytes:
    """A PDF with these lines on its pages; a page without lines is as a scanned one is."""
    return pdf_of([_shown(lines) for lines in pages], trailer=trailer)


def pdf_of(contents: Iterable[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF whose pages have these content streams, compressed."""
    pages: list[bytes] = []
    kids: list[bytes] = []
    for content in contents:
        packed = zlib.compress(content, 9)
        stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
        number = _FIRST + len(pages)
        pages += (stream % (len(packed), packed), _page(number))
        kids.append(b"%d 0 R" % (number + 1))
    tree = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    catalog = b"<< /Type /Catalog /Pages %d 0 R >>" % _PAGES
    return _file([catalog, tree, _FONT, *pages], trailer)


def encrypted_pdf() -> bytes:
    """A PDF whose owner and user passwords are not empty."""
    keys = b"/O <%s> /U <%s>" % (b"5a" * 32, b"a5" * 32)
    encryption = b"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 %s >>" % keys
    return pdf([["Secret."]], trailer=encryption + b" /ID [<00> <00>]")


def _shown(lines: Sequence[str]) -> bytes:
    shown = b" ".join(b"(%s) Tj T*" % line.encode("cp1252") for line in lines)
    return b"BT /F1 12 Tf 14 TL 72 720 Td %s ET" % shown if lines else b""


def _page(content: int) -> bytes:
    resources = b"/Resources << /Font << /F1 3 0 R >> >>"
    box = b"/MediaBox [0 0 612 792]"
    return b"<< /Type /Page /Parent 2 0 R %s %s /Contents %d 0 R >>" % (box, resources, content)


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root %d 0 R %s >>\n" % (len(objects) + 1, _CATALOG, trailer)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
