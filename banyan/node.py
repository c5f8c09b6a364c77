"""Node: one agent instance on one sub-goal, and everything it needs to go on after any crash.

A `Node` is the packed state: it is what a parent hands to a child when it spawns it, and what a
suspended node keeps while its children run. It holds references to documents, never their text.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from banyan.action import Kind
from banyan.aggregates import Rules
from banyan.packed_state import PackedState
from banyan.spans import Span
from banyan.task import GateMode

ROOT_PATH = "0"

OutcomeStatus = Literal["ok", "failed", "cancelled", "over_budget"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Failure(_Model):
    """Why a node did not finish well: a stable code and a sentence without document text.

    `text`: where the answer was to follow a schema and does not, the best text that there is.
    """

    code: str
    message: str
    text: str | None = None


class Outcome(_Model):
    """What a node hands to its parent. `answer` may be partial unless `status` is ok.

    `complete` is false where anything below failed or was cut short. `citations` and `covered` are
    spans of the original documents. `notices` are stable codes of what the caller must be told,
    see `banyan/notices.py`. Times are seconds: `critical_path_s` follows the slowest child at
    every level, `sequential_s` is the sum of all model time.
    """

    status: OutcomeStatus
    answer: JsonValue = None
    citations: tuple[Span, ...] = ()
    covered: tuple[Span, ...] = ()
    complete: bool = True
    notices: tuple[str, ...] = ()
    failure: Failure | None = None
    critical_path_s: float = 0.0
    sequential_s: float = 0.0


class Passage(_Model):
    """A numbered piece of text in a prompt, and where in the original documents it comes from.

    `sources` is what a citation of it stands for; `covered` is what it speaks for.
    """

    text: str
    sources: tuple[Span, ...]
    covered: tuple[Span, ...]


class Decision(_Model):
    """How the kind of an action was chosen. `score` is null where there was nothing to choose.

    `kind` is null where the engine writes the kind itself, inside its JSON.
    """

    kind: Kind | None
    mode: GateMode
    forced: bool
    score: float | None = None
    threshold: float | None = None
    logprobs: dict[str, float] | None = None


class Brief(_Model):
    """What the parent wrote for all of its children, and the goal of the whole task."""

    task_goal: str
    text: str = ""


class Exchange(_Model):
    """A turn that stays in the dialogue: what was asked, what the agent did, what came of it.

    `token_ids` are the reply's own, exactly as sampled, where the engine tells them.
    """

    request: str
    reply: str
    token_ids: tuple[int, ...] | None = None
    observation: str


class Divided(_Model):
    """A node's own inputs and its children on them, before results were divided."""

    inputs: tuple[Span, ...]
    num_children: int
    child_rules: Rules = Field(default_factory=dict)


class Node(_Model):
    """The state of one agent instance between two turns.

    `policy` is the version that it runs on.
    `context` is shown beside the inputs and is not the node's to work on: see
    `banyan/surroundings.py`.
    `packed_state`: the form of its parent's context; None at the root.
    `is_part`: its parent decided that all of the inputs are read, and this is a part of them.
    `labels`: its inputs are records to be labelled and counted, see `banyan/counts.py`.
    `rules`: its result is merged with its siblings' by these, see `banyan/aggregates.py`;
    `child_rules`: its children's results are merged by these.
    `seen` are the passages of the exchanges, numbered in this order.
    `outcomes` are the latest children's; the first `num_absorbed` of `num_children` were worked
    in. `divided` is there once results had to be divided again. `overflow` says that the inputs
    turned out not to fit the window. `num_invalid` actions in a row were invalid; `was_valid` is
    of the latest one. The `_s` fields are seconds of model time.
    """

    path: str
    goal: str
    brief: Brief
    policy: str = "base"
    packed_state: PackedState | None = None
    inputs: tuple[Span, ...] = ()
    context: tuple[Span, ...] = ()
    is_part: bool = False
    labels: tuple[str, ...] = ()
    rules: Rules = Field(default_factory=dict)
    child_rules: Rules = Field(default_factory=dict)
    expects: dict[str, Any] | None = None
    answer_tokens: int = 0
    tokens_per_char: float | None = None
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()
    covered: tuple[Span, ...] = ()
    read_to: tuple[int, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    seen: tuple[Passage, ...] = ()
    generation: int = 1
    num_children: int = 0
    num_absorbed: int = 0
    divided: Divided | None = None
    num_turns: int = 0
    num_invalid: int = 0
    was_valid: bool = True
    incomplete: bool = False
    notices: tuple[str, ...] = ()
    overflow: bool = False
    own_s: float = 0.0
    children_critical_s: float = 0.0
    children_sequential_s: float = 0.0

    @property
    def depth(self) -> int:
        return depth_of(self.path)


def child_path(path: str, index: int) -> str:
    """The deterministic path of a node's child: `0` is the root, `0.3.1` its fourth's second."""
    return f"{path}.{index}"


def parent_path(path: str) -> str | None:
    """The path of a node's parent; None for the root."""
    return path.rpartition(".")[0] or None


def depth_of(path: str) -> int:
    """Levels below the root."""
    return path.count(".")
