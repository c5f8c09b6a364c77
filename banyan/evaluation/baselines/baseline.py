"""Baseline: a method as a system, timed and counted, with its errors as results."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from pydantic import JsonValue

from banyan.errors import BanyanError, EngineRefused
from banyan.evaluation.baselines.calls import Calls
from banyan.evaluation.baselines.job import Job, Method, Reply
from banyan.evaluation.baselines.prompts_mark import prompts_mark
from banyan.evaluation.baselines.source import Source
from banyan.evaluation.question import Answered, Question
from banyan.ports import Engine, Sampling

RETRY_PAUSE_S = 1.0

GREEDY = Sampling()


class Baseline:
    """Satisfies `System`. The engine belongs to who made it and is not closed here."""

    def __init__(
        self,
        name: str,
        method: Method,
        *,
        engine: Engine,
        window: int,
        sampling: Sampling = GREEDY,
        pause_s: float = RETRY_PAUSE_S,
    ) -> None:
        self.name = name
        self.settings: Mapping[str, JsonValue] = {
            "prompts": prompts_mark(),
            "frequency_penalty": sampling.frequency_penalty,
        }
        self._method = method
        self._engine = engine
        self._window = window
        self._sampling = sampling
        self._pause_s = pause_s

    async def answer(self, question: Question) -> Answered:
        """Answer; an engine's error becomes a result with status `failed`."""
        started = time.monotonic()
        source = Source(question.documents)
        calls: Calls | None = None
        reply = Reply("", ())
        answer: JsonValue = None
        error: str | None = None
        try:
            abilities = await self._engine.abilities()
            window = min(self._window, abilities.window)
            calls = Calls(
                self._engine,
                window,
                self._sampling,
                exact=abilities.token_ids,
                pause_s=self._pause_s,
            )
            reply = await self._method(Job(question, source, calls))
            answer = _value(reply.text, question)
        except BanyanError as raised:
            error = f"{raised.code}: {raised}"
        return Answered(
            status="completed" if error is None else "failed",
            answer=answer,
            error=error,
            coverage=source.coverage(reply.read),
            llm_calls=calls.num_calls if calls else 0,
            prompt_tokens=calls.prompt_tokens if calls else 0,
            cached_tokens=calls.cached_tokens if calls else 0,
            completion_tokens=calls.completion_tokens if calls else 0,
            seconds=time.monotonic() - started,
        )

    async def close(self) -> None:
        """Nothing is held."""


def _value(text: str, question: Question) -> JsonValue:
    """The answer as the question wants it. Raises EngineRefused for JSON that was cut off."""
    if question.answer_schema is None:
        return text
    try:
        value: JsonValue = json.loads(text)
    except ValueError as error:
        raise EngineRefused(f"the last reply is not JSON: {text[-80:]!r}") from error
    return value
