"""vLLM's replies: what `/v1/completions` says, and the completion that it is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from banyan.errors import EngineUnavailable
from banyan.ports import Completion

ID = "token_id:"
"""How tokens are written where `return_tokens_as_token_ids` is set."""


class Logprobs(msgspec.Struct):
    tokens: list[str] = []
    token_logprobs: list[float] = []
    top_logprobs: list[dict[str, float] | None] = []


class Choice(msgspec.Struct):
    text: str = ""
    logprobs: Logprobs | None = None
    finish_reason: str | None = None


class Details(msgspec.Struct):
    cached_tokens: int | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: Details | None = None


class Reply(msgspec.Struct):
    """A completion, or one event of its stream; the last event has the usage and no choice."""

    choices: list[Choice] = []
    usage: Usage | None = None


def completion(replies: Sequence[Reply], seconds: float) -> Completion:
    """One completion from a reply, or from the events of a stream."""
    choices = [choice for reply in replies for choice in reply.choices]
    logprobs = [choice.logprobs for choice in choices if choice.logprobs]
    usage = replies[-1].usage or Usage()
    finish_reason = next((c.finish_reason for c in reversed(choices) if c.finish_reason), None)
    if finish_reason not in ("stop", "length"):  # "abort", "error": half a reply is none
        raise EngineUnavailable(f"the model server ended a completion with {finish_reason!r}")
    return Completion(
        text="".join(choice.text for choice in choices),
        finish_reason="length" if finish_reason == "length" else "stop",
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens or 0,
        cached_tokens=(usage.prompt_tokens_details or Details()).cached_tokens or 0,
        token_ids=tuple(int(token.removeprefix(ID)) for part in logprobs for token in part.tokens),
        logprobs=tuple(value for part in logprobs for value in part.token_logprobs),
        seconds=seconds,
        engine="vllm",
    )
