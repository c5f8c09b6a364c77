"""Calls: what a baseline spends on one question, and how much of the window a prompt leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from banyan.errors import EngineUnavailable, PromptTooLong
from banyan.ports import CallOptions, Completion, Engine, Message, Sampling

MAX_PARALLEL = 8
"""Calls of one question that are in flight at one time."""
ESTIMATE_FILL = 0.88
"""Share of the window that is used where the engine only estimates tokens."""
_ATTEMPTS = 3


class Calls:
    """Greedy calls to one engine, counted. A call that gets no answer is tried again, twice."""

    def __init__(
        self, engine: Engine, window: int, sampling: Sampling, *, exact: bool, pause_s: float
    ) -> None:
        self._engine = engine
        self._options = CallOptions(salt="baseline", sampling=sampling)
        self.window = window if exact else int(ESTIMATE_FILL * window)
        self._pause_s = pause_s
        self._slots = asyncio.Semaphore(MAX_PARALLEL)
        self.num_calls = 0
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.completion_tokens = 0

    async def count(self, text: str) -> int:
        """Tokens of `text`."""
        return await self._engine.count(text)

    async def left(self, messages: Sequence[Message], max_tokens: int) -> int:
        """Tokens left free by this prompt and a reply of `max_tokens`; negative: too long."""
        prompt = await self._engine.render(messages)
        return self.window - max_tokens - prompt.num_tokens

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: Mapping[str, Any] | None = None,
    ) -> str:
        """The reply, stripped. Raises EngineError; PromptTooLong before the server is asked."""
        prompt = await self._engine.render(messages)
        if prompt.num_tokens + max_tokens > self.window:
            raise PromptTooLong(
                f"a prompt of {prompt.num_tokens} tokens and a reply of {max_tokens} exceed the "
                f"window of {self.window}"
            )
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._slots:
                    completion = await self._engine.complete(
                        prompt, schema=schema, max_tokens=max_tokens, options=self._options
                    )
            except EngineUnavailable:
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(self._pause_s * attempt)
            else:
                break
        self._add(completion)
        return completion.text.strip()

    def _add(self, completion: Completion) -> None:
        self.num_calls += 1
        self.prompt_tokens += completion.prompt_tokens
        self.cached_tokens += completion.cached_tokens
        self.completion_tokens += completion.completion_tokens
