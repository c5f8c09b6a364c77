"""Load page: what a model server says of its calls on its page of metrics, in Prometheus' form."""

from __future__ import annotations

import re

import structlog

from banyan.adapters.engine_http import EngineHttp
from banyan.concurrency import Load
from banyan.errors import EngineRefused

PATH = "/metrics"
TIMEOUT_S = 30.0
"""llama.cpp answers between two steps, which may be of many tokens."""

NAMES = (
    ("vllm:num_requests_running", "vllm:num_requests_waiting"),
    ("llamacpp:requests_processing", "llamacpp:requests_deferred"),
    ("sglang:num_running_reqs", "sglang:num_queue_reqs"),
    ("tgi_batch_current_size", "tgi_queue_size"),
)
"""Calls that are computed, and calls that wait: of vLLM, llama.cpp, SGLang and TGI."""

log = structlog.get_logger(__name__)


class LoadPage:
    """The page of one server. Close it at the end."""

    def __init__(self, url: str, *, api_key: str = "") -> None:
        root = url.rstrip("/").removesuffix("/v1")
        self._http = EngineHttp(root, api_key=api_key, timeout_s=TIMEOUT_S)
        self._is_silent = False

    async def read(self) -> Load | None:
        """The load now; None where the server tells none, and is not asked again.

        Raises EngineUnavailable where it does not answer.
        """
        if self._is_silent:
            return None
        try:
            load = load_of(await self._http.text("GET", PATH, None))
        except EngineRefused:
            load = None
        if load is None:
            self._is_silent = True
            log.info("load not told", engine=self._http.base_url)
        return load

    async def close(self) -> None:
        await self._http.close()


def load_of(page: str) -> Load | None:
    """What a page says, over all of its series (one for each model, or part of the server)."""
    for running, waiting in NAMES:
        found = [series(page, name) for name in (running, waiting)]
        if all(found):
            return Load(*(round(sum(values)) for values in found))
    return None


def series(page: str, name: str) -> list[float]:
    """The values of all series of a metric; none where the page does not have it."""
    lines = re.findall(rf"^{re.escape(name)}(?:{{.*}})? +([0-9.eE+-]+)", page, re.MULTILINE)
    return [float(value) for value in lines]
