"""What a model server has done so far, by its own counters, read again and again by a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Self

import httpx

from banyan.adapters.load_page import load_of, series
from bench.sampler import Sampler

_TOKENS = (
    ("vllm:prompt_tokens_total", "vllm:generation_tokens_total"),
    ("llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total"),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """At `at_s` of the monotonic clock: tokens of prompts and completions so far, and calls now."""

    at_s: float
    tokens: float
    running: float
    waiting: float


def read_counts(http: httpx.Client, url: str, *, is_fake: bool) -> Counts:
    """From `/stats` of the fake server, or `/metrics` of vLLM or llama.cpp.

    Raises RuntimeError where the server does not tell them.
    """
    if is_fake:
        seen = http.get(f"{url}/stats").raise_for_status().json()
        tokens = seen["prompt_tokens"] + seen["completion_tokens"]
        return Counts(time.monotonic(), tokens, seen["computing"], seen["waiting"])
    page = http.get(f"{url}/metrics").raise_for_status().text
    load = load_of(page)
    if load is None:
        raise RuntimeError(f"{url} does not tell how many calls run and wait")
    return Counts(time.monotonic(), _tokens(page), load.running, load.waiting)


def _tokens(page: str) -> float:
    for names in _TOKENS:
        found = [series(page, name) for name in names]
        if all(found):
            return sum(map(sum, found))
    raise RuntimeError(f"the model server tells none of {_TOKENS}")


class Samples(Sampler):
    """Counts every `every_s` seconds until the block ends."""

    def __init__(self, url: str, *, is_fake: bool, every_s: float = 0.1) -> None:
        super().__init__(every_s)
        self.url = url
        self.is_fake = is_fake
        self.kept: list[Counts] = []

    @contextmanager
    def looking(self) -> Iterator[Callable[[], None]]:
        with httpx.Client(timeout=60.0, trust_env=False) as http:
            yield lambda: self.kept.append(read_counts(http, self.url, is_fake=self.is_fake))

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
