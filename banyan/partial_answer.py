"""The answer's text out of a reply that is still being generated, or was cut off."""

from __future__ import annotations

import json
import re

_START = re.compile(r'^\s*\{\s*(?:"kind"\s*:\s*"answer"\s*,\s*)?"answer"\s*:\s*"')
_SENTENCE_END = re.compile(r"(?:[.!?\u2026][\"')\]\u201d\u2019]*(?=\s|$))|[\u3002\uff01\uff1f]")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class AnswerStream:
    """Feed it pieces of `{"answer": "..."`; it returns the new part of the decoded string.

    Answers that are no strings (a schema's objects) yield nothing until they are whole. Surrogate
    pairs and escapes that are cut between pieces wait for their rest.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._position: int | None = None
        self._closed = False

    def feed(self, piece: str) -> str:
        """Decoded text that `piece` added to the answer."""
        if self._closed:
            return ""
        self._raw += piece
        if self._position is None:
            match = _START.match(self._raw)
            if match is None:
                return ""
            self._position = match.end()
        added, self._position, self._closed = _decode(self._raw, self._position)
        return added


class PlainStream:
    """Feed it pieces of a reply that is the answer itself; white space around it is left out."""

    def __init__(self) -> None:
        self._held = ""
        self._started = False

    def feed(self, piece: str) -> str:
        """Text that `piece` added to the answer; white space waits for what follows it."""
        text = self._held + piece
        text = text if self._started else text.lstrip()
        added = text.rstrip()
        self._held = text[len(added) :]
        self._started = self._started or bool(added)
        return added


def whole_sentences(text: str) -> str:
    """`text` up to its last sentence that ends; all of it where none does.

    The number of an item in a list ("2.") is no sentence.
    """
    ends = [end.end() for end in _SENTENCE_END.finditer(text) if not _is_number(text, end.start())]
    return text[: ends[-1]] if ends else text


def _is_number(text: str, position: int) -> bool:
    """Whether nothing but a number stands before `position` in its line."""
    return text[text.rfind("\n", 0, position) + 1 : position].strip().isdigit()


def cut_answer(text: str) -> str | None:
    """The answer's text in an object that ends too early; None where it did not get that far."""
    return AnswerStream().feed(text) or None


def _decode(raw: str, position: int) -> tuple[str, int, bool]:
    """Decode a JSON string's inside from `position`: text, next position, whether it closed."""
    out: list[str] = []
    while position < len(raw):
        char = raw[position]
        if char == '"':
            return "".join(out), position + 1, True
        if char != "\\":
            out.append(char)
            position += 1
            continue
        escape = raw[position + 1 : position + 2]
        if escape in _ESCAPES:
            out.append(_ESCAPES[escape])
            position += 2
            continue
        length = _unicode_escape_length(raw, position)
        if length is None:
            break
        out.append(_decode_unicode(raw[position : position + length]))
        position += length
    return "".join(out), position, False


def _decode_unicode(escape: str) -> str:
    """The character of a unicode escape; U+FFFD for what is none, or is half a surrogate pair."""
    try:
        decoded = json.loads(f'"{escape}"')
    except ValueError:
        return "\ufffd"
    return "\ufffd" if any("\ud800" <= char <= "\udfff" for char in decoded) else str(decoded)


def _unicode_escape_length(raw: str, position: int) -> int | None:
    r"""6 for `\uXXXX`, 12 for a surrogate pair, None where more input is needed."""
    first = raw[position : position + 6]
    if len(first) < len(r"\uXXXX"):
        return None
    is_high = re.fullmatch(r"\\u[dD][89abAB][0-9a-fA-F]{2}", first) is not None
    if not is_high:
        return 6
    pair = raw[position : position + 12]
    if len(pair) < 12 and (len(pair) == 6 or pair[6:].startswith("\\")):
        return None
    return 12 if re.fullmatch(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}", pair[6:]) else 6
