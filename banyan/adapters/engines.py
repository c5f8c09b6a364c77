"""Makes the engines that the settings name: one adapter a server, routed over as replicas."""

from __future__ import annotations

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.llama import LlamaEngine
from banyan.adapters.openai import OpenAIEngine
from banyan.adapters.packer import HttpPacker
from banyan.adapters.policy_file import Listed
from banyan.adapters.replicas import Replicas
from banyan.adapters.vllm import VllmEngine
from banyan.ports import Engine, Packer
from banyan.serving import Serving
from banyan.settings import EngineKind, Settings

_OTHERS: dict[EngineKind, type[LlamaEngine | OpenAIEngine]] = {
    "llama": LlamaEngine,
    "openai": OpenAIEngine,
}


def make_serving(listed: Listed) -> Serving:
    """All policies with their engines; those that name the same servers share one."""
    made = {spec: make_replicas(spec) for spec in dict.fromkeys(listed.engines.values())}
    return Serving(listed.policies, {name: made[spec] for name, spec in listed.engines.items()})


def make_engine(settings: Settings) -> Engine:
    """The engine of the settings. Raises InvalidInput where `engine_urls` names no server."""
    return make_replicas(EngineSpec.of(settings))


def make_replicas(spec: EngineSpec) -> Engine:
    """One engine for this process. Connects at the first call; close it at the end."""
    return Replicas([(url, connect(spec, url)) for url in spec.urls])


def connect(spec: EngineSpec, url: str) -> Engine:
    """The adapter for one server."""
    http = EngineHttp(url, api_key=spec.api_key, timeout_s=spec.timeout_s)
    if spec.kind == "vllm":
        return VllmEngine(http, model=spec.model, window=spec.window, embeds=spec.embeds)
    return _OTHERS[spec.kind](http, model=spec.model, window=spec.window)


def make_packer(settings: Settings) -> Packer | None:
    """The packer that the settings name, if any. Connects at the first call."""
    if not settings.packer_url:
        return None
    return HttpPacker(EngineHttp(settings.packer_url, timeout_s=settings.engine_timeout_s))
