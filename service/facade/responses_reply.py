"""Responses reply: a solve as a response. It is made of the tree alone, at any time."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue

from banyan.client.results import SolveResult, Usage
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import TreeRecord, TreeStatus
from service.facade.answer_text import is_cut, text_of
from service.facade.chat_reply import beside
from service.facade.requests import ANY_OBJECT
from service.facade.starting import FACTS

Status = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]

_STATUS: dict[TreeStatus, Status] = {
    "queued": "queued",
    "running": "in_progress",
    "completed": "completed",
    "partial": "incomplete",
    "failed": "failed",
    "cancelled": "cancelled",
}


class OutputText(BaseModel):
    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[JsonValue] = []
    logprobs: list[JsonValue] = []


class OutputMessage(BaseModel):
    type: Literal["message"] = "message"
    id: str
    role: Literal["assistant"] = "assistant"
    status: Literal["in_progress", "completed", "incomplete"]
    content: list[OutputText]


class InputDetails(BaseModel):
    cached_tokens: int


class OutputDetails(BaseModel):
    reasoning_tokens: int = Field(0, description="Not told apart: `output_tokens` has all.")


class ResponseUsage(BaseModel):
    """Tokens of all model calls of the tree, not of the last one."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails = OutputDetails()
    total_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> ResponseUsage:
        """As OpenAI counts."""
        return cls(
            input_tokens=usage.prompt_tokens,
            input_tokens_details=InputDetails(cached_tokens=usage.cached_tokens),
            output_tokens=usage.completion_tokens,
            total_tokens=usage.prompt_tokens + usage.completion_tokens,
        )


class ResponseError(BaseModel):
    code: Literal["server_error"] = "server_error"
    message: str


class Incomplete(BaseModel):
    reason: Literal["max_output_tokens"] = Field(
        "max_output_tokens", description="A limit cut it, or it is partial: see `banyan`."
    )


class ResponseReply(BaseModel):
    """OpenAI's response; `banyan` is the result of the solve without its answer."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None
    status: Status
    background: bool
    error: ResponseError | None = None
    incomplete_details: Incomplete | None = None
    instructions: None = None
    max_output_tokens: int | None
    metadata: dict[str, JsonValue]
    model: str
    output: list[OutputMessage]
    parallel_tool_calls: bool = False
    previous_response_id: None = None
    store: bool = True
    temperature: float = 0.0
    text: dict[str, Any]
    tool_choice: Literal["auto"] = "auto"
    tools: list[JsonValue] = []
    top_p: float = 1.0
    truncation: Literal["disabled"] = "disabled"
    usage: ResponseUsage | None
    banyan: dict[str, Any]


def response_id(tree_id: str) -> str:
    """The same digits as the solve's id."""
    return f"resp_{tree_id.removeprefix('solve_')}"


def tree_id_of(response: str) -> str:
    """The solve's id; of what is no response's id, what is no solve's either."""
    return f"solve_{response.removeprefix('resp_')}" if response.startswith("resp_") else ""


def message_of(record: TreeRecord, status: Literal["in_progress"] | None = None) -> OutputMessage:
    """The one message of the output, without its text."""
    return OutputMessage(
        id=f"msg_{record.id.removeprefix('solve_')}", status=status or "completed", content=[]
    )


def response(record: TreeRecord, result: SolveResult) -> ResponseReply:
    """The solve as it stands."""
    task = unpack(record.task, Task)
    facts = task.metadata.get(FACTS)
    told = facts if isinstance(facts, dict) else {}
    status = _STATUS[record.status]
    if status == "completed" and is_cut(result):
        status = "incomplete"
    output = []
    if result.answer is not None:
        message = message_of(record)
        ended: Literal["completed", "incomplete"]
        ended = "completed" if status == "completed" else "incomplete"
        content = [OutputText(text=text_of(result.answer))]
        output = [message.model_copy(update={"status": ended, "content": content})]
    failure = result.error if status == "failed" else None
    return ResponseReply(
        id=response_id(record.id),
        created_at=int(record.created_at),
        completed_at=None if record.finished_at is None else int(record.finished_at),
        status=status,
        background=told.get("background") is True,
        error=ResponseError(message=f"{failure.message} ({failure.code})") if failure else None,
        incomplete_details=Incomplete() if status == "incomplete" else None,
        max_output_tokens=task.limits.max_answer_tokens,
        metadata={name: value for name, value in task.metadata.items() if name != FACTS},
        model=str(told.get("model") or task.policy),
        output=output,
        text={"format": _format(task.answer_schema)},
        usage=ResponseUsage.of(result.usage) if result.finished else None,
        banyan=beside(result),
    )


def _format(schema: dict[str, Any] | None) -> dict[str, Any]:
    if schema is None:
        return {"type": "text"}
    if schema == ANY_OBJECT:
        return {"type": "json_object"}
    return {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
