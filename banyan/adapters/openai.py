"""Engine adapter for any server with OpenAI's chat protocol: messages in, text out.

Such a server tells no token ids, so that its trajectories cannot train, replies cannot be prefilled
and kinds cannot be scored. Token counts before a call are estimates of 3.6 bytes of UTF-8 a token,
rounded up; after a call they are what the server reports.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from banyan.adapters.engine_http import EngineHttp
from banyan.errors import AbilityMissing, EngineRefused, EngineUnavailable
from banyan.ports import (
    OWN_WEIGHTS,
    Abilities,
    CallOptions,
    Choice,
    Completion,
    Message,
    OnDelta,
    Prompt,
)

BYTES_PER_TOKEN = 3.6
MESSAGE_TOKENS = 6
"""Estimate of what a chat template adds to each message."""
DEFAULT_WINDOW = 8_192
"""Where neither the settings nor the server tell the window."""


class _Model(msgspec.Struct):
    id: str
    max_model_len: int | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None

    @property
    def content(self) -> str:
        part = self.message or self.delta or _Message()
        if part.refusal:
            raise EngineRefused("the model server refused to answer this prompt")
        return part.content or ""


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _Details | None = None


class _Reply(msgspec.Struct):
    """A chat completion, or one event of its stream."""

    choices: list[_Choice] = []
    usage: _Usage | None = None


class OpenAIEngine:
    """One OpenAI-compatible server. Satisfies `banyan.ports.Engine`.

    The base URL may end with `/v1` or not.
    """

    def __init__(self, http: EngineHttp, *, model: str = "", window: int | None = None) -> None:
        self._http = http
        self._model = model
        self._window = window
        self._root = "" if http.base_url.endswith("/v1") else "/v1"
        self._abilities: Abilities | None = None
        self._asking = asyncio.Lock()

    async def abilities(self) -> Abilities:
        if self._abilities is None:
            async with self._asking:
                self._abilities = self._abilities or await self._ask()
        return self._abilities

    async def _ask(self) -> Abilities:
        model = await self._chosen()
        window = self._window or model.max_model_len or DEFAULT_WINDOW
        return Abilities(name="openai", model=model.id, window=window)

    async def _chosen(self) -> _Model:
        """The model in the settings, with what the server says of it; else the first it serves."""
        try:
            models = (await self._http.get(f"{self._root}/models", _Models)).data
        except EngineRefused:  # not every server lists its models
            models = []
        if not models and not self._model:
            raise EngineRefused(
                f"{self._http.base_url} lists no models", hint="Set BANYAN_ENGINE_MODEL."
            )
        if not self._model:
            return models[0]
        return next((model for model in models if model.id == self._model), _Model(self._model))

    async def count(self, text: str) -> int:
        """An estimate: 3.6 bytes of UTF-8 a token, rounded up."""
        return estimate_tokens(text)

    async def render(self, messages: Sequence[Message]) -> Prompt:
        """The messages themselves, with an estimate of their tokens. Refuses a prefill."""
        if any(message.role == "prefix" or message.embeds for message in messages):
            raise AbilityMissing("an OpenAI-compatible server takes no prefix and no embeddings")
        if messages and messages[-1].role == "assistant":
            raise AbilityMissing("an OpenAI-compatible server cannot go on with a prefilled reply")
        estimate = sum(estimate_tokens(message.content) + MESSAGE_TOKENS for message in messages)
        return Prompt(tuple(messages), None, estimate)

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        del prompt, letters, options
        raise AbilityMissing("an OpenAI-compatible server does not score given tokens")

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        body = await self._body(prompt, schema, max_tokens, options)
        path = f"{self._root}/chat/completions"
        started = time.monotonic()
        if on_delta is None:
            replies = [await self._http.post(path, body, _Reply)]
        else:
            replies = await self._stream(path, body, on_delta)
        return _completion(replies, time.monotonic() - started)

    async def ping(self) -> None:
        try:
            await self._http.get(f"{self._root}/models", msgspec.Raw)
        except EngineRefused as error:
            # Without this path it is still up; without the right key it is of no use.
            if "says 404" not in str(error):
                raise EngineUnavailable(str(error)) from error

    async def close(self) -> None:
        await self._http.close()

    async def _body(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
    ) -> dict[str, Any]:
        if options.policy != OWN_WEIGHTS or options.weights:
            raise AbilityMissing("an OpenAI-compatible server serves no policy but its own weights")
        sampling = options.sampling
        body: dict[str, Any] = {
            "model": (await self.abilities()).model,
            "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
            "max_tokens": max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if schema is not None:
            described = {"name": "reply", "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        return body

    async def _stream(self, path: str, body: dict[str, Any], on_delta: OnDelta) -> list[_Reply]:
        body = {**body, "stream": True, "stream_options": {"include_usage": True}}
        replies: list[_Reply] = []
        async with aclosing(self._http.events(path, body, _Reply)) as events:
            async for reply in events:
                replies.append(reply)
                if reply.choices and (text := reply.choices[0].content):
                    await on_delta(text)
        return replies


def estimate_tokens(text: str) -> int:
    """Tokens of `text`, guessed from its size in UTF-8."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def _completion(replies: Sequence[_Reply], seconds: float) -> Completion:
    """One completion from a reply, or from the events of a stream."""
    choices = [choice for reply in replies for choice in reply.choices[:1]]
    usage = next((reply.usage for reply in reversed(replies) if reply.usage), None)
    finish_reason = next((c.finish_reason for c in reversed(choices) if c.finish_reason), None)
    if finish_reason is None:
        raise EngineUnavailable("the model server's reply ended before the completion did")
    if finish_reason == "content_filter":
        raise EngineRefused("the model server's content filter stopped the reply")
    if usage is None:
        raise EngineRefused("the model server does not report the tokens that it used")
    return Completion(
        text="".join(choice.content for choice in choices),
        finish_reason="length" if finish_reason == "length" else "stop",
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=(usage.prompt_tokens_details or _Details()).cached_tokens or 0,
        seconds=seconds,
        engine="openai",
    )
