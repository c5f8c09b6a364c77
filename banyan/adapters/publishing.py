"""Publishing: from a directory to a version with a number and a verdict; and all other changes.

Every change reads the registry, computes the next one by `banyan/moves.py`, and stores it unless
somebody was faster; then it starts over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from banyan import moves
from banyan.adapters.policy_folder import PolicyFolder
from banyan.errors import Conflict, UnknownPolicy
from banyan.manifest import BaseModelId, Manifest
from banyan.ports import PolicyStore
from banyan.promotion import Rules, reasons_against
from banyan.registry import Listed, Registry

_ATTEMPTS = 20

Change = Callable[[Registry], Registry]


async def change(store: PolicyStore, next_of: Change) -> Registry:
    """Apply a change to the registry as it is now; what was stored. Raises what the change does."""
    for _ in range(_ATTEMPTS):
        registry = await store.load()
        changed = next_of(registry)
        if changed == registry or await store.save(changed):
            return changed
    raise Conflict("the registry is changed by others all the time", hint="Try it again.")


class Publisher:
    """Publishes directories, of policies that are `listed`.

    `served`: the model that is served, where the operator said so.
    """

    def __init__(
        self,
        store: PolicyStore,
        folder: PolicyFolder,
        *,
        listed: Listed,
        rules: Rules,
        served: BaseModelId | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._folder = folder
        self._listed = listed
        self._rules = rules
        self._served = served
        self._now = clock

    async def publish(self, directory: str) -> tuple[Registry, str]:
        """Check, copy, number and judge the weights in `directory`; the new version's name.

        Raises InvalidInput of several kinds, and NotFound; then nothing is stored. A version that
        is rejected for its evaluation is kept as such: its reasons are in the registry.
        """
        source = await asyncio.to_thread(self._folder.inside, directory)
        staged, manifest = await asyncio.to_thread(self._folder.stage, source)
        try:
            self._check_policy(manifest.policy)
            version = await self._number(manifest)
            await asyncio.to_thread(self._folder.settle, staged, version)
        except BaseException:
            await asyncio.to_thread(self._folder.discard, staged)
            raise
        judged = await change(
            self._store, lambda registry: self._judged(registry, version, manifest)
        )
        return judged, version

    def _check_policy(self, name: str) -> None:
        if self._listed(name).version != name:
            raise UnknownPolicy(
                f"the manifest is for {name}, which is no policy of its own",
                hint="Name in the manifest the policy that these weights are a version of.",
            )

    async def _number(self, manifest: Manifest) -> str:
        for _ in range(_ATTEMPTS):
            registry = await self._store.load()
            moves.check_base(registry, manifest, self._served)
            registry, version = moves.publish(registry, manifest, self._now())
            if await self._store.save(registry, (version, manifest)):
                return version
        raise Conflict("the registry is changed by others all the time", hint="Try it again.")

    def _judged(self, registry: Registry, version: str, manifest: Manifest) -> Registry:
        live = registry.line(manifest.policy).live
        reasons = reasons_against(manifest, self._rules, live_version=live)
        return moves.judge(registry, version, reasons, self._now())
