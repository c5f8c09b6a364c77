"""What a model server has done so far, by its own counters, read again and again by a thread."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from statistics import fmean
from types import TracebackType
from typing import Self

import httpx

_TOKENS = (
    ("vllm:prompt_tokens_total", "vllm:generation_tokens_total"),
    ("llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total"),
)
_LOAD = (
    ("vllm:num_requests_running", "vllm:num_requests_waiting"),
    ("llamacpp:requests_processing", "llamacpp:requests_deferred"),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """At `at_s` of the monotonic clock: tokens of prompts and completions so far, and calls now."""

    at_s: float
    tokens: float
    running: float
    waiting: float


def read_counts(http: httpx.Client, url: str, *, is_fake: bool) -> Counts:
    """From `/stats` of the fake server, or `/metrics` of vLLM or llama.cpp."""
    if is_fake:
        seen = http.get(f"{url}/stats").raise_for_status().json()
        tokens = seen["prompt_tokens"] + seen["completion_tokens"]
        return Counts(time.monotonic(), tokens, seen["computing"], seen["waiting"])
    page = http.get(f"{url}/metrics").raise_for_status().text
    running, waiting = _values(page, _LOAD)
    return Counts(time.monotonic(), sum(_values(page, _TOKENS)), running, waiting)


def _values(page: str, names: tuple[tuple[str, str], ...]) -> tuple[float, float]:
    for pair in names:
        found = [
            re.findall(rf"^{re.escape(name)}(?:{{.*}})? +([0-9.eE+-]+)", page, re.MULTILINE)
            for name in pair
        ]
        if all(found):
            first, second = (sum(map(float, values)) for values in found)
            return first, second
    raise RuntimeError(f"the model server tells none of {names}")


@dataclass(slots=True)
class Samples:
    """Counts every `every_s` seconds until the block ends."""

    url: str
    is_fake: bool
    every_s: float = 0.1
    kept: list[Counts] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="counts", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(60)

    def _run(self) -> None:
        with httpx.Client(timeout=60.0, trust_env=False) as http:
            while not self._stop.wait(self.every_s):
                self.kept.append(read_counts(http, self.url, is_fake=self.is_fake))

    def between(self, from_s: float, to_s: float) -> Rate:
        """What was done between two times of the monotonic clock."""
        return Rate.of([counts for counts in self.kept if from_s <= counts.at_s <= to_s])


@dataclass(frozen=True, slots=True)
class Rate:
    """Of a stretch of time. `in_flight` and `waiting` are means, in the server."""

    seconds: float
    tokens_per_s: float
    in_flight: float
    waiting: float

    @classmethod
    def of(cls, samples: list[Counts]) -> Self:
        """Raises RuntimeError for fewer than two of them."""
        if len(samples) < 2:
            raise RuntimeError("the server was not looked at often enough; let it run for longer")
        first, last = samples[0], samples[-1]
        seconds = last.at_s - first.at_s
        return cls(
            seconds=round(seconds, 2),
            tokens_per_s=round((last.tokens - first.tokens) / seconds, 1),
            in_flight=round(fmean(counts.running + counts.waiting for counts in samples), 1),
            waiting=round(fmean(counts.waiting for counts in samples), 1),
        )
