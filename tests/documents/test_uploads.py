"""HTML and PDF become text within limits, in a process of their own."""

from __future__ import annotations

import os
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from banyan.adapters.extraction.extractor import ExtractionLimits, Extractor
from banyan.adapters.extraction.html import declared_charset, markdown
from banyan.adapters.media_types import media_type_of, resolved
from banyan.adapters.uploads import Source, Uploads
from banyan.errors import (
    BrokenDocument,
    EncryptedDocument,
    InvalidDocument,
    NoText,
    StoreFull,
    TooComplex,
    UnknownEncoding,
    UnsupportedMediaType,
)
from tests.documents.files import encrypted_pdf, pdf, pdf_of
from tests.documents.texts import chunked
from tests.full_disk import full_disk

MIB = 1024 * 1024
PDF = "application/pdf"
PAGE = """<!doctype html><html><head><title>Sale</title><style>p{}</style>
<script>evil("<p>")</script></head><body><nav><a href="/">Home</a></nav>
<h1>Contract <i>of</i> sale</h1><!-- hidden -->
<p>Some <b>bold</b>er text &mdash; 5 &lt; 6.<ul><li>one<li><p>two</p><ul><li>deep</ul></ul>
<ol><li>x<li>y</ol><table><tr><th>a<th>b<tr><td><p>1</p><td>2</table><pre>kept
  as it is</pre>line<br>next<img alt="A tree" src="data:image/png;base64,AAAA"></body></html>"""
TEXT = """Sale

Home

# Contract of sale

Some bolder text — 5 < 6.

- one
- two

  - deep

1. x
2. y

a | b
1 | 2

kept
  as it is

line
next A tree"""


async def read(
    data: bytes, content_type: str, limits: ExtractionLimits | None = None
) -> tuple[str, Source]:
    uploads = Uploads(Extractor(limits))
    async with uploads.incoming(chunked(data), content_type) as incoming:
        text = b"".join([chunk async for chunk in incoming.text])
    return text.decode(), incoming.source


@pytest.fixture
def bytecode() -> Path:
    """Where that of the largest module that reads PDFs would lie; it is not there."""
    source = distribution("pypdfium2").locate_file("pypdfium2_raw/bindings.py")
    path = Path(cache_from_source(str(source)))
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_page_keeps_its_text_and_its_structure() -> None:
    assert "".join(markdown([PAGE.encode()])) == TEXT


def test_a_page_may_come_in_pieces() -> None:
    data = PAGE.encode()
    assert "".join(markdown(data[at : at + 1] for at in range(len(data)))) == TEXT


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "x",
        "<table><tr><td>" * 10_000 + "x",
        "<ul><li>" * 50_000 + "x",
        "</p" * 9,
    ],
    ids=["deep", "tables", "lists", "endings"],
)
def test_a_page_that_is_made_to_hurt_is_read_as_any_other(page: str) -> None:
    text = "".join(markdown([page.encode()]))
    assert text.strip(" -|\n") == ("x" if page.endswith("x") else "")


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        (b'<meta charset="windows-1251">', "windows-1251"),
        (b"<META http-equiv=x content='text/html; charset=ISO-8859-1'>", "cp1252"),
        (b"<meta charset=utf-16>", "utf-8"),
        (b"<p>charset=x</p>", None),
    ],
)
def test_a_page_names_its_encoding(head: bytes, charset: str | None) -> None:
    assert declared_charset(head) == charset


async def test_a_page_in_another_encoding_is_read_in_a_process_of_its_own() -> None:
    page = '<meta charset="windows-1251"><p>Договор</p>'.encode("cp1251")
    text, source = await read(page, "text/html")
    assert text == "Договор"
    assert (source.media_type, source.encoding) == ("text/html", "cp1251")


@pytest.mark.parametrize("content_type", [PDF, "application/octet-stream"])
async def test_a_pdf_is_the_text_of_its_pages(content_type: str) -> None:
    text, source = await read(pdf([["One,", "two."], [], ["größer"]]), content_type)
    assert text == "One,\ntwo.\n\n\n\ngrößer"
    assert (source.media_type, source.num_pages, source.num_pages_without_text) == (PDF, 3, 1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (pdf([[], []]), NoText),
        (encrypted_pdf(), EncryptedDocument),
        (pdf([["One."]])[:200], BrokenDocument),
        (b"%PDF-1.7", BrokenDocument),
        (b"", BrokenDocument),
    ],
    ids=["scanned", "encrypted", "cut off", "nothing in it", "empty"],
)
async def test_a_pdf_without_a_text_is_refused_with_its_reason(
    data: bytes, error: type[InvalidDocument]
) -> None:
    with pytest.raises(error) as raised:
        await read(data, PDF)
    assert type(raised.value) is error


async def test_too_many_pages_are_refused() -> None:
    with pytest.raises(TooComplex, match="2 pages"):
        await read(pdf([["x"]] * 3), PDF, ExtractionLimits(max_pages=2))


async def test_a_page_that_unpacks_to_too_much_is_given_up_within_its_memory() -> None:
    bomb = pdf_of([b" " * (700 * MIB)])
    assert len(bomb) < MIB
    with pytest.raises(TooComplex, match="memory"):
        await read(bomb, PDF, ExtractionLimits(memory_bytes=400 * MIB))


async def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """A pipe that nobody writes to is read for ever, however quick the machine is."""
    endless = tmp_path / "page"
    os.mkfifo(endless)
    extractor = Extractor(ExtractionLimits(timeout_s=0.5, num_parallel=1))
    for _ in range(2):  # who was given up leaves its place to the next
        with pytest.raises(TooComplex, match=r"longer than 0\.5 s"):
            await extractor.extract("html", endless, tmp_path / "text", charset=None)


async def test_a_small_limit_leaves_the_parsers_as_they_are(bytecode: Path) -> None:
    """Bytecode that is cut off at the limit would break them for whoever comes next."""
    text, _ = await read(pdf([["Whose?"]]), PDF, ExtractionLimits(max_text_bytes=1_000))
    assert "Whose?" in text
    assert bytecode.name not in names(bytecode.parent)


async def test_a_text_that_is_too_large_is_given_up() -> None:
    limits = ExtractionLimits(max_text_bytes=MIB)
    with pytest.raises(TooComplex, match="larger than 1048576 bytes"):
        await read(b"<p>" + b"y" * (2 * MIB), "text/html", limits)


async def test_nothing_is_left_of_what_waited_in_files(tmp_path: Path) -> None:
    uploads = Uploads(folder=tmp_path)
    async with uploads.incoming(chunked(pdf([["One."]])), PDF) as incoming:
        assert [name[:7] for name in names(tmp_path)] == ["banyan-"]
        assert [chunk async for chunk in incoming.text] == [b"One."]
    with pytest.raises(NoText):
        async with uploads.incoming(chunked(b"<p>"), "text/html"):
            pass
    assert names(tmp_path) == []


async def test_a_full_disk_is_not_the_documents_fault(tmp_path: Path) -> None:
    uploads = Uploads(folder=tmp_path)
    with full_disk(MIB), pytest.raises(StoreFull):
        async with uploads.incoming(chunked(b"<p>" + b"y" * (2 * MIB)), "text/html"):
            pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("text", ["short", "long " * MIB], ids=["at the end", "on the way"])
async def test_no_room_for_a_text_is_not_the_documents_fault(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page"
    page.write_text(text)
    with pytest.raises(StoreFull):
        await Extractor().extract("html", page, Path("/dev/full"), charset="utf-8")


@pytest.mark.parametrize(
    ("content_type", "head", "kind"),
    [
        ("text/markdown; charset=UTF-8", b"# A", "text"),
        ("text/csv", b"a,b", "text"),
        ("application/json", b"{}", "text"),
        ("application/xhtml+xml", b"<p>", "html"),
        ("application/octet-stream", b"\n<!DOCTYPE HTML>", "html"),
        ("application/octet-stream", b"junk\n%PDF-1.4", "pdf"),
        ("application/octet-stream", b"text", "text"),
        ("", b"text", "text"),
        ("", b"%PDF-1.4", "pdf"),
    ],
)
def test_formats_are_told(content_type: str, head: bytes, kind: str) -> None:
    assert resolved(media_type_of(content_type), head).kind == kind


@pytest.mark.parametrize(
    ("content_type", "head"),
    [
        ("nothing", b"text"),
        ("application/msword", b"text"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("text/plain", b"%PDF-1.4"),
        ("application/octet-stream", b"PK\x03\x04"),
        ("text/plain", b"\x1f\x8b"),
        ("text/html", b"\x89PNG"),
    ],
)
def test_what_is_not_read_is_refused(content_type: str, head: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        resolved(media_type_of(content_type), head)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_who_sends_a_form_is_told_how_a_document_is_sent(content_type: str) -> None:
    """Both are what curl sends where one does not tell it what the body is."""
    with pytest.raises(UnsupportedMediaType, match="a form") as refused:
        media_type_of(content_type)
    assert "--data-binary @FILE -H 'Content-Type: text/plain'" in refused.value.hint


async def test_a_text_keeps_its_bytes_and_its_encoding_is_told() -> None:
    assert await read(b"plain", "text/plain") == ("plain", Source("text/plain", "ascii"))
    with pytest.raises(UnknownEncoding):
        await read("Die Kündigung".encode("mac-roman"), "text/plain")
