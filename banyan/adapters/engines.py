"""Makes the engine that the settings name: one adapter a server, routed over as replicas."""

from __future__ import annotations

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.llama import LlamaEngine
from banyan.adapters.openai import OpenAIEngine
from banyan.adapters.packer import HttpPacker
from banyan.adapters.replicas import Replicas
from banyan.adapters.vllm import VllmEngine
from banyan.errors import InvalidInput
from banyan.ports import Engine, Packer
from banyan.settings import EngineKind, Settings

_OTHERS: dict[EngineKind, type[LlamaEngine | OpenAIEngine]] = {
    "llama": LlamaEngine,
    "openai": OpenAIEngine,
}


def make_engine(settings: Settings) -> Engine:
    """The engine for this process. Connects at the first call; close it at the end.

    Raises InvalidInput where `engine_urls` names no server.
    """
    urls = [url.strip().rstrip("/") for url in settings.engine_urls.split(",") if url.strip()]
    wrong = [url for url in urls if not url.startswith(("http://", "https://"))]
    if wrong or not urls:
        raise InvalidInput(
            f"engine_urls: {', '.join(wrong) or 'empty'}",
            hint="Set BANYAN_ENGINE_URLS to http:// or https:// addresses, separated by commas.",
        )
    if settings.packer_url and settings.engine_kind != "vllm":
        raise InvalidInput(
            f"packer_url: {settings.engine_kind} takes no prompt embeddings",
            hint="Set BANYAN_ENGINE_KIND=vllm, or leave BANYAN_PACKER_URL out.",
        )
    return Replicas([(url, connect(settings, url)) for url in dict.fromkeys(urls)])


def connect(settings: Settings, url: str) -> Engine:
    """The adapter for one server."""
    http = EngineHttp(url, api_key=settings.engine_api_key, timeout_s=settings.engine_timeout_s)
    model, window = settings.engine_model, settings.engine_window
    if settings.engine_kind == "vllm":
        return VllmEngine(http, model=model, window=window, embeds=bool(settings.packer_url))
    return _OTHERS[settings.engine_kind](http, model=model, window=window)


def make_packer(settings: Settings) -> Packer | None:
    """The packer that the settings name, if any. Connects at the first call."""
    if not settings.packer_url:
        return None
    return HttpPacker(EngineHttp(settings.packer_url, timeout_s=settings.engine_timeout_s))
