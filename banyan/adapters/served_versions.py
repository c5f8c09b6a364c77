"""Served versions: which weights a new tree gets, and what is known of those that a tree has.

The lookup of a policy by its name, for the service, which pins a tree to a version when it admits
it, and for workers, which run it on exactly that version.
"""

from __future__ import annotations

from banyan.errors import Conflict, NotFound, UnknownPolicy
from banyan.policy import Policy
from banyan.ports import PolicyStore
from banyan.registry import EMPTY, Listed, Registry, pinned, resolve

PIN_SLACK_S = 600.0
"""How much longer than until its deadline a tree may need its version: to wind up, and to clocks
that differ."""
_ATTEMPTS = 20


class ServedVersions:
    """`listed` are the policies that the operator lists; the registry has their versions."""

    def __init__(self, store: PolicyStore, listed: Listed) -> None:
        self.store = store
        self._listed = listed
        self._registry = EMPTY

    async def assign(self, name: str, tree_id: str, *, deadline_s: float) -> Policy:
        """Pin a tree that is about to start to the version that `name` stands for at this moment.

        Raises NotFound or what `listed` raises for a name that is not served.
        """
        for _ in range(_ATTEMPTS):
            revision, ttl_s = self._registry.revision, deadline_s + PIN_SLACK_S
            try:
                policy = resolve(self._registry, self._listed, name, tree_id)
            except (NotFound, UnknownPolicy):
                if (await self.load()).revision == revision:
                    raise
                continue  # the name may be new
            if await self.store.pin(revision, policy.version, tree_id, ttl_s=ttl_s):
                return policy
            await self.load()
        raise Conflict("the registry is changed by others all the time", hint="Try it again.")

    async def look_up(self, name: str) -> Policy:
        """What `name` stands for at this moment, without any tree. Raises as `assign` does."""
        return resolve(await self.load(), self._listed, name, "")

    async def of_tree(self, version: str, tree_id: str, *, left_s: float) -> Policy:
        """The version of a tree that runs for `left_s` seconds more, which stays loaded meanwhile.

        Raises what `listed` raises for a version that is not known here.
        """
        await self.store.pin(-1, version, tree_id, ttl_s=max(0.0, left_s) + PIN_SLACK_S)
        if version not in self._registry.versions:
            self._registry = await self.store.load()
        return pinned(self._registry, self._listed, version)

    async def rewarded(self, version: str, tree_id: str, reward: float) -> None:
        """What a whole tree was worth, while its policy has a canary to be judged by it."""
        registry = await self.load()
        for line in registry.lines.values():
            if line.canary is not None and version in {line.canary, line.live}:
                await self.store.add_reward(version, tree_id, reward)

    async def load(self) -> Registry:
        """The registry as it is now."""
        self._registry = await self.store.load()
        return self._registry

    async def close(self) -> None:
        await self.store.close()
