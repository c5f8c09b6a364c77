"""Chat reply: a solve as a chat completion, or as the chunks of one."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from banyan.client.results import SolveResult, Usage
from banyan.tree import TreeRecord
from service.facade.answer_text import is_cut, text_of
from service.facade.stops import Stops

FinishReason = Literal["stop", "length"]


class PromptDetails(BaseModel):
    cached_tokens: int


class ChatUsage(BaseModel):
    """Tokens of all model calls of the tree, not of the last one."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails

    @classmethod
    def of(cls, usage: Usage) -> ChatUsage:
        """As OpenAI counts."""
        return cls(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.prompt_tokens + usage.completion_tokens,
            prompt_tokens_details=PromptDetails(cached_tokens=usage.cached_tokens),
        )


class ReplyMessage(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    index: Literal[0] = 0
    message: ReplyMessage
    finish_reason: FinishReason = Field(description="`length`: a limit cut it, or it is partial.")
    logprobs: None = None


class ChatCompletion(BaseModel):
    """OpenAI's chat completion; `banyan` is the result of the solve without its answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: ChatUsage
    system_fingerprint: str = Field(description="The version of the weights.")
    banyan: dict[str, Any]


def completion_id(tree_id: str) -> str:
    """The same digits as the solve's id."""
    return f"chatcmpl-{tree_id.removeprefix('solve_')}"


def beside(result: SolveResult) -> dict[str, Any]:
    """What `banyan` says beside the text: id, status, citations, coverage, notices and so on."""
    return result.model_dump(mode="json", exclude={"answer"})


def finish_reason(result: SolveResult) -> FinishReason:
    """Why the text ends where it does."""
    return "length" if is_cut(result) else "stop"


def completion(record: TreeRecord, result: SolveResult, model: str, stops: Stops) -> ChatCompletion:
    """The finished solve."""
    text = text_of(result.answer)
    shown = stops.cut(text)
    reason: FinishReason = "stop" if len(shown) < len(text) else finish_reason(result)
    return ChatCompletion(
        id=completion_id(record.id),
        created=int(record.created_at),
        model=model,
        choices=[Choice(message=ReplyMessage(content=shown), finish_reason=reason)],
        usage=ChatUsage.of(result.usage),
        system_fingerprint=result.policy,
        banyan=beside(result),
    )


class Chunks:
    """The chunks of one completion. `with_usage`: each has `usage`, null in all but the last."""

    def __init__(self, record: TreeRecord, model: str, *, with_usage: bool) -> None:
        self._base: dict[str, Any] = {
            "id": completion_id(record.id),
            "object": "chat.completion.chunk",
            "created": int(record.created_at),
            "model": model,
        }
        self._with_usage = with_usage

    def first(self) -> dict[str, Any]:
        """The role."""
        return self._chunk({"role": "assistant", "content": ""}, None)

    def piece(self, text: str) -> dict[str, Any]:
        """More of the text."""
        return self._chunk({"content": text}, None)

    def last(self, result: SolveResult, *, stopped: bool) -> list[dict[str, Any]]:
        """How it ended, with the result beside it; then the usage where it was asked for."""
        end = self._chunk({}, "stop" if stopped else finish_reason(result))
        end |= {"system_fingerprint": result.policy, "banyan": beside(result)}
        if not self._with_usage:
            return [end]
        usage = ChatUsage.of(result.usage).model_dump()
        return [end, {**self._base, "choices": [], "usage": usage}]

    def _chunk(self, delta: dict[str, Any], reason: FinishReason | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        usage = {"usage": None} if self._with_usage else {}
        return {**self._base, "choices": [choice], **usage}
