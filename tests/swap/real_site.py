"""A site: one real vLLM server with a registry, a publisher, an engine and a swapper over it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from banyan import moves
from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.policy_folder import PolicyFolder
from banyan.adapters.publishing import Publisher, change
from banyan.adapters.stationed import StationedEngine
from banyan.adapters.swap_rules import SwapRules
from banyan.adapters.swapper import Swapper
from banyan.adapters.vllm import VllmEngine
from banyan.adapters.vllm_weights import VllmWeights
from banyan.manifest import FILE_NAME
from banyan.policy import LIVE
from banyan.ports import CallOptions, Completion, Message
from banyan.promotion import Rules
from banyan.registry import resolve
from tests.swap.farm import listed
from tests.swap.makers import manifest, rewards
from tests.swap.served import NAME, ServedWeights

PROBE = {
    "prompt_token_ids": [504, 3575, 282, 4649, 314, 7042, 30, 378],
    "token_ids": [216, 37, 41, 102, 260, 1055, 506, 28, 1194, 253, 99, 411],
}
TEXT = "The banyan drops roots from its branches, and these become trunks of their own. " * 8
TEXT += "Write a poem about something else."


@dataclass
class Site:
    """One real replica with registry, publisher, engine and swapper."""

    served: ServedWeights
    root: Path
    store: MemoryPolicies = field(default_factory=MemoryPolicies)

    def __post_init__(self) -> None:
        self.weights = VllmWeights(EngineHttp(self.served.url))
        self.engine = StationedEngine(
            [(self.served.url, VllmEngine(EngineHttp(self.served.url), model=NAME))],
            self.store,
            fresh_s=0.0,
        )
        self.folder = PolicyFolder(self.root)
        self.swapper = Swapper(
            self.store,
            {self.served.url: self.weights},
            folder=self.folder.path,
            has_ended=self._never,
            rules=SwapRules(drain_s=0.0, settle_s=0.0),
        )

    async def _never(self, tree_id: str) -> bool:
        del tree_id
        return False

    async def close(self) -> None:
        await self.swapper.close()
        await self.engine.close()

    async def publish(self, run: str, kind: str, logprobs: list[float]) -> str:
        folder = self.root / run
        files = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
        }
        live = await self.live()
        evaluation = {"set_name": "s", "live_version": live}
        evaluation |= {"candidate": rewards(0.7), "live": rewards(0.6)}  # type: ignore[dict-item]
        whole = manifest(
            kind=kind,
            base={"name": NAME, "fingerprint": "a" * 64},
            parent="base",
            files=files,
            probe={**PROBE, "logprobs": logprobs},
            evaluation=evaluation,
        )
        (folder / FILE_NAME).write_text(json.dumps(whole), encoding="utf-8")
        publisher = Publisher(self.store, self.folder, listed=listed, rules=Rules())
        registry, version = await publisher.publish(run)
        assert registry.version(version).state == "verified"
        return version

    async def promote(self, version: str) -> None:
        """Until it is live, or given up."""
        await change(self.store, lambda registry: moves.want(registry, version, 1.0))
        await self.swapper.step()

    async def roll_back(self, version: str) -> None:
        await change(self.store, lambda registry: moves.roll_back(registry, version, 1.0))
        await self.swapper.step()

    async def live(self) -> str:
        return (await self.store.load()).line("base").live

    async def options(self, salt: str | None = None) -> CallOptions:
        policy = resolve(await self.store.load(), listed, LIVE, "tree")
        return CallOptions(
            salt=salt or f"t:{policy.version}",
            policy=policy.adapter or "base",
            weights=policy.version if policy.is_full else None,
        )

    async def complete(
        self, options: CallOptions, text: str = TEXT, num_tokens: int = 6, **more: Any
    ) -> Completion:
        prompt = await self.engine.render([Message("user", text)])
        return await self.engine.complete(
            prompt, schema=None, max_tokens=num_tokens, options=options, **more
        )
