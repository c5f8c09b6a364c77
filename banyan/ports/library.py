"""The library port: documents by id, read by span."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from banyan.action import SplitBy
from banyan.layouts import Layout
from banyan.node import Passage
from banyan.selection import Named, Query, Selection
from banyan.spans import Place, Span


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A stored document. `derived` ones were made of children's outcomes in some tree."""

    id: str
    num_chars: int
    num_bytes: int
    derived: bool = False
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """The places of the inputs that are nearest to a goal, in order.

    `share` in [0, 1]: how much of what the goal's words weigh stands in these passages.
    """

    passages: tuple[Passage, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Part:
    """What one child gets of divided inputs.

    `context` is shown beside it and belongs to no part, or to another: the header of the table
    that `spans` are rows of, and text before them. `lacks_header`: it was too long to be shown.
    """

    spans: tuple[Span, ...]
    context: tuple[Span, ...] = ()
    lacks_header: bool = False


Announce = Callable[[str], Awaitable[None]]
"""Is told the id of a derived document before any of it is stored. What it raises stops that."""


class Library(Protocol):
    """Documents by id, read by span; each tenant sees its own alone."""

    async def put(
        self, tenant: str, chunks: AsyncIterator[bytes], *, title: str | None = None
    ) -> DocumentInfo:
        """Store UTF-8 text once per tenant and content. Raises InvalidDocument."""
        ...

    async def info(self, tenant: str, document: str) -> DocumentInfo:
        """Raises NotFound."""
        ...

    async def remove(self, tenant: str, document: str) -> bool:
        """Forget a document that was uploaded. False where the tenant has none of this id.

        Where several processes share documents, others may still read it for some seconds.
        """
        ...

    async def text(self, tenant: str, span: Span) -> str: ...

    async def passages(self, tenant: str, span: Span) -> tuple[Passage, ...]:
        """The text of `span` as numbered pieces that know where they come from."""
        ...

    async def layout(self, tenant: str, document: str) -> Layout:
        """What kind of text a document is."""
        ...

    async def split(
        self,
        tenant: str,
        inputs: Sequence[Span],
        parts: int,
        by: SplitBy | None,
        *,
        places: Sequence[Place] = (),
        context: Sequence[Span] = (),
        overlap_chars: int = 0,
        max_header_chars: int = 0,
    ) -> list[Part]:
        """Cut the inputs into at most `parts` balanced parts on structural boundaries.

        With `places` they are cut before these and nowhere else.
        Together the spans of the parts cover the inputs once, without gap or overlap. The parts'
        context lies within the inputs and `context`, see `banyan/surroundings.py`.
        """
        ...

    async def search(
        self, tenant: str, inputs: Sequence[Span], query: str, *, regex: bool, limit: int
    ) -> tuple[Passage, ...]:
        """Passages that match, in order. Raises InvalidInput for a bad expression."""
        ...

    async def nearest(
        self, tenant: str, inputs: Sequence[Span], goal: str, max_chars: int
    ) -> Nearest:
        """The passages that share the most telling words with `goal`, about `max_chars` long."""
        ...

    async def named(self, tenant: str, inputs: Sequence[Span], goal: str) -> tuple[Named, ...]:
        """What `goal` names of the fields of the inputs' records."""
        ...

    async def select(self, tenant: str, inputs: Sequence[Span], query: Query) -> Selection:
        """Choose or count the inputs' records. Raises InvalidInput where none has a field."""
        ...

    async def derive(
        self, tenant: str, name: str, passages: Sequence[Passage], *, announce: Announce
    ) -> Span:
        """Store passages as a derived document under a deterministic name; repeatable."""
        ...

    async def forget(self, tenant: str, document: str) -> bool:
        """Forget a derived document. False where the tenant has none of this id."""
        ...

    async def close(self) -> None: ...
