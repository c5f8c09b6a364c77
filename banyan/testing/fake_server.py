"""A fake model server: OpenAI's chat protocol as a plain ASGI application, made to be cheap.

`GET /v1/models` and `/health`, `POST /v1/chat/completions` (streamed or not, with response_format),
`GET /stats` for what it has seen, `GET /arrivals` for when calls came, `GET /metrics` for its load
in vLLM's words. It writes what its rule says after `latency_s` seconds, or more where it was slowed
down (`POST /slowness`). Tokens are counted as the adapter estimates them: 3.6 bytes each. It
computes as many calls at one time as it is told, and the others wait; a modelled cache says what of
a prompt it would not compute again.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from banyan.ports import Message
from banyan.testing.faults import TEXTS, Fault, Faults
from banyan.testing.prefix_cache import PrefixCache
from banyan.testing.rules import Rule, default_rule

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BYTES_PER_TOKEN = 3.6
NO_FAULTS = Faults()
NUM_DELTAS = 4
"""Into how many pieces a streamed reply is cut."""
NUM_ARRIVALS = 4_096
"""Calls whose arrival is remembered, the last ones."""
NUM_SLICES = 8
"""Of a call's time, each as long as the calls that are computed then make it."""


@dataclass(slots=True)
class Stats:
    """What the server has seen since it started."""

    calls: int = 0
    failed: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    computing: int = 0
    max_computing: int = 0
    waiting: int = 0
    max_waiting: int = 0
    refused: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def as_json(self) -> bytes:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}).encode()


class FakeServer:
    """The ASGI application. `faults` says which completions go wrong, and how.

    `window` is what `/v1/models` says of the model; longer prompts are refused as OpenAI does.
    `serves` is how many calls it computes at one time; none: all. `growth` is how much longer, as a
    share, each of them makes all that are computed then, as in a batch. `room` is how many may
    wait; more are refused with 503, as vLLM does; none: all may. A `silent` one has no `/metrics`.
    `cache` is told each prompt, and its `cache_salt`, as vLLM takes it.
    """

    def __init__(
        self,
        latency_s: float = 0.0,
        rule: Rule = default_rule,
        *,
        faults: Faults = NO_FAULTS,
        window: int = 8_192,
        model: str = "fake",
        serves: int | None = None,
        growth: float = 0.0,
        room: int | None = None,
        silent: bool = False,
        cache: PrefixCache | None = None,
    ) -> None:
        self.stats = Stats()
        self._latency_s = latency_s
        self._rule = rule
        self._faults = faults
        self._window = window
        self._model = model
        self._places = asyncio.Semaphore(serves) if serves else None
        self._growth = growth
        self._room = room
        self._silent = silent
        self.slowness = 1.0
        """How many times as long calls take from now on."""
        self._cache = cache
        self._arrivals: deque[float] = deque(maxlen=NUM_ARRIVALS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        match scope["method"], scope["path"]:
            case "POST", "/v1/chat/completions":
                await self._complete(await _body(receive), receive, send)
            case "GET", "/v1/models":
                model = {"id": self._model, "object": "model", "max_model_len": self._window}
                await _reply(send, 200, json.dumps({"object": "list", "data": [model]}).encode())
            case "GET", "/health":
                await _reply(send, 200, b"{}")
            case "GET", "/stats":
                await _reply(send, 200, self.stats.as_json())
            case "GET", "/arrivals":
                await _reply(send, 200, json.dumps([*self._arrivals]).encode())
            case "GET", "/metrics" if not self._silent:
                await _reply(send, 200, self._load(), b"text/plain; version=0.0.4")
            case "POST", "/slowness":
                self.slowness = float(await _body(receive))
                await _reply(send, 200, b"{}")
            case _:
                await _error(send, 404, "not_found", "no such path")

    async def _complete(self, body: bytes, receive: Receive, send: Send) -> None:
        self._arrivals.append(time.time())
        stats = self.stats
        stats.calls += 1
        fault = self._faults.of_call(stats.calls)
        stats.failed += fault is not None
        stats.in_flight += 1
        stats.max_in_flight = max(stats.max_in_flight, stats.in_flight)
        try:
            await self._answer(json.loads(body), fault, receive, send)
        finally:
            stats.in_flight -= 1

    async def _answer(
        self, request: dict[str, Any], fault: Fault | None, receive: Receive, send: Send
    ) -> None:
        if fault in {"400", "500", "503"}:
            await _error(send, int(fault), "told_to_fail", "told to fail")
            return
        messages = [Message(m["role"], m["content"]) for m in request["messages"]]
        prompt_tokens = sum(_estimate(message.content) for message in messages)
        if prompt_tokens >= self._window:
            await _error(send, 400, "context_length_exceeded", "the prompt is too long")
            return
        salt, prompt = request.get("cache_salt") or "", _pieces(messages) if self._cache else ()
        cached_tokens = self._cache.find(salt, prompt) if self._cache else 0
        if self._is_full and self._room is not None and self.stats.waiting >= self._room:
            self.stats.refused += 1
            await _error(send, 503, "overloaded", "too many calls wait")
            return
        late_s = self._faults.late_s if fault == "late" else 0.0
        async with self._computing():
            if await self._is_left(receive, late_s):
                return
        if self._cache:
            self._cache.keep(salt, prompt)
        response_format = request.get("response_format") or {}
        text = self._rule(messages, response_format.get("json_schema", {}).get("schema"))
        text = TEXTS.get(fault, text) if fault else text
        room = min(request.get("max_tokens") or self._window, self._window - prompt_tokens)
        cut = _estimate(text) > room
        if cut:
            text = text.encode()[: int(room * BYTES_PER_TOKEN)].decode(errors="ignore")
        completion_tokens = _estimate(text)
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": cached_tokens},
        }
        self.stats.prompt_tokens += prompt_tokens
        self.stats.cached_tokens += cached_tokens
        self.stats.completion_tokens += completion_tokens
        finish_reason = "length" if cut else "stop"
        if request.get("stream"):
            await _stream(send, text, finish_reason, usage, is_cut=fault == "cut_reply")
            return
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        reply = {"object": "chat.completion", "model": self._model, "choices": [choice]}
        encoded = json.dumps({**reply, "usage": usage}).encode()
        await _reply(send, 200, encoded[: len(encoded) // 2] if fault == "cut_reply" else encoded)

    @asynccontextmanager
    async def _computing(self) -> AsyncIterator[None]:
        """One of the places in which calls are computed."""
        stats = self.stats
        waits = self._is_full
        stats.waiting += waits
        stats.max_waiting = max(stats.max_waiting, stats.waiting)
        async with AsyncExitStack() as place:
            try:
                await place.enter_async_context(self._places or nullcontext())
            finally:
                stats.waiting -= waits
            stats.computing += 1
            stats.max_computing = max(stats.max_computing, stats.computing)
            try:
                yield
            finally:
                stats.computing -= 1

    @property
    def _is_full(self) -> bool:
        return self._places is not None and self._places.locked()

    async def _is_left(self, receive: Receive, late_s: float) -> bool:
        """Take a call's time; whether the client hung up meanwhile."""
        num_slices = NUM_SLICES if self._growth else 1
        for _ in range(num_slices):
            batch = 1 + self._growth * (self.stats.computing - 1)
            slice_s = self._latency_s / num_slices * self.slowness * batch
            if slice_s and await _leaves(receive, slice_s):
                return True
        return bool(late_s) and await _leaves(receive, late_s)

    def _load(self) -> bytes:
        label = f'{{model_name="{self._model}"}}'
        return (
            f"vllm:num_requests_running{label} {float(self.stats.computing)}\n"
            f"vllm:num_requests_waiting{label} {float(self.stats.waiting)}\n"
        ).encode()


async def _leaves(receive: Receive, within_s: float) -> bool:
    """Wait; whether the client hung up meanwhile, as real servers abort what nobody reads."""
    try:
        await asyncio.wait_for(receive(), within_s)
    except TimeoutError:
        return False
    return True


def _estimate(text: str) -> int:
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def _pieces(messages: Sequence[Message]) -> list[bytes]:
    """A prompt in pieces that stand for its tokens."""
    text = "\0".join(f"{message.role}\0{message.content}" for message in messages).encode()
    ends = [int(number * BYTES_PER_TOKEN) for number in range(int(len(text) / BYTES_PER_TOKEN) + 1)]
    return [text[start:end] for start, end in pairwise(ends)]


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _reply(
    send: Send, status: int, body: bytes, content_type: bytes = b"application/json"
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _error(send: Send, status: int, code: str, message: str) -> None:
    error = {"message": message, "type": "fake_error", "code": code}
    await _reply(send, status, json.dumps({"error": error}).encode())


async def _stream(
    send: Send, text: str, finish_reason: str, usage: Mapping[str, Any], *, is_cut: bool
) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    size = max(1, math.ceil(len(text) / NUM_DELTAS))
    for start in range(0, len(text), size):
        delta = {"content": text[start : start + size]}
        await _event(send, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        if is_cut:
            await send({"type": "http.response.body", "body": b'data: {"cho'})
            return
    choice = {"index": 0, "delta": {}, "finish_reason": finish_reason}
    await _event(send, {"choices": [choice]})
    await _event(send, {"choices": [], "usage": usage})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _event(send: Send, data: dict[str, Any]) -> None:
    body = b"data: " + json.dumps(data).encode() + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
