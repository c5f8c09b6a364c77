"""Documents: text as passages, texts derived from passages, and showing both safely in a prompt.

Pure functions. Passages cover their text once, in order, and know where they come from. How
inputs are divided among children is in `banyan/splits.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from banyan import structure
from banyan.boundaries import Group, Rank, anywhere, every, nearest
from banyan.layouts import Layout
from banyan.node import Passage
from banyan.spans import Span

SEPARATOR = "\n\n"
"""What stands between two passages of a derived document."""
CUT = "…"
"""Ends a preview of a text that goes on."""

_MIN_PASSAGE_CHARS = 200
_MIN_PARAGRAPH_CHARS = 120
_MAX_PASSAGE_CHARS = 400
_AIM_PASSAGE_CHARS = 320

_PARAGRAPHS: Group = frozenset({Rank.SECTION, Rank.PARAGRAPH})
_SENTENCES: Group = frozenset({Rank.LINE, Rank.SENTENCE})
_SPACES: Group = frozenset({Rank.SPACE})

_JOINER = "\u2060"  # WORD JOINER: zero width, and no delimiter contains it
_DELIMITER = re.compile(r"<(?=\s*+/?\s*+(?:document|results))", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])([ \t]*+)\[(?=[ \t]*+\d++[ \t]*+\])"
)


class Provenance(BaseModel):
    """Where `[start, end)` of a derived document comes from; see `Passage`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    sources: tuple[Span, ...]
    covered: tuple[Span, ...]


def pieces(text: str) -> list[tuple[int, int]]:
    """Cut `text` into passages of about 200 to 400 code points at paragraphs, lines or sentences.

    They cover the text once, in order, and none is empty.
    """
    cuts = [0]
    paragraphs, sentences = every(text, _PARAGRAPHS), every(text, _SENTENCES)
    while len(text) - cuts[-1] > _MAX_PASSAGE_CHARS:
        start = cuts[-1]
        low, high = start + _MIN_PASSAGE_CHARS, start + _MAX_PASSAGE_CHARS
        aim = start + _AIM_PASSAGE_CHARS
        cut = _nearest_of(paragraphs, start + _MIN_PARAGRAPH_CHARS, high, aim)
        cut = cut or _nearest_of(sentences, low, high, aim)
        cut = cut or nearest(text, low, high, high, _SPACES)
        cut = cut or anywhere(text, start + 1, len(text) - 1, high, _MIN_PASSAGE_CHARS)
        if cut is None:
            break
        cuts.append(cut)
    ends = [*cuts[1:], len(text)]
    return [(a, b) for a, b in zip(cuts, ends, strict=True) if a < b]


def _nearest_of(places: Sequence[int], low: int, high: int, aim: int) -> int | None:
    """Of the sorted `places` in `[low, high]` the nearest to `aim`; None without one."""
    index = bisect_left(places, aim)
    around = [place for place in places[max(0, index - 1) : index + 1] if low <= place <= high]
    return min(around, key=lambda place: abs(place - aim), default=None)


def passages(text: str, span: Span) -> tuple[Passage, ...]:
    """`text`, that of `span` of an original document, as passages that stand for themselves."""
    found: list[Passage] = []
    for start, end in pieces(text):
        own = (Span(document=span.document, start=span.start + start, end=span.start + end),)
        found.append(Passage(text=text[start:end], sources=own, covered=own))
    return tuple(found)


def records(text: str, span: Span, layout: Layout) -> tuple[Passage, ...]:
    """`text`, that of `span`, as one passage a record: what is counted where records are.

    Blank lines are covered by the record before them, and the header of a table by the first.
    """
    found = structure.records(text, layout, at_start=span.start == 0)
    edges = [0, *(start for start, _ in found[1:]), len(text)]
    return tuple(
        Passage(
            text=text[start:end],
            sources=(_within(span, start, end),),
            covered=(_within(span, edge, next_edge),),
        )
        for (start, end), (edge, next_edge) in zip(found, pairwise(edges), strict=False)
    )


def _within(span: Span, start: int, end: int) -> Span:
    return Span(document=span.document, start=span.start + start, end=span.start + end)


def overlapping(provenance: Sequence[Provenance], start: int, end: int) -> list[Provenance]:
    """What `[start, end)` of a derived document consists of, cut to that range.

    What is cut keeps all of its sources: they cannot be told apart any more.
    """
    first = bisect_right(provenance, start, key=lambda entry: entry.end)
    found: list[Provenance] = []
    for entry in provenance[first:]:
        if entry.start >= end:
            break
        cut = {"start": max(entry.start, start), "end": min(entry.end, end)}
        found.append(entry.model_copy(update=cut))
    return found


def join(parts: Sequence[Passage]) -> tuple[str, tuple[Provenance, ...]]:
    """The text of a derived document and where its pieces come from. Empty passages vanish.

    Model output may hold what UTF-8 cannot (lone surrogates) or documents must not (NUL): such
    code points become U+FFFD.
    """
    texts: list[str] = []
    provenance: list[Provenance] = []
    position = 0
    for part in parts:
        text = storable(part.text)
        if not text:
            continue
        end = position + len(text)
        provenance.append(
            Provenance(start=position, end=end, sources=part.sources, covered=part.covered)
        )
        texts.append(text)
        position = end + len(SEPARATOR)
    return SEPARATOR.join(texts), tuple(provenance)


def fingerprint(text: str, provenance: Sequence[Provenance]) -> str:
    """SHA-256 of a derived document: what it says and where that comes from."""
    entries = [entry.model_dump(mode="json") for entry in provenance]
    return hashlib.sha256(json.dumps([text, entries]).encode()).hexdigest()


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates replaced by U+FFFD; surrogate pairs become characters."""
    if text.isascii():
        return text.replace("\x00", "\ufffd")
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "\ufffd")


def preview(text: str, max_chars: int = 160) -> str:
    """The beginning of `text` on one line of at most `max_chars`, with CUT where it goes on."""
    line = " ".join(text[: 4 * max_chars].split())
    if len(line) <= max_chars and len(text) <= 4 * max_chars:
        return line
    head = line[: max_chars - 1]
    word = head.rpartition(" ")[0] if len(head) < len(line) else head
    return (word if len(word) > max_chars // 2 else head) + CUT


def quote(text: str) -> str:
    """`text` so that it can stand in `<document>` or `<results>` as a numbered passage.

    It can neither open nor close these delimiters, nor pass for a passage's number `[n]` at the
    start of a line: look-alikes get a WORD JOINER (U+2060) behind their first character. Everything
    else is unchanged, and quoting twice changes nothing more.
    """
    return _NUMBER.sub(rf"\1[{_JOINER}", _DELIMITER.sub(f"<{_JOINER}", text))
