"""The text of a PDF, page by page, through PDFium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2

from banyan.errors import BrokenDocument, EncryptedDocument, TooComplex

_NEEDS_PASSWORD = frozenset({4, 5})  # FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY
_LINE_END = re.compile(r"\r\n?")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_HYPHENATION = "\ufffe"
"""What PDFium writes for the hyphen of a word that goes on in the next line, and for that break."""


def pages(source: Path, max_pages: int) -> Iterator[str]:
    """The text of each page; empty where a page has none.

    Raises EncryptedDocument, BrokenDocument, and TooComplex for more than `max_pages`.
    """
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if error.err_code in _NEEDS_PASSWORD:
            raise EncryptedDocument("the PDF needs a password") from error
        raise BrokenDocument("this is no PDF, or a broken one") from error
    if len(document) > max_pages:
        raise TooComplex(f"the PDF has more than {max_pages} pages")
    for index in range(len(document)):
        try:
            page = document[index]
            text = page.get_textpage().get_text_range()
            page.close()
        except pypdfium2.PdfiumError as error:
            raise BrokenDocument(f"page {index + 1} of the PDF cannot be read") from error
        yield _plain(text)


def _plain(text: str) -> str:
    text = _LINE_END.sub("\n", text).replace(_HYPHENATION, "")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROLS.sub(" ", text).strip("\n")
