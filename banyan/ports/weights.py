"""The weights port: what a model server lets its operator do to the weights that it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from banyan.manifest import Probe


class Weights(Protocol):
    """One replica. Errors: EngineUnavailable (try again), EngineRefused (it never will)."""

    async def ping(self) -> None:
        """Raises EngineUnavailable."""
        ...

    async def adapters(self) -> frozenset[str]:
        """The names of the adapters that are loaded."""
        ...

    async def load_adapter(self, name: str, folder: Path) -> None:
        """Serve the adapter in `folder` under `name`; calls in flight go on."""
        ...

    async def unload_adapter(self, name: str) -> None:
        """Forget an adapter; one that is not there is no error."""
        ...

    async def num_calls(self) -> int:
        """Calls that run or wait on the replica, whoever sent them."""
        ...

    async def pause(self) -> None:
        """Abort the calls in flight and let no other begin, until `resume`."""
        ...

    async def reload(self, folder: Path | None) -> None:
        """Take the full weights in `folder`, or the server's own (None), and forget prefix caches.

        Raises EngineUnavailable where the caches are still held.
        """
        ...

    async def resume(self) -> None:
        """Let calls begin again."""
        ...

    async def probe(self, probe: Probe, adapter: str | None) -> tuple[float, ...]:
        """Log-probabilities (nats) of the probe's continuation, computed cold; one for each token.

        `adapter`: a loaded one; None: the weights of the replica itself.
        """
        ...

    async def close(self) -> None: ...
