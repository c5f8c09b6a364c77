"""The OpenAPI page: the service's description as it is sent, made once, at the first ask.

Making it takes most of a second of CPU. That is done in a thread, since all streams of this process
would wait for it, and not at the start, since most services are never asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """JSON, and a tag that changes with it."""

    body: bytes
    etag: str


class OpenApiPage:
    """`make` gives the document; it is called once, in a thread. Belongs to one event loop."""

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._making: asyncio.Task[Page] | None = None

    async def page(self) -> Page:
        """The page. Who asks while it is made waits for it; who leaves does not end the making."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._render))
        return await asyncio.shield(self._making)

    def _render(self) -> Page:
        body = json.dumps(self._make(), ensure_ascii=False, separators=(",", ":")).encode()
        return Page(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
