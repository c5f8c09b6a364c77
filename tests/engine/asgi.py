"""Calls to an ASGI application without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from banyan.testing import FakeServer


class Exchange:
    """One request and its reply."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._replied = bytearray()

    @classmethod
    async def post(cls, server: FakeServer, path: str, body: Any) -> Any:
        """The JSON of the reply."""
        exchange = cls(json.dumps(body).encode())
        scope = {"type": "http", "method": "POST", "path": path}
        await server(scope, exchange._receive, exchange._send)
        return json.loads(exchange._replied)

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._body is None:
            await asyncio.Event().wait()  # the client waits for its reply
        body, self._body = self._body, None
        return {"type": "http.request", "body": body}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self._replied += message.get("body", b"")
