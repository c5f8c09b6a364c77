"""Observed engine: tells metrics and traces of the calls of one model server.

What is sent and what comes back is never told, only how much and how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from banyan import signals
from banyan.adapters.around import Around
from banyan.adapters.engine_spec import server_name
from banyan.errors import BanyanError
from banyan.ports import (
    CallOptions,
    Choice,
    Completion,
    Engine,
    Metrics,
    OnDelta,
    Prompt,
    Traces,
)
from banyan.ports.traces import Attribute, Span


class ObservedEngine(Around):
    """`banyan.ports.Engine`, around the adapter of the server at `url`."""

    def __init__(
        self, inner: Engine, url: str, *, provider: str, metrics: Metrics, traces: Traces
    ) -> None:
        super().__init__(inner)
        parts = urlsplit(url)
        self._name = server_name(url)
        self._metrics = metrics
        self._traces = traces
        self._known: dict[str, Attribute] = {
            signals.OPERATION: signals.CHAT,
            signals.PROVIDER: provider,
            signals.SERVER_ADDRESS: parts.hostname or "",
        }
        if parts.port:
            self._known[signals.SERVER_PORT] = parts.port

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        with self._called("choose", options, max_tokens=1, output="text") as span:
            logprobs, completion = await self._inner.choose(prompt, letters, options)
            self._answered(span, completion)
        return logprobs, completion

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        output = "text" if schema is None else "json"
        with self._called("complete", options, max_tokens=max_tokens, output=output) as span:
            completion = await self._inner.complete(
                prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
            )
            self._answered(span, completion)
        return completion

    @contextmanager
    def _called(
        self, name: str, options: CallOptions, *, max_tokens: int, output: str
    ) -> Iterator[Span]:
        metrics, clock = self._metrics, asyncio.get_running_loop().time
        model = options.weights or options.policy
        attributes = {
            **self._known,
            signals.CALL: name,
            signals.REQUEST_MODEL: model,
            signals.MAX_TOKENS: max_tokens,
            signals.TEMPERATURE: options.sampling.temperature,
            signals.TOP_P: options.sampling.top_p,
            signals.OUTPUT_TYPE: output,
        }
        began, result = clock(), "ok"
        metrics.count(signals.ENGINE_IN_FLIGHT, self._name)
        try:
            with self._traces.call(f"{signals.CHAT} {model}", attributes) as span:
                yield span
        except asyncio.CancelledError:
            result = "cancelled"
            raise
        except BanyanError as error:
            result = error.code
            raise
        except BaseException:
            result = "error"
            raise
        else:
            metrics.observe(signals.ENGINE_SECONDS, clock() - began, self._name, name)
        finally:
            metrics.count(signals.ENGINE_IN_FLIGHT, self._name, amount=-1)
            metrics.count(signals.ENGINE_CALLS, self._name, name, result)

    def _answered(self, span: Span, completion: Completion) -> None:
        count, tokens = self._metrics.count, signals.ENGINE_TOKENS
        count(tokens, self._name, "prompt", amount=completion.prompt_tokens)
        count(tokens, self._name, "cached", amount=completion.cached_tokens)
        count(tokens, self._name, "completion", amount=completion.completion_tokens)
        span.say(
            {
                signals.FINISH_REASONS: [completion.finish_reason],
                signals.INPUT_TOKENS: completion.prompt_tokens,
                signals.OUTPUT_TOKENS: completion.completion_tokens,
                signals.CACHED_TOKENS: completion.cached_tokens,
            }
        )
