"""The policies port: where the registry is kept, and which trees still need which version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from banyan.manifest import Manifest
from banyan.registry import Registry


class Station(BaseModel):
    """Which weights a replica has, for policies whose versions are full weights.

    `epoch` grows before they change: a call that began and ended under one epoch, of a station that
    was open when it began, was computed by one version alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str | None
    """None: the weights that the server was started with."""
    epoch: int = 0
    is_open: bool = True
    """Whether new calls go there; not while it is drained and reloaded."""
    allowed_nats: float = 0.0
    """The tolerance of the proof that it passed, a token; for when it has to be loaded again."""


class PolicyStore(Protocol):
    """Every method is atomic. All of them raise StoreUnavailable."""

    async def load(self) -> Registry:
        """The registry as it is now."""
        ...

    async def save(self, registry: Registry, manifest: tuple[str, Manifest] | None = None) -> bool:
        """Replace the registry, with a manifest that belongs to a new version of it.

        False, without any effect, where the one that is kept has another revision than this one was
        made from. What is kept then has the next revision.
        """
        ...

    async def manifest(self, version: str) -> Manifest:
        """Raises NotFound."""
        ...

    async def pin(self, revision: int, version: str, tree_id: str, *, ttl_s: float) -> bool:
        """Keep a version loaded for a tree, at most for `ttl_s` from now, which repeating extends.

        False, without any effect, where the registry has another revision by now: the tree may have
        to get another version. A negative revision pins in any case.
        """
        ...

    async def unpin(self, version: str, tree_id: str) -> None:
        """The tree has ended, or was never started."""
        ...

    async def pins(self, version: str, *, limit: int) -> list[str]:
        """Trees that a version is kept for, longest-pinned first; forgets those that expired."""
        ...

    async def add_reward(self, version: str, tree_id: str, reward: float) -> None:
        """What a tree on this version was worth; the last word about a tree counts."""
        ...

    async def rewards(self, version: str) -> Mapping[str, float]:
        """By tree, since they were last cleared."""
        ...

    async def clear_rewards(self, *versions: str) -> None:
        """Begin to count anew, as a canary does."""
        ...

    async def stations(self) -> Mapping[str, Station]:
        """By replica, as far as their weights were ever changed."""
        ...

    async def set_station(self, replica: str, station: Station, *, token: str) -> bool:
        """False, without any effect, where the lease of `token` is over."""
        ...

    async def lease(self, token: str, *, ttl_s: float) -> bool:
        """Take or extend the one lease under which replicas are changed; False: another has it."""
        ...

    async def release(self, token: str) -> None:
        """Give the lease back, where it is still of this token."""
        ...

    async def close(self) -> None: ...
