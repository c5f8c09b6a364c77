"""Responses request: the body of `POST /v1/responses`, and its conversation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from service.facade.conversation import Said, said
from service.facade.requests import (
    ANY_OBJECT,
    MAX_MESSAGES,
    CommonRequest,
    JsonSchemaFormat,
    Shape,
    StreamOptions,
    only,
)


class TextItem(Shape):
    """A piece of a message."""

    type: Literal["input_text", "output_text"]
    text: str
    annotations: Annotated[JsonValue, only([], why="leave it out")] = None
    logprobs: Annotated[JsonValue, only([], why="leave it out")] = None


class FileItem(Shape):
    """A document that was uploaded with `POST /documents`."""

    type: Literal["input_file"]
    file_id: str = Field(min_length=1, max_length=128, examples=["doc_1f"])


Item = Annotated[TextItem | FileItem, Field(discriminator="type")]


class InputMessage(Shape):
    """One message; the `output` of an earlier response may be sent back as it came."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Item]
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None
    phase: Annotated[JsonValue, only(why="leave it out")] = None

    def said(self) -> Said:
        """As a turn of the conversation."""
        if isinstance(self.content, str):
            return said(self.role, [self.content])
        texts = [part.text for part in self.content if isinstance(part, TextItem)]
        files = [part.file_id for part in self.content if isinstance(part, FileItem)]
        return said(self.role, texts, files)


class PlainText(Shape):
    """Text, or any JSON object."""

    type: Literal["text", "json_object"] = "text"


class SchemaText(JsonSchemaFormat):
    """JSON under a schema."""

    type: Literal["json_schema"]


class TextOptions(Shape):
    """The form of the answer."""

    format: Annotated[PlainText | SchemaText, Field(discriminator="type")] = PlainText()
    verbosity: Annotated[
        JsonValue, only("medium", why="use limits.max_answer_tokens; leave it out")
    ] = None


class ResponsesRequest(CommonRequest):
    """What a response can ask for."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input": "Why?", "background": True}]}
    )

    input: str | Annotated[list[InputMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    instructions: str | None = None
    text: TextOptions = TextOptions()
    max_output_tokens: int | None = Field(None, ge=1, le=1_000_000)
    background: bool | None = Field(False, description="Answer at once; read or stream it later.")
    stream_options: StreamOptions | None = None
    store: Annotated[
        JsonValue, only(True, why="responses are kept as long as solves are; leave it out")
    ] = None
    truncation: Annotated[
        JsonValue, only("disabled", "auto", why="inputs are divided, never cut; leave it out")
    ] = None
    include: Annotated[JsonValue, only([], why="nothing more can be included")] = None
    previous_response_id: Annotated[
        JsonValue, only(why="send the earlier messages in `input` instead")
    ] = None
    conversation: Annotated[JsonValue, only(why="send the earlier messages in `input` instead")] = (
        None
    )
    reasoning: Annotated[
        JsonValue, only({}, why="limits and gate say how much is done; leave it out")
    ] = None
    max_tool_calls: Annotated[JsonValue, only(why="no tools can be called; leave it out")] = None
    prompt: Annotated[JsonValue, only(why="there are no stored prompts; send the text")] = None

    def turns(self) -> list[Said]:
        """The conversation."""
        instructions = [Said("instructions", self.instructions)] if self.instructions else []
        if isinstance(self.input, str):
            return [*instructions, Said("user", self.input)]
        return [*instructions, *(message.said() for message in self.input)]

    @property
    def answer_schema(self) -> dict[str, Any] | None:
        """The schema of the answer; None: text."""
        match self.text.format:
            case SchemaText() as form:
                return form.schema_
            case PlainText(type="json_object"):
                return ANY_OBJECT
            case _:
                return None
