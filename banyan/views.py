"""Views: load a node's inputs through the library, as its prompt may show them."""

from __future__ import annotations

import math

from banyan.documents import preview, records
from banyan.effects import Look, Looked
from banyan.node import Node, Passage
from banyan.ports import Engine, Library
from banyan.prompts import DocumentView, View
from banyan.sizes import DEFAULT_TOKENS_PER_CHAR
from banyan.spans import Span, merge

_SAMPLE_CHARS = 65_536
_PREVIEW_CHARS = 240
_LONGEST_PREVIEW_CHARS = 480
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
            passages = await _passages(node, span, tenant, library)
        documents.append(
            DocumentView(
                num_chars=len(span),
                num_tokens=math.ceil(len(span) * density),
                preview="" if effect.whole else await _preview(span, tenant, library),
                passages=passages,
            )
        )
    nearest = None
    if effect.nearest_chars:
        nearest = await library.nearest(tenant, effect.spans, node.goal, effect.nearest_chars)
    named = await library.named(tenant, effect.spans, node.goal) if effect.fields else ()
    view = View(
        documents=tuple(documents),
        nearest=nearest,
        named=named,
        numbers=numbers or bool(node.labels),
        context=await _context(node, tenant, library),
        cites_context=not node.labels,
    )
    return Looked(view, density)


async def _preview(span: Span, tenant: str, library: Library) -> str:
    """How the text of `span` begins, with all of a short header, which may list labels."""
    layout = await library.layout(tenant, span.document)
    header_chars = layout.header_chars if span.start == 0 else 0
    max_chars = min(max(_PREVIEW_CHARS, header_chars), _LONGEST_PREVIEW_CHARS)
    end = min(span.end, span.start + 2 * max_chars)
    start = Span(document=span.document, start=span.start, end=end)
    return preview(await library.text(tenant, start), max_chars)


async def _passages(node: Node, span: Span, tenant: str, library: Library) -> tuple[Passage, ...]:
    """The text of `span`; as one passage a record where these are to be labelled.

    Derived documents consist of what is to be labelled: results, or records that were selected.
    """
    if node.labels and not (await library.info(tenant, span.document)).derived:
        layout = await library.layout(tenant, span.document)
        return records(await library.text(tenant, span), span, layout)
    return await library.passages(tenant, span)


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
