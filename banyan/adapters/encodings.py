"""Encodings: bytes of a text in whatever encoding, as UTF-8, in bounded memory.

UTF-8 is passed on as it is. Where it is something else, the encoding is the one that is named, or
that a byte order mark names, or that is told from the text itself; what cannot be told is refused,
never guessed: a wrong guess would corrupt quotes without anyone noticing.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from banyan.errors import UnknownEncoding

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

SAMPLE_BYTES = 1 << 16
"""From the first byte that is not ASCII: what an encoding is told by."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT_ENCODINGS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
)
_LEAST_UTF_16 = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,39}")
_MAX_CHAOS = 0.1
_CLOSE = 0.02
_MOST_COMMON = "cp1252"
"""What the web takes for text whose encoding is not named, where nothing speaks against it."""
_UNLIKELY = re.compile(
    rb"[\x83\x86-\x8b\x8e\x98\x9a\x9b\x9e\x9f]|[A-Za-z][\x82\x84\x93-\x95][A-Za-z]"
)
"""What speaks against it: rare letters, and quotation marks inside of words. These are the umlauts
and accents of the encodings of DOS and of old Macs."""


class Recoder:
    """Feed it the bytes of a text; it returns UTF-8, not yet checked. Raises UnknownEncoding."""

    def __init__(self, charset: str | None = None) -> None:
        """`charset`: the encoding's name, where the sender gave one."""
        self._name = None if charset is None else _known(charset)
        self._decoder = _decoder(self._name) if self._name not in {None, "utf-8"} else None
        self._sample = bytearray()
        self._num_ascii = 0

    @property
    def encoding(self) -> str:
        """By Python's name. Final once all was fed."""
        return self._name or ("utf-8" if self._sample else "ascii")

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be told, so that feeding is quick."""
        return self._name == "utf-8"

    def feed(self, data: bytes, *, final: bool = False) -> bytes:
        if self._decoder is not None:
            return self._recoded(data, final=final)
        if self._name is not None:
            return data
        if not self._sample and data.isascii() and b"\x00" not in data:
            self._num_ascii += len(data)
            return data
        self._sample += data
        if len(self._sample) < SAMPLE_BYTES and not final:
            return b""
        sample = bytes(self._sample)
        self._name = self._told(sample, final=final)
        if self._name == "utf-8":
            return sample
        self._decoder = _decoder(self._name)
        return self._recoded(sample, final=final)

    def _recoded(self, data: bytes, *, final: bool) -> bytes:
        if self._decoder is None:
            raise ValueError("nothing is to be decoded")
        try:
            # Lone surrogates, which some codecs let through, are no text.
            return self._decoder.decode(data, final).encode()
        except UnicodeError as error:
            raise UnknownEncoding(f"the text is not {self._name}, as was taken or said") from error

    def _told(self, sample: bytes, *, final: bool) -> str:
        """The encoding by a sample that is not ASCII, or has NUL."""
        if not self._num_ascii:
            for mark, name in _BOMS:
                if sample.startswith(mark):
                    return name
        if b"\x00" in sample:
            # As UTF-8 it is refused, for its NUL.
            return "utf-8" if self._num_ascii else _utf_16(sample) or "utf-8"
        if _is_utf8(sample, final=final):
            return "utf-8"
        if _is_mostly_utf8(sample):
            raise UnknownEncoding(
                f"the text is UTF-8 with broken characters (from byte {self._num_ascii} on)",
                hint="The file is damaged or cut off, or of mixed encodings: mend it.",
            )
        found = _detected(sample if final else _whole(sample))
        if found is None or found.startswith("utf_"):
            raise UnknownEncoding(
                "the text is not UTF-8, and its encoding cannot be told with certainty "
                f"(from byte {self._num_ascii} on)"
            )
        return found


def _known(charset: str) -> str:
    """Python's name of an encoding of text. Raises UnknownEncoding."""
    try:
        name = codecs.lookup(charset).name if _NAME.fullmatch(charset) else "undefined"
        "a".encode(name)  # refuses codecs that are none of text
    except (LookupError, UnicodeError) as error:
        raise UnknownEncoding("charset names no encoding that is known here") from error
    if name in _NO_TEXT_ENCODINGS:
        raise UnknownEncoding("charset names no encoding that is known here")
    return "utf-8" if name in {"ascii", "utf-8-sig"} else name


def _decoder(name: str | None) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(name or "utf-8")("strict")


def _utf_16(sample: bytes) -> str | None:
    """UTF-16 without a mark, where it is mostly ASCII: every other byte is NUL."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) == 0 and 4 * (even + odd) >= len(sample) >= _LEAST_UTF_16:
        return "utf-16-le" if odd else "utf-16-be"
    return None


def _is_utf8(sample: bytes, *, final: bool) -> bool:
    try:
        _decoder("utf-8").decode(sample, final)
    except UnicodeDecodeError:
        return False
    return True


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether more characters beyond ASCII are whole than broken, but for one that is cut off."""
    if _is_utf8(sample, final=False):
        return True
    text = sample.decode("utf-8", "replace")
    num_broken = text.count("\ufffd")
    num_beyond_ascii = sum(not char.isascii() for char in text)
    return num_beyond_ascii - num_broken > num_broken


def _whole(sample: bytes) -> bytes:
    """The sample up to its last line or word, so that no character is cut."""
    end = max(sample.rfind(b"\n"), sample.rfind(b" ")) + 1
    return sample[:end] or sample


def _detected(sample: bytes) -> str | None:
    """The encoding that stands out, or the most common one among equals; None for neither."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only for what is not UTF-8

    matches = list(from_bytes(sample))
    if not matches or matches[0].chaos > _MAX_CHAOS:
        return None
    best = matches[0]
    equals = [match for match in matches if _is_as_good(match, best)]
    if any(_MOST_COMMON in match.could_be_from_charset for match in equals):
        return None if _UNLIKELY.search(sample) else _MOST_COMMON
    if len(equals) == 1 and best.coherence > 0:
        return str(best.encoding)
    return None


def _is_as_good(match: CharsetMatch, best: CharsetMatch) -> bool:
    return match.chaos <= best.chaos + _CLOSE and match.coherence >= best.coherence - _CLOSE
