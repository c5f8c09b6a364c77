"""A farm: fake replicas, a registry and a swapper over them, and weights to publish to it."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path

from banyan import moves
from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.policy_folder import PolicyFolder
from banyan.adapters.publishing import Publisher, change
from banyan.adapters.stationed import StationedEngine
from banyan.adapters.swap_rules import SwapRules
from banyan.adapters.swapper import Swapper
from banyan.manifest import FILE_NAME, WeightsKind
from banyan.policy import LIVE, ONLY_BASE
from banyan.ports import CallOptions, Completion, Message, PolicyStore
from banyan.promotion import Rules
from banyan.registry import Registry, pinned, resolve
from banyan.testing import FakeReplica
from banyan.testing.fake_replica import OWN, logprob_of, weights_in
from tests.swap.makers import BASE as BASE_MODEL
from tests.swap.makers import (
    PROBE,
    PROBE_TOKEN_IDS,
    directory,
    floats,
    manifest,
    rewards,
    safetensors,
)

RULES = SwapRules(drain_s=0.0, settle_s=0.0, promotion=Rules(canary_trees=20))


listed = ONLY_BASE.resolve


class Farm:
    """`names` are its replicas. Trees in `ended` have ended."""

    def __init__(
        self,
        root: Path,
        *names: str,
        kind: WeightsKind = "adapter",
        rules: SwapRules = RULES,
        store: PolicyStore | None = None,
    ) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.kind = kind
        self.store = store or MemoryPolicies()
        self.folder = PolicyFolder(root)
        self.replicas = {name: FakeReplica() for name in names}
        self.engine = StationedEngine(list(self.replicas.items()), self.store, fresh_s=0.0)
        self.ended: set[str] = set()
        self.rules = rules
        self.swapper = self.new_swapper()
        self._runs = itertools.count(1)

    def new_swapper(self) -> Swapper:
        """As of another worker."""
        return Swapper(
            self.store,
            self.replicas,
            folder=self.folder.path,
            has_ended=self._has_ended,
            rules=self.rules,
        )

    async def _has_ended(self, tree_id: str) -> bool:
        return tree_id in self.ended

    async def publish(self, *, honest: bool = True) -> str:
        """New weights, verified; unless `honest`, their manifest tells of other ones."""
        run = f"run-{next(self._runs)}"
        weights = safetensors({"w": ("F32", (1,), floats(float(len(run) + int(run[4:]))))})
        live = (await self.store.load()).line("base").live
        told = weights if honest else b"other weights"
        scores = [logprob_of(told, token) for token in PROBE_TOKEN_IDS]
        changes = {
            "parent": live,
            "probe": {**PROBE, "logprobs": scores},
            "evaluation": {
                "set_name": "s",
                "live_version": live,
                "candidate": rewards(0.7),
                "live": rewards(0.6),
            },
        }
        if self.kind == "adapter":
            directory(self.root / run, weights=weights, **changes)
        else:
            full_directory(self.root / run, weights, changes)
        publisher = Publisher(self.store, self.folder, listed=listed, rules=self.rules.promotion)
        registry, version = await publisher.publish(run)
        assert registry.version(version).state == "verified", registry.version(version).reasons
        return version

    async def want(self, version: str, share: float = 1.0) -> None:
        await change(self.store, lambda registry: moves.want(registry, version, share))

    async def promoted(self, **options: bool) -> str:
        """New weights, live."""
        version = await self.publish(**options)
        await self.want(version)
        await self.swapper.step()
        assert await self.live() == version
        return version

    async def registry(self) -> Registry:
        return await self.store.load()

    async def live(self) -> str:
        return (await self.store.load()).line("base").live

    async def options(self, name: str = LIVE, tree_id: str = "tree") -> CallOptions:
        """Of a call of a tree that is pinned to what the name stands for now."""
        registry = await self.registry()
        policy = (
            pinned(registry, listed, name)
            if name in registry.versions
            else resolve(registry, listed, name, tree_id)
        )
        return CallOptions(
            salt=f"t:{policy.version}",
            policy=policy.adapter or "base",
            weights=policy.version if policy.is_full else None,
        )

    async def complete(self, options: CallOptions, text: str = "hello") -> Completion:
        prompt = await self.engine.render([Message("user", text)])
        return await self.engine.complete(prompt, schema=None, max_tokens=8, options=options)

    def computed_by(self, completion: Completion, version: str) -> bool:
        """Whether every token was computed with exactly this version's weights."""
        weights = OWN if version == "base" else weights_in(self.folder.path(version))
        expected = tuple(logprob_of(weights, token) for token in completion.token_ids or ())
        return completion.logprobs == expected != ()


def full_directory(folder: Path, weights: bytes, changes: Mapping[str, object]) -> None:
    """A directory of full weights as a trainer leaves it."""
    folder.mkdir(parents=True)
    files = {"config.json": b"{}", "model.safetensors": weights}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = manifest(kind="full", files=checksums, base=BASE_MODEL, **changes)
    (folder / FILE_NAME).write_text(json.dumps(whole), encoding="utf-8")
