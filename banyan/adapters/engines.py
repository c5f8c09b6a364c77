"""Makes the engine that the settings name: one adapter a server, routed over as replicas."""

from __future__ import annotations

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.llama import LlamaEngine
from banyan.adapters.openai import OpenAIEngine
from banyan.adapters.replicas import Replicas
from banyan.adapters.vllm import VllmEngine
from banyan.errors import InvalidInput
from banyan.ports import Engine
from banyan.settings import EngineKind, Settings

_ADAPTERS: dict[EngineKind, type[LlamaEngine | OpenAIEngine | VllmEngine]] = {
    "llama": LlamaEngine,
    "openai": OpenAIEngine,
    "vllm": VllmEngine,
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
    return Replicas([(url, connect(settings, url)) for url in dict.fromkeys(urls)])


def connect(settings: Settings, url: str) -> Engine:
    """The adapter for one server."""
    http = EngineHttp(url, api_key=settings.engine_api_key, timeout_s=settings.engine_timeout_s)
    return _ADAPTERS[settings.engine_kind](
        http, model=settings.engine_model, window=settings.engine_window
    )
