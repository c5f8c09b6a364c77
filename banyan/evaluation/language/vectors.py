"""Vectors: packed by the packer server, and a text behind them scored by the same weights there.

vLLM refuses log-probabilities of a prompt that has embeddings in it, so that the packer, which has
torch and the model's folder, computes them (`--scores` of `banyan/local/packer_server.py`).
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.packer import HttpPacker
from banyan.errors import EngineRefused


class VectorScorer(Protocol):
    """Makes vectors of token ids, and tells how likely tokens behind them are."""

    async def pack(self, token_ids: Sequence[int], num_vectors: int) -> bytes:
        """At most `num_vectors` vectors in the place of these tokens."""
        ...

    async def score(
        self, before: Sequence[int], vectors: bytes, behind: Sequence[int], num_scored: int
    ) -> list[float]:
        """Log-probabilities (nats) of the last `num_scored` tokens of `behind`.

        They stand behind `before`, the vectors, and the rest of `behind`.
        """
        ...


class _Scored(msgspec.Struct):
    logprobs: list[float]


class PackerScorer:
    """Satisfies `VectorScorer` over HTTP."""

    def __init__(self, http: EngineHttp) -> None:
        self._http = http
        self._packer = HttpPacker(http)

    async def pack(self, token_ids: Sequence[int], num_vectors: int) -> bytes:
        return await self._packer.pack(token_ids, num_vectors)

    async def score(
        self, before: Sequence[int], vectors: bytes, behind: Sequence[int], num_scored: int
    ) -> list[float]:
        body = {
            "before": list(before),
            "vectors": base64.b64encode(vectors).decode(),
            "behind": list(behind),
            "num_scored": num_scored,
        }
        logprobs = (await self._http.post("/score", body, _Scored)).logprobs
        if len(logprobs) != num_scored:
            raise EngineRefused(f"the packer scored {len(logprobs)} of {num_scored} tokens")
        return logprobs


@asynccontextmanager
async def open_vectors(url: str) -> AsyncIterator[VectorScorer]:
    """The packer at `url`, closed at the end."""
    http = EngineHttp(url)
    try:
        yield PackerScorer(http)
    finally:
        await http.close()
