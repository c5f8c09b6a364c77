"""Encodings: told, or refused; never guessed."""

# ruff: noqa: RUF001  # texts of other scripts are what is tested here

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.adapters.encodings import SAMPLE_BYTES, Recoder
from banyan.errors import UnknownEncoding
from tests.documents.texts import texts

GERMAN = "Die Kündigungsfrist beträgt drei Monate – „schriftlich“ zum Quartalsende. Größe und Maß."
RUSSIAN = "Договор действует в течение трёх лет, если стороны не договорились об ином."
JAPANESE = "契約は三年間有効です。ただし、別段の合意がある場合はこの限りではありません。"
CZECH = "Smlouva je platná po dobu tří let, pokud se strany nedohodnou jinak. Příliš žluťoučký kůň."
TOLD = [
    (GERMAN, "cp1252"),
    (CZECH, "cp1250"),
    (RUSSIAN, "cp1251"),
    (RUSSIAN, "koi8-r"),
    (JAPANESE, "shift_jis"),
    (JAPANESE, "euc-jp"),
    ("A contract without a mark, plainly.", "utf-16-le"),
    (RUSSIAN, "utf-16"),
    (JAPANESE, "utf-32"),
    (GERMAN, "utf-8-sig"),
]


def recoded(data: bytes, charset: str | None = None, *, piece: int = 1_000) -> tuple[str, str]:
    """The text, and the encoding it was in."""
    recoder = Recoder(charset)
    pieces = [recoder.feed(data[at : at + piece]) for at in range(0, len(data), piece)]
    text = b"".join([*pieces, recoder.feed(b"", final=True)]).decode()
    return text.removeprefix("\ufeff"), recoder.encoding


@pytest.mark.parametrize(("text", "encoding"), TOLD)
def test_an_encoding_is_told_from_the_text(text: str, encoding: str) -> None:
    assert recoded(text.encode(encoding))[0] == text
    assert recoded(text.encode(encoding), piece=7)[0] == text


def test_what_comes_late_is_told_as_well() -> None:
    plain = "Nothing but ASCII. " * (SAMPLE_BYTES // 8)
    assert recoded((plain + GERMAN).encode("cp1252")) == (plain + GERMAN, "cp1252")


@given(texts, st.integers(1, 50))
def test_utf_8_is_passed_on_as_it_is(text: str, piece: int) -> None:
    text = text.replace("\x00", "").removeprefix("\ufeff")
    found, encoding = recoded(text.encode(), piece=piece)
    assert found == text
    assert encoding == ("ascii" if text.isascii() else "utf-8")


@pytest.mark.parametrize("encoding", ["latin-1", "cp037", "mac-roman", "cp437"])
def test_an_encoding_that_is_named_is_taken(encoding: str) -> None:
    text = "Größe und Maß"
    assert recoded(text.encode(encoding), encoding)[0] == text


@pytest.mark.parametrize(
    "data",
    [
        "Die Kündigungsfrist beträgt drei Monate".encode("mac-roman"),
        "A contract in EBCDIC, from a mainframe.".encode("cp037"),
        bytes(range(128, 256)) * 20,
        "Maß".encode()[:-1],
        "größer, höher, weiter".encode() + b"\xff",
        b"\xff\xfe\x00",
        ("Größe " * 20_000).encode() + b"\xff\xff \xe4\xf6",
    ],
    ids=["mac", "ebcdic", "noise", "cut off", "broken", "half a unit", "broken late"],
)
def test_what_cannot_be_told_is_refused(data: bytes) -> None:
    with pytest.raises((UnknownEncoding, UnicodeDecodeError)):  # the library refuses broken UTF-8
        recoded(data)


@pytest.mark.parametrize(
    "name", ["no-such", "base64", "unicode_escape", "utf-7", "idna", "../x", ""]
)
def test_a_name_of_no_encoding_of_text_is_refused(name: str) -> None:
    with pytest.raises(UnknownEncoding, match="charset"):
        Recoder(name)


def test_text_that_is_not_in_the_encoding_that_is_named_is_refused() -> None:
    with pytest.raises(UnknownEncoding, match="cp1252"):
        recoded(b"\x81", "windows-1252")
