"""Chat request: the body of `POST /v1/chat/completions`, and its conversation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.facade.conversation import Said, said
from service.facade.requests import (
    ANY_OBJECT,
    MAX_MESSAGES,
    MAX_STOPS,
    CommonRequest,
    JsonSchemaFormat,
    NoTools,
    Penalty,
    Shape,
    StreamOptions,
    only,
)


class TextPart(Shape):
    """A piece of a message."""

    type: Literal["text"]
    text: str


class FileId(Shape):
    """A document that was uploaded with `POST /documents`."""

    file_id: str = Field(min_length=1, max_length=128, examples=["doc_1f"])


class FilePart(Shape):
    """A document in a message."""

    type: Literal["file"]
    file: FileId


Part = Annotated[TextPart | FilePart, Field(discriminator="type")]


class ChatMessage(Shape):
    """One message. What a reply held beside its text may be sent back as it came."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    refusal: Annotated[JsonValue, only(why="refusals are not sent back; leave it out")] = None
    tool_calls: NoTools = None
    function_call: Annotated[JsonValue, only(why="no functions can be called; leave it out")] = None
    audio: Annotated[JsonValue, only(why="answers are text; leave it out")] = None
    annotations: Annotated[JsonValue, only([], why="leave it out")] = None

    def said(self) -> Said:
        """As a turn of the conversation."""
        if isinstance(self.content, str):
            return said(self.role, [self.content])
        texts = [part.text for part in self.content if isinstance(part, TextPart)]
        files = [part.file.file_id for part in self.content if isinstance(part, FilePart)]
        return said(self.role, texts, files)


class PlainFormat(Shape):
    """Text, or any JSON object."""

    type: Literal["text", "json_object"]


class SchemaFormat(Shape):
    """JSON under a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchemaFormat


class ChatRequest(CommonRequest):
    """What a chat completion can ask for."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"messages": [{"role": "user", "content": "Why?"}]}]}
    )

    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    response_format: Annotated[PlainFormat | SchemaFormat | None, Field(discriminator="type")] = (
        None
    )
    stop: str | list[str] | None = Field(None, description="The answer ends before the first one.")
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(None, ge=1, le=1_000_000)
    stream_options: StreamOptions | None = None
    n: Annotated[JsonValue, only(1, why="one answer is given; leave it out, or 1")] = None
    seed: int | None = Field(None, description="Answers are greedy: every seed gives the same.")
    logprobs: Annotated[
        JsonValue, only(False, why="no log-probabilities are given; leave it out")
    ] = None
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None
    logit_bias: Annotated[JsonValue, only({}, why="tokens cannot be favoured; leave it out")] = None
    functions: NoTools = None
    function_call: Annotated[JsonValue, only("none", "auto", why="there are no functions")] = None
    modalities: Annotated[JsonValue, only(["text"], why="answers are text; leave it out")] = None
    store: Annotated[
        JsonValue, only(False, why="completions are not listed; use /v1/responses to keep one")
    ] = None

    @field_validator("stop", mode="after")
    @classmethod
    def _stops_hold(cls, value: str | list[str] | None) -> str | list[str] | None:
        if isinstance(value, list) and len(value) > MAX_STOPS:
            raise PydanticCustomError("too_many_stops", f"at most {MAX_STOPS} sequences")
        if any(not one for one in ([value] if isinstance(value, str) else value or [])):
            raise PydanticCustomError("empty_stop", "a stop sequence must not be empty")
        return value

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.stop and self.answer_schema is not None:
            raise PydanticCustomError(
                "stop_in_json", "stop would break JSON; leave one of them out"
            )
        lengths = {self.max_tokens, self.max_completion_tokens, self.limits.max_answer_tokens}
        if len(lengths - {None}) > 1:
            raise PydanticCustomError(
                "two_lengths",
                "max_tokens, max_completion_tokens and limits.max_answer_tokens differ",
            )
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop sequences."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """The schema of the answer; None: text."""
        match self.response_format:
            case SchemaFormat(json_schema=json_schema):
                return json_schema.schema_
            case PlainFormat(type="json_object"):
                return ANY_OBJECT
            case _:
                return None

    @property
    def answer_tokens(self) -> int | None:
        """How long the answer may be."""
        return self.max_completion_tokens or self.max_tokens
