"""Packer adapter: the packer server over HTTP (`banyan/local/packer_server.py`)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import msgspec

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.lru import Lru
from banyan.ports import Embeds

_CACHED_BYTES = 32 * 1024 * 1024
"""Of encoded vectors that are kept, so that siblings do not have theirs encoded each."""


class _Packed(msgspec.Struct):
    vectors: str


class _Encoded(msgspec.Struct):
    embeds: str
    num: int


class HttpPacker:
    """One packer server. Satisfies `banyan.ports.Packer`."""

    def __init__(self, http: EngineHttp) -> None:
        self._http = http
        self._encoded: Lru[bytes, Embeds] = Lru(_CACHED_BYTES)

    async def pack(self, token_ids: Sequence[int], num_vectors: int) -> bytes:
        body = {"token_ids": list(token_ids), "num_vectors": num_vectors}
        return base64.b64decode((await self._http.post("/pack", body, _Packed)).vectors)

    async def encode(self, vectors: bytes) -> Embeds:
        key = hashlib.blake2b(vectors, digest_size=16).digest()
        if (known := self._encoded.get(key)) is not None:
            return known
        body = {"vectors": base64.b64encode(vectors).decode()}
        reply = await self._http.post("/encode", body, _Encoded)
        embeds = Embeds(reply.embeds, reply.num)
        self._encoded.put(key, embeds, len(reply.embeds))
        return embeds

    async def close(self) -> None:
        await self._http.close()
