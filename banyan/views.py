"""Views: load a node's inputs through the library, as its prompt may show them."""

from __future__ import annotations

import math

from banyan.documents import preview, records
from banyan.effects import Look, Looked
from banyan.node import Node, Passage
from banyan.ports import Engine, Library
from banyan.prompts import DocumentView, View
from banyan.sizes import DEFAULT_TOKENS_PER_CHAR
from banyan.spans import Span

_SAMPLE_CHARS = 65_536
_PREVIEW_CHARS = 240
_SHORTEST_SAMPLE_CHARS = 200


async def look(
    node: Node, effect: Look, tenant: str, library: Library, engine: Engine, *, numbers: bool = True
) -> Looked:
    """The inputs as passages or as previews; measures their tokens per character once a tree."""
    density = node.tokens_per_char or await _measure(effect.spans, tenant, library, engine)
    documents = []
    for span in effect.spans:
        passages = None
        if effect.whole:
            passages = await library.passages(tenant, span)
            if node.labels:
                passages = _records(passages)
        start = Span(
            document=span.document,
            start=span.start,
            end=min(span.end, span.start + 2 * _PREVIEW_CHARS),
        )
        text = "" if effect.whole else await library.text(tenant, start)
        documents.append(
            DocumentView(
                num_chars=len(span),
                num_tokens=math.ceil(len(span) * density),
                preview=preview(text, _PREVIEW_CHARS),
                passages=passages,
            )
        )
    nearest = None
    if effect.nearest_chars:
        nearest = await library.nearest(tenant, effect.spans, node.goal, effect.nearest_chars)
    return Looked(
        View(documents=tuple(documents), nearest=nearest, numbers=numbers or bool(node.labels)),
        density,
    )


def _records(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """The lines of passages that stand for themselves, each as a passage: what is counted."""
    whole = "".join(passage.text for passage in passages)
    first = passages[0].sources[0] if passages else None
    if first is None or sum(len(p.sources[0]) for p in passages) != len(whole):
        return passages  # results of children, which stand for other text
    span = Span(document=first.document, start=first.start, end=first.start + len(whole))
    return records(whole, span)


async def _measure(spans: tuple[Span, ...], tenant: str, library: Library, engine: Engine) -> float:
    """Tokens per character of a sample from the start of the inputs."""
    sample: list[str] = []
    left = _SAMPLE_CHARS
    for span in spans:
        if left <= 0:
            break
        end = min(span.end, span.start + left)
        text = await library.text(tenant, Span(document=span.document, start=span.start, end=end))
        sample.append(text)
        left -= len(text)
    text = "\n".join(sample)
    if len(text) < _SHORTEST_SAMPLE_CHARS:
        return DEFAULT_TOKENS_PER_CHAR
    return await engine.count(text) / len(text)
