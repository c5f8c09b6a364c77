"""The queue port: carries hints to workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Hint:
    """«Look at these nodes of this tree»: all that a message ever says."""

    tree_id: str
    paths: tuple[str, ...]
    continuation: bool = False


class Queue(Protocol):
    """Carries hints to workers. May lose, repeat and reorder them."""

    async def send(self, hints: Sequence[Hint]) -> None: ...

    async def close(self) -> None: ...
