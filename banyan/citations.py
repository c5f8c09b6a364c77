"""Citations and coverage: what an answer rests on, as clients see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from pydantic import BaseModel, ConfigDict, Field

from banyan.spans import Span, size, subtract

TextReader = Callable[[Span], Awaitable[str]]

MAX_QUOTE_CHARS = 2_000


class Citation(BaseModel):
    """`[start, end)` of an original document, in code points, and the words that stand there.

    `quote` is verbatim; of a longer span it is the first MAX_QUOTE_CHARS code points.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote: str


class Coverage(BaseModel):
    """How much of the input was in a prompt of a node whose answer reached the root.

    `share` is between 0 and 1, and 1 where there was nothing to read. Token counts are estimates
    from the length of the text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(ge=0.0, le=1.0)
    read_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    missing: tuple[Span, ...] = ()


async def resolve(spans: Iterable[Span], read: TextReader) -> tuple[Citation, ...]:
    """The citations of `spans` with their quotes, each once, in the order given, no empty ones."""
    unique = dict.fromkeys((s.document, s.start, s.end) for s in spans if s.end > s.start)
    found: list[Citation] = []
    for document, start, end in unique:
        quote = await read(quoted(Span(document=document, start=start, end=end)))
        found.append(Citation(document=document, start=start, end=end, quote=quote))
    return tuple(found)


async def stands(citation: Citation, read: TextReader) -> bool:
    """Whether the quote is what the document says at that place."""
    span = Span(document=citation.document, start=citation.start, end=citation.end)
    return citation.quote == await read(quoted(span))


def quoted(span: Span) -> Span:
    """The part of `span` that a citation quotes."""
    end = min(span.end, span.start + MAX_QUOTE_CHARS)
    return Span(document=span.document, start=span.start, end=end)


def coverage(inputs: Iterable[Span], covered: Iterable[Span], tokens_per_char: float) -> Coverage:
    """What of `inputs` is in `covered`. Spans that overlap count once; what is no input, never."""
    inputs = tuple(inputs)
    missing = subtract(inputs, covered)
    total_chars, missing_chars = size(inputs), size(missing)
    read_chars = total_chars - missing_chars
    return Coverage(
        share=read_chars / total_chars if total_chars else 1.0,
        read_tokens=round(read_chars * tokens_per_char),
        total_tokens=round(total_chars * tokens_per_char),
        missing=missing,
    )
