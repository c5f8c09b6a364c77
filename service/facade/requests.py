"""Requests: what OpenAI's calls share here, and which of their parameters mean something.

A parameter that asks for what cannot be done is refused by name; one that asks for nothing, or for
what is done anyway, is taken. Whatever is not listed is refused as unknown.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from banyan.limits import Limits
from banyan.task import Gate, StateChoice
from service.schemas import MAX_DOCUMENTS, MAX_POLICIES, InputDocument

MODEL = "banyan"
"""The model that stands for whatever policy is live."""
MAX_MESSAGES = 2_000
MAX_STOPS = 16
ANY_OBJECT: dict[str, Any] = {"type": "object"}


def only(*accepted: JsonValue, why: str) -> AfterValidator:
    """A parameter that is taken with these values, or null, and refused with all others."""

    def check(value: JsonValue) -> JsonValue:
        if value is not None and value not in accepted:
            raise PydanticCustomError("unsupported_value", "{why}", {"why": why})
        return value

    return AfterValidator(check)


NoTools = Annotated[JsonValue, only([], why="no tools can be called; leave it out")]
Penalty = Annotated[JsonValue, only(0, why="no penalty can be set; leave it out, or 0")]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class StreamOptions(Shape):
    """How a stream ends."""

    include_usage: bool = False
    include_obfuscation: Annotated[
        JsonValue, only(False, why="streams are not padded; leave it out")
    ] = None


class JsonSchemaFormat(Shape):
    """A JSON Schema by name; followed always, whatever `strict` says."""

    name: str = Field("answer", max_length=64)
    description: str | None = Field(None, max_length=1_024)
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class CommonRequest(Shape):
    """What both calls take; below the line of `documents`, what `extra_body` brings of Banyan's."""

    model: str = Field(
        MODEL,
        min_length=1,
        max_length=64,
        description="`banyan`: the live policy. Or a policy, or one version of it.",
    )
    stream: bool | None = False
    metadata: dict[str, str] | None = Field(None, max_length=16)
    user: str | None = Field(None, max_length=255)
    safety_identifier: str | None = Field(None, max_length=255)
    prompt_cache_key: str | None = Field(None, max_length=255)
    temperature: Annotated[
        JsonValue, only(0, why="answers are greedy: leave it out, or 0; see docs/openai.md")
    ] = None
    top_p: Annotated[JsonValue, only(1, why="answers are greedy: leave it out, or 1")] = None
    tools: NoTools = None
    tool_choice: Annotated[
        JsonValue, only("auto", "none", why="there are no tools to choose from; leave it out")
    ] = None
    parallel_tool_calls: bool | None = None
    top_logprobs: Annotated[
        JsonValue, only(0, why="no log-probabilities are given; leave it out")
    ] = None
    service_tier: Annotated[
        JsonValue, only("auto", "default", why="there is one tier; leave it out")
    ] = None

    documents: list[InputDocument] = Field(
        [], max_length=MAX_DOCUMENTS, description="As in `POST /solve`; before those of messages."
    )
    limits: Limits = Limits()
    gate: Gate = Gate()
    state: StateChoice = "auto"
    policies: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=MAX_POLICIES)
    leaves: str | None = Field(None, max_length=64)
    train: bool = True

    @property
    def policy(self) -> str:
        """The policy that `model` names."""
        return "live" if self.model == MODEL else self.model

    @property
    def told(self) -> dict[str, str]:
        """Who asks, as the caller says; kept with the task."""
        names = {
            "user": self.user,
            "safety_identifier": self.safety_identifier,
            "prompt_cache_key": self.prompt_cache_key,
        }
        return {name: value for name, value in names.items() if value is not None}
