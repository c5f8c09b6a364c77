"""The packer port: token ids to vectors, for the state `hidden`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from banyan.ports.engine import Embeds


class Packer(Protocol):
    """Turns a context into vectors of the engine's embedding space, beside the engine's weights.

    Errors are those of the engine: EngineUnavailable (retry), EngineRefused.
    """

    async def pack(self, token_ids: Sequence[int], num_vectors: int) -> bytes:
        """At most `num_vectors` vectors for these tokens, as safetensors: `vectors[K, D]`."""
        ...

    async def encode(self, vectors: bytes) -> Embeds:
        """Vectors in the form in which the engine takes prompt embeddings."""
        ...

    async def close(self) -> None: ...
