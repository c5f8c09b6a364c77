"""Schemas: the shape of requests. The shape of replies is `banyan.client.results`.

What a later version will take is refused here by name: nothing that a caller asks for is ignored.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Base64Encoder,
    BaseModel,
    ConfigDict,
    EncodedBytes,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from banyan.limits import Limits
from banyan.task import Gate, Profile, StateChoice, profile_problem
from banyan.webhooks import Webhook

MAX_GOAL_CHARS = 20_000
MAX_DOCUMENTS = 1_000
MAX_FILES = 16
MAX_POLICIES = 16
MAX_SCHEMA_BYTES = 64 * 1024
MAX_METADATA_BYTES = 16 * 1024


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _StrictBase64(Base64Encoder):
    """Base64 that refuses what is none, where pydantic's own passes over it."""

    @classmethod
    def decode(cls, data: bytes) -> bytes:
        """The bytes."""
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise PydanticCustomError("base64_decode", "this is not base64") from error


FileBytes = Annotated[bytes, EncodedBytes(encoder=_StrictBase64)]


class InputDocument(_Model):
    """A document by its id, or its text, or the bytes of a file. Exactly one of them."""

    id: str | None = Field(
        None, min_length=1, max_length=128, description="From POST /documents.", examples=["doc_1f"]
    )
    text: str | None = Field(None, description="Stored as if it had been uploaded.")
    data: FileBytes | None = Field(
        None, description="A file (text, Markdown, HTML or PDF) in base64, read as an upload is."
    )
    media_type: str = Field(
        "application/octet-stream",
        max_length=128,
        description="Of `data`; by default its first bytes say what it is.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(one is not None for one in (self.id, self.text, self.data)) != 1:
            raise PydanticCustomError("one_of_id_text_data", "give one of id, text and data")
        return self


class SolveRequest(_Model):
    """What to solve, over which documents, within which limits."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "goal": "Which obligations survive termination, and for how long?",
                    "documents": [{"text": "Confidentiality survives for two years."}],
                    "limits": {"max_depth": 3, "deadline_s": 120},
                }
            ]
        }
    )

    goal: str = Field(
        min_length=1,
        max_length=MAX_GOAL_CHARS,
        description=f"What is asked, 1 to {MAX_GOAL_CHARS} characters.",
        examples=["Which obligations survive termination, and for how long?"],
    )
    documents: list[InputDocument] = Field(
        [], max_length=MAX_DOCUMENTS, description="Read in this order."
    )
    answer_schema: dict[str, Any] | None = Field(
        None,
        description="JSON Schema (draft 2020-12) that the answer must follow; its root is an "
        f"object. At most {MAX_SCHEMA_BYTES} bytes. Null: the answer is text.",
    )
    limits: Limits = Limits()
    gate: Gate = Gate()
    state: StateChoice = Field(
        "auto",
        description="The form in which a parent hands its context to its children: a `summary` "
        "that it writes, the `prefix` of its own prompt, or `hidden` vectors. `auto` takes the "
        "prefix where it costs less. What an engine cannot do is told by a notice.",
    )
    policy: str = Field(
        "live",
        max_length=64,
        description="A policy, or one version of it; `live` is the one served now.",
    )
    profile: Profile = Field(
        "serve",
        description="`rollout`: to be trained on. Sampled at temperature 1, gate mode `sampled` "
        "(which is then the default), `group_id` needed.",
    )
    group_id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="Of a rollout: the same for all trees that grow from the same task.",
    )
    train: bool = Field(
        True, description="False: nothing of this solve goes into the trajectory log."
    )
    policies: list[Annotated[str, Field(max_length=64)]] = Field(
        [],
        max_length=MAX_POLICIES,
        description="Those that descendants may run on; with more than one, an agent chooses for "
        "its children. Empty: as the root.",
    )
    leaves: str | None = Field(
        None,
        max_length=64,
        description="The policy that reads what is handed out, while the root and all merges stay "
        "on `policy`; no agent chooses. Not together with `policies`.",
    )
    webhook: Webhook | None = Field(
        None, description="Told of the end of the solve; see docs/security.md."
    )
    metadata: dict[str, JsonValue] = Field(
        {}, description=f"Kept with the task. At most {MAX_METADATA_BYTES} bytes as JSON."
    )

    @field_validator("goal", mode="before")
    @classmethod
    def _stripped(cls, value: object) -> object:
        return value.strip() if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _rollouts_are_sampled(cls, value: Any) -> Any:
        """Where a rollout names no gate."""
        if isinstance(value, dict) and value.get("profile") == "rollout" and "gate" not in value:
            return {**value, "gate": {"mode": "sampled"}}
        return value

    @model_validator(mode="after")
    def _profile_holds(self) -> Self:
        problem = profile_problem(
            self.profile, group_id=self.group_id, gate=self.gate, train=self.train
        )
        if problem is not None:
            raise PydanticCustomError("profile", "{problem}", {"problem": problem})
        return self

    @field_validator("leaves")
    @classmethod
    def _somebody_chooses(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("policies"):
            raise PydanticCustomError(
                "policies_or_leaves", "give policies for agents to choose from, or leaves"
            )
        return value


class Health(BaseModel):
    """A probe's answer."""

    status: Literal["ok"] = "ok"


class Ready(Health):
    """A probe's answer, with what is known of the model servers."""

    engines: dict[str, Literal["up", "down"]] | None = Field(
        None,
        description="By policy, where the operator lists them: whether any of its model servers "
        "answers. Requests are taken either way, and wait.",
    )
