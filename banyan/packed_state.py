"""Packed state: the forms in which a parent hands its context to its children.

Every child gets its goal, a brief and its inputs as spans. Beside them stands a `PackedState`: what
form its parent's context came in and what it costs. What all children of one spawn share (a prefix
of token ids, packed vectors) is a `SharedState`, stored once for all of them and for as long as the
tree; `PackedState.name` says where.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from banyan.task import StateForm


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackedState(_Model):
    """How a child was given its parent's context.

    `tokens`: that it takes in each of the child's prompts. `bytes`: that it takes in the store,
    once for all siblings where it has a `name`, else in the child itself.
    """

    form: StateForm = "summary"
    tokens: int = 0
    bytes: int = 0
    name: str = ""

    @property
    def is_shared(self) -> bool:
        return bool(self.name)


class SharedState(_Model):
    """What the children of one spawn share, and the weights that can read it.

    `prefix`: the token ids of the parent's prompt and reply; `replica` is the server that has their
    keys and values, where it is known, and `affinity` what routes calls else. `hidden`: `vectors`
    are safetensors, made of these token ids by a packer for the embeddings of `model`.
    """

    form: Literal["prefix", "hidden"]
    policy: str
    model: str
    affinity: str
    replica: str = ""
    token_ids: tuple[int, ...] = ()
    vectors: bytes = b""


MAX_SHARED_BYTES = 4 * 1024 * 1024
"""The most that one spawn may store for its children."""
