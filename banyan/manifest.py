"""Manifest: what is published with weights, so that they can be checked before they serve. Pure.

It lies beside the weights as `manifest.json`. A manifest of another format version is refused: its
fields may mean something else.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from banyan.errors import InvalidManifest
from banyan.traits import Traits

FORMAT = 1
FILE_NAME = "manifest.json"
MAX_PROBE_TOKENS = 32
MAX_EVALUATION_TASKS = 100_000

WeightsKind = Literal["adapter", "full"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
"""Of a file in the directory itself: no folders, nothing hidden."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]

NEEDED: dict[WeightsKind, frozenset[str]] = {
    "adapter": frozenset({"adapter_config.json", "adapter_model.safetensors"}),
    "full": frozenset({"config.json"}),
}
"""Files without which a directory of this kind is not complete."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BaseModelId(_Model):
    """The weights that these were trained from. `fingerprint` is of their content."""

    name: str = Field(min_length=1, max_length=256)
    fingerprint: Sha256


class DataRange(_Model):
    """The logged trees that were trained on."""

    first_tree: str
    last_tree: str
    num_trees: int = Field(ge=0)
    num_rows: int = Field(ge=0)


class Evaluation(_Model):
    """Rewards of these weights and of the version that was live, on the same tasks by id."""

    set_name: str
    live_version: str
    candidate: dict[str, FiniteFloat] = Field(max_length=MAX_EVALUATION_TASKS)
    live: dict[str, FiniteFloat] = Field(max_length=MAX_EVALUATION_TASKS)


class Probe(_Model):
    """A prompt, a continuation of it, and the trainer's log-probabilities of the latter (nats)."""

    prompt_token_ids: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=512)
    token_ids: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        min_length=1, max_length=MAX_PROBE_TOKENS
    )
    logprobs: tuple[Annotated[FiniteFloat, Field(le=0)], ...]

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.logprobs) != len(self.token_ids):
            raise ValueError("one log-probability for each token of the continuation")
        return self


class Manifest(_Model):
    """Everything that is said about a version before it has a number."""

    format: Literal[1]
    policy: Name = Field(description="The policy that this is a version of.")
    kind: WeightsKind
    parent: str = Field(description="The version that training started from.")
    base: BaseModelId
    data: DataRange
    losses: dict[str, FiniteFloat]
    evaluation: Evaluation
    threshold: FiniteFloat = Field(description="tau, in nats; learned, not typed in.")
    logprob_gap: Annotated[FiniteFloat, Field(ge=0)] | None = Field(
        description="Mean absolute gap between trainer and engine on rows of the parent version, "
        "in nats a token; null where it was trained on older rows alone."
    )
    probe: Probe
    traits: Traits = Traits()
    files: dict[FileName, Sha256] = Field(min_length=1, max_length=4_096)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if FILE_NAME in self.files:
            raise ValueError(f"files: {FILE_NAME} cannot hold its own checksum")
        missing = sorted(NEEDED[self.kind] - self.files.keys())
        if not any(name.endswith(".safetensors") for name in self.files):
            missing.append("*.safetensors")
        if missing:
            raise ValueError(f"files: {', '.join(missing)} is missing")
        if self.traits.threshold not in {None, self.threshold}:
            raise ValueError("traits.threshold: another one than threshold")
        return self

    def changes(self) -> dict[str, object]:
        """What a Policy of this version has of its own. It learned to choose for parts, too."""
        given = self.traits.model_dump(exclude_none=True)
        return {"gates_parts": True, **given, "threshold": self.threshold}


def parse(data: bytes, *, where: str) -> Manifest:
    """The manifest in `data`. Raises InvalidManifest, which says `where` and which field."""
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InvalidManifest(f"{where}: {field}{': ' if field else ''}{said}") from error
