"""Engine probe: whether the model servers of the listed policies answer, asked now and then.

The service itself calls no model. It says what it sees, and takes requests all the same, since a
tree waits in the store until its model server is back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from banyan.adapters.engine_spec import EngineSpec

if TYPE_CHECKING:
    import httpx

State = Literal["up", "down"]

TIMEOUT_S = 2.0
REMEMBERED_S = 5.0
_ERROR = 500


class EngineProbe:
    """Asks at most once in REMEMBERED_S, whoever wants to know."""

    def __init__(self, engines: Mapping[str, EngineSpec]) -> None:
        self._engines = dict(engines)
        self._client: httpx.AsyncClient | None = None
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._states: dict[str, State] = {}

    async def states(self) -> dict[str, State]:
        """By policy: `up` where one of its servers answers."""
        if not self._engines:
            return {}
        async with self._asking:
            if time.monotonic() - self._asked_at > REMEMBERED_S:
                urls = {url for spec in self._engines.values() for url in spec.urls}
                answers = await asyncio.gather(*(self._answers(url) for url in urls))
                up = dict(zip(urls, answers, strict=True))
                self._states = {
                    name: "up" if any(up[url] for url in spec.urls) else "down"
                    for name, spec in self._engines.items()
                }
                self._asked_at = time.monotonic()
            return dict(self._states)

    def window(self, name: str) -> int | None:
        """The window of a policy's engine in tokens, where the operator says it."""
        spec = self._engines.get(name)
        return spec.window if spec else None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _answers(self, url: str) -> bool:
        """Without a key: a server that refuses the caller is up."""
        import httpx  # noqa: PLC0415 - slow to import; most services list no model servers

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        try:
            reply = await self._client.get(f"{url.removesuffix('/v1')}/v1/models")
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return reply.status_code < _ERROR
