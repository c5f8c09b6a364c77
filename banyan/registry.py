"""Registry: which versions there are of each policy, and which one new trees get. Pure.

The store keeps the whole of it under one revision, so that the live pointer and the canary's share
move together or not at all; `banyan/moves.py` has the changes. A policy's own weights are a version
too, of the policy's own name: live until another one is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from banyan.errors import NotFound
from banyan.manifest import BaseModelId, WeightsKind
from banyan.policy import Policy
from banyan.versions import State
from banyan.versions import moved as checked

_HASH_RANGE = 2.0**64


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Version(_Model):
    """What is known of a published version; its manifest is kept beside the registry."""

    version: str
    policy: str
    kind: WeightsKind
    parent: str
    state: State
    changed_at: float
    """Unix seconds."""
    reasons: tuple[str, ...] = ()
    """Why it was rejected, or not moved."""
    changes: dict[str, Any] = Field(default_factory=dict)
    """Traits and threshold that its Policy has of its own."""


class Wanted(_Model):
    """A move that is under way: `share` 1 makes the version live, less makes it a canary."""

    version: str
    share: float = Field(gt=0, le=1)


class Line(_Model):
    """The versions of one policy that are in service."""

    live: str
    previous: str | None = None
    """Where a rollback goes; it stays loaded."""
    canary: str | None = None
    share: float = 0.0
    """Of new trees that get the canary."""
    wanted: Wanted | None = None
    base: BaseModelId | None = None
    """What all of its versions are trained from; known from the first one."""
    kind: WeightsKind | None = None
    """Of all of its versions: an adapter needs replicas that have their own weights."""


class Registry(_Model):
    """All of it, as of `revision`."""

    revision: int = 0
    num_published: int = 0
    lines: dict[str, Line] = Field(default_factory=dict)
    versions: dict[str, Version] = Field(default_factory=dict)

    def line(self, policy: str) -> Line:
        """The policy's line; one that has no versions yet serves its own weights."""
        return self.lines.get(policy) or Line(live=policy)

    def version(self, version: str) -> Version:
        """Raises NotFound."""
        found = self.versions.get(version)
        if found is None:
            raise NotFound(
                f"there is no version {version}", hint="See `banyan policies list` for those."
            )
        return found

    def served(self, policy: str, tree_id: str) -> str:
        """The version that a new tree of the policy gets; the canary for its share of trees."""
        line = self.line(policy)
        if line.canary is not None and _position(tree_id, line.canary) < line.share:
            return line.canary
        return line.live

    def needed(self, pinned: Iterable[str] = ()) -> set[str]:
        """Published versions that must be loaded: of trees, of new trees, and of a rollback."""
        names = set(pinned)
        for line in self.lines.values():
            wanted = line.wanted.version if line.wanted else None
            names |= {name for name in (line.live, line.previous, line.canary, wanted) if name}
        return names & self.versions.keys()

    def of_policies(self, names: Collection[str]) -> Self:
        """What concerns these policies, to look at; it is no registry to save."""
        lines = {name: line for name, line in self.lines.items() if name in names}
        versions = {name: of for name, of in self.versions.items() if of.policy in names}
        return self.model_copy(update={"lines": lines, "versions": versions})

    def changed(self, line: tuple[str, Line] | None, *versions: Version) -> Self:
        """The registry with a policy's line and some versions replaced."""
        lines = {**self.lines, line[0]: line[1]} if line else self.lines
        changed = {**self.versions, **{version.version: version for version in versions}}
        return self.model_copy(update={"lines": lines, "versions": changed})

    def moved(self, version: str, to: State, now: float, *reasons: str) -> tuple[Version, ...]:
        """The version in its next state; none for a policy's own weights, which keep no record."""
        known = self.versions.get(version)
        if known is None:
            return ()
        state = checked(version, known.state, to)
        update = {"state": state, "changed_at": now, "reasons": reasons}
        return (known.model_copy(update=update),)


EMPTY = Registry()

Listed = Callable[[str], Policy]
"""The policy that the operator lists under a name, or under `live`; raises for unknown names."""


def resolve(registry: Registry, listed: Listed, name: str, tree_id: str) -> Policy:
    """The policy that a tree runs on which asks for `name`: a version, a policy, or `live`.

    A policy's name stands for the version of it that is live (or its canary); the name of a version
    for exactly that one, unless it was rejected or never verified. Raises NotFound for such a
    version, and what `listed` raises.
    """
    known = registry.versions.get(name)
    if known is not None:
        if known.state in {"staged", "rejected"}:
            raise NotFound(f"{name} is {known.state} and is not served", hint="Use `live`.")
        return pinned(registry, listed, name)
    own = listed(name)
    return pinned(registry, listed, registry.served(own.version, tree_id))


def pinned(registry: Registry, listed: Listed, version: str) -> Policy:
    """The policy of exactly this version, which may be a policy's own weights.

    Whatever its state: a tree that was started on it ends on it.
    """
    known = registry.versions.get(version)
    if known is None:
        return listed(version)
    return listed(known.policy).model_copy(update={**known.changes, **_names(known)})


def _names(known: Version) -> Mapping[str, Any]:
    adapter = known.version if known.kind == "adapter" else None
    return {
        "version": known.version,
        "listed": known.policy,
        "adapter": adapter,
        "is_full": known.kind == "full",
    }


def _position(tree_id: str, version: str) -> float:
    """Where a tree stands between 0 and 1 for this canary; the same for every process."""
    digest = hashlib.blake2b(f"{version}\0{tree_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _HASH_RANGE
