"""Views: load a node's inputs through the library, as its prompt may show them."""

from __future__ import annotations

import math

from banyan.documents import preview, records
from banyan.effects import Look, Looked
from banyan.layouts import Layout
from banyan.node import Node, Passage
from banyan.ports import Engine, Library
from banyan.prompts import DocumentView, View
from banyan.sizes import DEFAULT_TOKENS_PER_CHAR
from banyan.spans import Span, merge

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
                layout = await library.layout(tenant, span.document)
                passages = _records(passages, layout)
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
    view = View(
        documents=tuple(documents),
        nearest=nearest,
        numbers=numbers or bool(node.labels),
        context=await _context(node, tenant, library),
        cites_context=not node.labels,
    )
    return Looked(view, density)


async def _context(node: Node, tenant: str, library: Library) -> tuple[Passage, ...]:
    """What stands beside the inputs. It covers nothing: another node answers for it."""
    if node.divided is not None:
        return ()
    spans = [*node.context]
    if node.labels:  # rows are labelled, and the columns' names are no row
        spans += await _own_headers(node, tenant, library)
    found = [one for span in merge(spans) for one in await library.passages(tenant, span)]
    return tuple(passage.model_copy(update={"covered": ()}) for passage in found)


async def _own_headers(node: Node, tenant: str, library: Library) -> list[Span]:
    """The headers of tables that the inputs begin with."""
    found = []
    for span in node.inputs:
        header_chars = (await library.layout(tenant, span.document)).header_chars
        if span.start == 0 and 0 < header_chars <= span.end:
            found.append(Span(document=span.document, start=0, end=header_chars))
    return found


def _records(passages: tuple[Passage, ...], layout: Layout) -> tuple[Passage, ...]:
    """The records in passages that stand for themselves, each as a passage: what is counted."""
    whole = "".join(passage.text for passage in passages)
    first = passages[0].sources[0] if passages else None
    if first is None or sum(len(p.sources[0]) for p in passages) != len(whole):
        return passages  # results of children, which stand for other text
    span = Span(document=first.document, start=first.start, end=first.start + len(whole))
    return records(whole, span, layout)


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
