"""A fake packer: its vectors are the token ids at which segments begin, as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from banyan.ports import Embeds


@dataclass(slots=True)
class FakePacker:
    """Satisfies `banyan.ports.Packer`; `packed` are the contexts that it was given."""

    packed: list[tuple[int, ...]] = field(default_factory=list)
    num_encoded: int = 0

    async def pack(self, token_ids: Sequence[int], num_vectors: int) -> bytes:
        self.packed.append(tuple(token_ids))
        num = min(num_vectors, len(token_ids))
        starts = [index * len(token_ids) // num for index in range(num)]
        return json.dumps([token_ids[start] for start in starts]).encode()

    async def encode(self, vectors: bytes) -> Embeds:
        self.num_encoded += 1
        return Embeds(vectors.decode(), len(json.loads(vectors)))

    async def close(self) -> None:
        """Nothing to close."""
