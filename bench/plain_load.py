"""A plain load generator: so many callers, each of which sends one call after another."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PATH = "/v1/chat/completions"
_PROBE_WORDS = 500
_LOOK_S = 0.05
_NUM_STARTS = 1_000_000_000
_MOST_CHARS_PER_TOKEN = 12


def _numbers() -> Iterator[int]:
    """From another start each time: what a server has seen before would come out of its cache."""
    return itertools.count(_NUM_STARTS + secrets.randbelow(_NUM_STARTS))


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean tokens of a call. `cached`: of its prompt, what all calls begin with."""

    prompt: int
    cached: int
    completion: int


LOGPROBS: Mapping[str, Any] = {"logprobs": True, "top_logprobs": 0}


def under_schema(lengths: Lengths) -> Mapping[str, Any]:
    """Asks for an object whose text does not end before the completion does."""
    text = {"type": "string", "minLength": _MOST_CHARS_PER_TOKEN * lengths.completion}
    schema = {"type": "object", "properties": {"answer": text}, "required": ["answer"]}
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema},
        }
    }


@dataclass(frozen=True, slots=True)
class PlainLoad:
    """Calls of these lengths to the server at `url`, which has another prompt each time."""

    url: str
    model: str
    lengths: Lengths
    words_per_token: float
    numbers: Iterator[int] = field(default_factory=_numbers)
    """Of its prompts, over all runs."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What each call asks for besides, such as LOGPROBS."""

    @classmethod
    async def made(cls, url: str, lengths: Lengths) -> PlainLoad:
        """Asks the server how many tokens a word has."""
        async with aiohttp.ClientSession(url) as http:
            async with http.get("/v1/models") as reply:
                model = (await reply.json())["data"][0]["id"]
            load = cls(url, model, lengths, 1.0)
            few, many = [await load.call(http, _words(0, size)) for size in (1, _PROBE_WORDS)]
            return cls(url, model, lengths, (_PROBE_WORDS - 1) / (many - few))

    async def run(
        self,
        width: int,
        seconds: float,
        *,
        rounds: int = 0,
        enough: Callable[[], bool] = lambda: True,
    ) -> list[float]:
        """Keep `width` calls in flight; when, on the clock, those ended that ended meanwhile.

        For so long, and longer until so many calls of each caller have ended and there is
        `enough`. Raises RuntimeError where a call fails.
        """
        ends, stops = list[float](), asyncio.Event()

        async def caller(http: aiohttp.ClientSession) -> None:
            while not stops.is_set():
                await self.call(http, self.prompt(next(self.numbers)))
                ends.append(time.monotonic())

        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(self.url, connector=connector) as http:
            callers = [asyncio.create_task(caller(http)) for _ in range(width)]
            done, _ = await asyncio.wait(callers, timeout=seconds, return_when="FIRST_EXCEPTION")
            while not done and not (len(ends) >= rounds * width and enough()):
                done, _ = await asyncio.wait(
                    callers, timeout=_LOOK_S, return_when="FIRST_EXCEPTION"
                )
            meanwhile = ends[:]
            stops.set()
            for task in [*done, *callers]:
                await task
        return meanwhile

    def prompt(self, number: int) -> str:
        """The prompt of a call; behind what is `cached` it is another one for each number."""
        head = _words(0, round(self.lengths.cached * self.words_per_token))
        own = round((self.lengths.prompt - self.lengths.cached) * self.words_per_token)
        return f"{head} {_words(number + 1, own)}"

    async def call(self, http: aiohttp.ClientSession, text: str) -> int:
        """One call; the tokens of its prompt."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": self.lengths.completion,
            "temperature": 0.0,
            "ignore_eos": True,
            **self.more,
        }
        async with http.post(PATH, json=body) as reply:
            if reply.status != 200:
                raise RuntimeError(f"a plain call was answered {reply.status}")
            usage = (await reply.json())["usage"]
        num_tokens: int = usage["prompt_tokens"]
        return num_tokens


def _words(first: int, num: int) -> str:
    """Words that begin with another one for each `first`."""
    return " ".join(["item", str(first), *["moved"] * max(0, num - 2)])
