"""vLLM's chat protocol, for prompts with vectors in them: `prompt_embeds` parts beside text.

Such a prompt has no token ids, so the server renders it. Text is guarded here as elsewhere, since
the server takes control strings in it for control tokens. What comes back is brought into the form
of `/v1/completions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from banyan.adapters.chat_format import Guard
from banyan.adapters.vllm_wire import Choice, Logprobs, Reply, Usage
from banyan.ports import Message

PATH = "/v1/chat/completions"
SPLICE = "<prompt_embeds>"
"""Marks in vLLM's own rendering where vectors go; content must not contain it."""


class _Token(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_Token] = []


class _Tokens(msgspec.Struct):
    content: list[_Token] | None = None


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Text | None = None
    delta: _Text | None = None
    logprobs: _Tokens | None = None
    finish_reason: str | None = None


class ChatReply(msgspec.Struct):
    """A chat completion, or one event of its stream."""

    choices: list[_Choice] = []
    usage: Usage | None = None


def has_vectors(messages: Sequence[Message]) -> bool:
    return any(message.embeds for message in messages)


def body(common: Mapping[str, Any], messages: Sequence[Message], guard: Guard) -> dict[str, Any]:
    """The request: what both protocols share, with `messages` instead of a prompt."""
    shared = {name: value for name, value in common.items() if name not in ("prompt", "logprobs")}
    return {**shared, "messages": [_message(m, guard) for m in messages], "logprobs": True}


def _message(message: Message, guard: Guard) -> dict[str, Any]:
    text = guard(message.content)
    if message.embeds is None:
        return {"role": message.role, "content": text}
    vectors = {"type": "prompt_embeds", "data": message.embeds.data}
    return {"role": message.role, "content": [vectors, {"type": "text", "text": text}]}


def flat(reply: ChatReply) -> Reply:
    """The same as `/v1/completions` would say it."""
    return Reply(choices=[_flat(choice) for choice in reply.choices], usage=reply.usage)


def _flat(choice: _Choice) -> Choice:
    said = choice.message or choice.delta
    tokens = (choice.logprobs.content if choice.logprobs else None) or []
    logprobs = Logprobs(
        tokens=[token.token for token in tokens],
        token_logprobs=[token.logprob for token in tokens],
        top_logprobs=[{top.token: top.logprob for top in token.top_logprobs} for token in tokens],
    )
    text = (said.content if said else None) or ""
    return Choice(text=text, logprobs=logprobs, finish_reason=choice.finish_reason)
