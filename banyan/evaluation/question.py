"""What an evaluation asks, and what a system answers: the contract of sets, systems and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue


@dataclass(frozen=True, slots=True)
class Question:
    """One item of a set. Nothing that the scorer knows is in here.

    `bucket` groups items in the table, for example by length. `answer_schema` is a JSON Schema
    where the metric needs an object. `answer_tokens` is how long a good answer is, at most.
    `continuation` is what stands behind the documents, where the set asks how likely that is; no
    form of state is made from it.
    """

    id: str
    bucket: str
    goal: str
    documents: tuple[str, ...] = ()
    answer_schema: Mapping[str, Any] | None = None
    answer_tokens: int = 256
    continuation: str = ""


class Cited(BaseModel):
    """A citation: code points `[start, end)` of the question's document number `document`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: int = Field(ge=0)
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Answered(BaseModel):
    """What a system answered to one question, and what that cost.

    `status` is a solve's status; `failed` with `error` where there is no answer. `resolved` is the
    number of citations whose quote stands in the document. Tokens, calls and actions (see
    `banyan.tree.Usage`) are over all nodes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str
    answer: JsonValue = None
    error: str | None = None
    citations: tuple[Cited, ...] = ()
    resolved: int = 0
    coverage: float | None = None
    llm_calls: int = 0
    nodes: int = 1
    depth: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    actions: int = 0
    invalid_actions: int = 0
    retries: int = 0
    determined_actions: int = 0
    seconds: float = 0.0
    notices: tuple[str, ...] = ()


class System(Protocol):
    """What is evaluated: the service, or a baseline on the same engine and window.

    `settings` are what its answers depend on beside question, model and window: an answer that was
    made under others is asked for again.
    """

    name: str
    settings: Mapping[str, JsonValue]

    async def answer(self, question: Question) -> Answered:
        """Never raises for a question that went wrong: that is a result, with its error."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Score:
    """`value` in [0, 1] is what the table shows; `parts` are the metric's other figures."""

    value: float
    parts: Mapping[str, float] = field(default_factory=dict)
