"""Makes the engines that the settings name: one adapter a server, routed over as replicas."""

from __future__ import annotations

from collections.abc import Callable

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.engine_spec import EngineSpec, server_name
from banyan.adapters.llama import LlamaEngine
from banyan.adapters.load_page import LoadPage
from banyan.adapters.openai import OpenAIEngine
from banyan.adapters.packer import HttpPacker
from banyan.adapters.places import Places
from banyan.adapters.policy_file import Listed
from banyan.adapters.replicas import Replicas
from banyan.adapters.stationed import StationedEngine
from banyan.adapters.vllm import VllmEngine
from banyan.adapters.vllm_weights import VllmWeights
from banyan.concurrency import Bounds, Limiter
from banyan.ports import Engine, Metrics, Packer, PolicyStore, Traces, Weights
from banyan.serving import Serving
from banyan.settings import EngineConcurrency, EngineKind, Settings

_OTHERS: dict[EngineKind, type[LlamaEngine | OpenAIEngine]] = {
    "llama": LlamaEngine,
    "openai": OpenAIEngine,
}


Observe = Callable[[Engine, EngineSpec, str], Engine]
"""Puts something around the adapter of one server, that hears of its calls."""

Place = Callable[[EngineSpec, str], Places]
"""Makes the places of one server."""


def make_serving(
    listed: Listed,
    policies: PolicyStore | None = None,
    *,
    observe: Observe | None = None,
    place: Place | None = None,
    around: Callable[[Engine], Engine] = lambda engine: engine,
) -> Serving:
    """All policies with their engines; those that name the same servers share one.

    With `policies`, calls are routed by the weights that replicas have. `around` puts another
    engine before each. Policies that name the same server share its places.
    """
    shared: dict[str, Places] = {}

    def once(spec: EngineSpec, url: str) -> Places:
        if url not in shared:
            shared[url] = place(spec, url) if place is not None else Places(url)
        return shared[url]

    made = {
        spec: around(make_replicas(spec, policies, observe=observe, place=once))
        for spec in dict.fromkeys(listed.engines.values())
    }
    return Serving(listed.policies, {name: made[spec] for name, spec in listed.engines.items()})


def make_replicas(
    spec: EngineSpec,
    policies: PolicyStore | None = None,
    *,
    observe: Observe | None = None,
    place: Place | None = None,
) -> Engine:
    """One engine for this process. Connects at the first call; close it at the end.

    Without `place` its servers get every call at once.
    """
    engines = [(url, connect(spec, url)) for url in spec.urls]
    if observe is not None:
        engines = [(url, observe(engine, spec, url)) for url, engine in engines]
    places = {url: place(spec, url) for url in spec.urls} if place is not None else None
    if policies is not None and spec.kind == "vllm":
        return StationedEngine(engines, policies, places)
    return Replicas(engines, places)


def make_places(
    spec: EngineSpec, url: str, concurrency: EngineConcurrency, *, metrics: Metrics, traces: Traces
) -> Places:
    """The places of one server, as the settings have it."""
    limiter: Limiter | None = None
    page: LoadPage | None = None
    if concurrency == "auto":
        limiter, page = Limiter(), LoadPage(url, api_key=spec.api_key)
    elif concurrency != "off":
        limiter = Limiter(Bounds.fixed(concurrency))
    return Places(server_name(url), limiter, page, metrics=metrics, traces=traces)


def make_weights(spec: EngineSpec) -> dict[str, Weights]:
    """By replica, what can be done to its weights; empty where the servers cannot change them."""
    if spec.kind != "vllm":
        return {}
    return {url: VllmWeights(_http(spec, url)) for url in spec.urls}


def connect(spec: EngineSpec, url: str) -> Engine:
    """The adapter for one server."""
    http = _http(spec, url)
    if spec.kind == "vllm":
        return VllmEngine(http, model=spec.model, window=spec.window, embeds=spec.embeds)
    return _OTHERS[spec.kind](http, model=spec.model, window=spec.window)


def _http(spec: EngineSpec, url: str) -> EngineHttp:
    return EngineHttp(url, api_key=spec.api_key, timeout_s=spec.timeout_s)


def make_packer(settings: Settings) -> Packer | None:
    """The packer that the settings name, if any. Connects at the first call."""
    if not settings.packer_url:
        return None
    return HttpPacker(EngineHttp(settings.packer_url, timeout_s=settings.engine_timeout_s))
