"""Weights of a vLLM server: adapters by name, full weights by path, proof by a cold probe.

Adapters need `--enable-lora` and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1; full weights need
VLLM_SERVER_DEV_MODE=1, which opens calls that no one but the operator may reach.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path
from typing import Any

import msgspec

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.vllm_wire import ID, Choice, Reply
from banyan.errors import EngineRefused, EngineUnavailable
from banyan.manifest import Probe

_IN_FLIGHT = re.compile(
    r"^vllm:num_requests_(?:running|waiting)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE
)
_RESETS = 20
_PAUSE_S = 0.1


class _Model(msgspec.Struct):
    id: str
    root: str | None = None
    parent: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


class _Reset(msgspec.Struct):
    success: bool


class VllmWeights:
    """One server. Satisfies `banyan.ports.Weights`."""

    def __init__(self, http: EngineHttp) -> None:
        self._http = http

    async def ping(self) -> None:
        await self._http.ok("/health")

    async def adapters(self) -> frozenset[str]:
        return frozenset(model.id for model in await self._models() if model.parent)

    async def load_adapter(self, name: str, folder: Path) -> None:
        await self._text("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})

    async def unload_adapter(self, name: str) -> None:
        if name in await self.adapters():
            await self._text("/v1/unload_lora_adapter", {"lora_name": name})

    async def num_calls(self) -> int:
        return int(sum(float(number) for number in _IN_FLIGHT.findall(await self._metrics())))

    async def pause(self) -> None:
        await self._http.post("/pause?mode=abort", {}, dict[str, Any])

    async def reload(self, folder: Path | None) -> None:
        path = str(folder) if folder else await self._own_path()
        body = {"method": "reload_weights", "kwargs": {"weights_path": path}}
        await self._http.post("/collective_rpc", body, dict[str, Any])
        # It can answer 200 and have done nothing, while blocks are still held.
        for _ in range(_RESETS):
            if (await self._http.post("/reset_prefix_cache", {}, _Reset)).success:
                return
            await asyncio.sleep(_PAUSE_S)
        raise EngineUnavailable(f"{self._http.base_url} still holds its prefix cache")

    async def resume(self) -> None:
        await self._http.post("/resume", {}, dict[str, Any])

    async def probe(self, probe: Probe, adapter: str | None) -> tuple[float, ...]:
        """Each token as the first that a completion of all before it could have.

        Not by `prompt_logprobs`, which kills a server with adapters on the CPU as soon as another
        call runs beside it (vLLM 0.32).
        """
        body = {
            "model": adapter or (await self._own()).id,
            "prompt": [
                [*probe.prompt_token_ids, *probe.token_ids[:done]]
                for done in range(len(probe.token_ids))
            ],
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": 1,
            "logprob_token_ids": sorted(set(probe.token_ids)),
            "return_tokens_as_token_ids": True,
            "cache_salt": f"probe:{secrets.token_hex(8)}",  # what earlier weights left is not read
        }
        choices = (await self._http.post("/v1/completions", body, Reply)).choices
        try:
            pairs = zip(probe.token_ids, choices, strict=True)
            return tuple(_scores(choice)[f"{ID}{token}"] for token, choice in pairs)
        except (KeyError, ValueError) as error:
            raise EngineRefused(f"{self._http.base_url} did not score the probe") from error

    async def close(self) -> None:
        await self._http.close()

    async def _models(self) -> list[_Model]:
        return (await self._http.get("/v1/models", _Models)).data

    async def _own(self) -> _Model:
        return next(model for model in await self._models() if not model.parent)

    async def _own_path(self) -> str:
        own = await self._own()
        if own.root is None:
            raise EngineRefused(f"{self._http.base_url} does not tell where its weights are")
        return own.root

    async def _text(self, path: str, body: dict[str, Any]) -> None:
        """A call whose reply is a sentence."""
        await self._http.text("POST", path, body)

    async def _metrics(self) -> str:
        return await self._http.text("GET", "/metrics", None)


def _scores(choice: Choice) -> dict[str, float]:
    ranked = choice.logprobs.top_logprobs if choice.logprobs else []
    return (ranked[0] or {}) if ranked else {}
