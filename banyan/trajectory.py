"""Trajectory: what a turn leaves in the store, and what a finished node leaves in the log.

`TurnRecord` is written with every turn; `LoggedNode` is made of a node's turns and outcome once its
tree has finished (`banyan/logged.py`), complete enough to train from without the service. Token ids
and log-probabilities are those of the engine: text is never encoded again.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict

from banyan.node import Decision
from banyan.token_ids import TokenIds

LOG_FORMAT = "banyan.node"
LOG_VERSION = 1

LogprobsKind = Literal["raw", "masked"]
Dropped = Literal["opted_out", "redacted", "redaction_failed"]


class TurnRecord(BaseModel):
    """One turn: the choice of a kind, the action that the model wrote, and what both cost.

    Token ids are what the engine sampled. Where the kind was chosen, `choice_prompt_token_ids[C]`
    is the prompt whose next token was the kind's letter, and the decision holds the letters'
    log-probabilities. `prompt_token_ids[P]`, `completion_token_ids[T]` and `logprobs[T]` (nats, of
    the distribution named by `logprobs_kind`) belong to the action. They are None for engines that
    do not tell them; such a turn cannot train. `inherited` names the shared state that every prompt
    of the node begins with: the token ids of a `prefix` stand before those of both prompts and are
    not repeated here; behind `hidden` vectors a prompt has no token ids, so that such a turn cannot
    train either. `grammar`: the action was written under a schema. `seconds` is the time of this
    turn's model calls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    generation: int
    decision: Decision
    action: str
    valid: bool
    prompt_text: str
    completion_text: str
    inherited: str = ""
    choice_prompt_token_ids: TokenIds | None
    prompt_token_ids: TokenIds | None
    completion_token_ids: TokenIds | None
    logprobs: tuple[float, ...] | None
    logprobs_kind: LogprobsKind | None
    grammar: bool = True
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    policy_version: str
    engine: str
    finish_reason: Literal["stop", "length"]
    temperature: float
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    seconds: float


class LoggedGate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the node decided on its first turn with a choice; score and threshold in nats."""

    mode: str
    score: float | None
    threshold: float | None


class LoggedChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The choice of an action's kind.

    `logprobs` are raw, of each allowed kind's letter behind `prompt_token_ids[C]`; renormalised
    over the kinds they are what `sampled` draws from, and `probability` is that of `kind`. It is
    null where the policy did not draw: forced, by threshold, or written inside the action's JSON.
    """

    prompt_token_ids: tuple[int, ...] | None
    logprobs: dict[str, float] | None
    kind: str | None
    forced: bool
    probability: float | None


class LoggedSampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the action's tokens were drawn."""

    temperature: float
    top_p: float
    frequency_penalty: float
    seed: int | None


class LoggedTurn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn. The lengths of the three tuples of the completion agree: `[T]`.

    `prompt_token_ids` are of the whole prompt, a shared prefix included; null behind vectors.
    `action_token_mask[T]` is 1 for tokens that the policy itself drew, else 0: greedy ones, and
    those to which the grammar left no other. `logprobs` (nats) are `masked` by the grammar and
    renormalised, or `raw`; with `grammar`, raw ones are not of the distribution that was drawn from
    (ADR 18). All are null for engines that tell no token ids.
    """

    index: int
    generation: int
    choice: LoggedChoice
    prompt_token_ids: tuple[int, ...] | None
    completion_token_ids: tuple[int, ...] | None
    logprobs: tuple[float, ...] | None
    logprobs_kind: LogprobsKind | None
    grammar: bool
    action_token_mask: tuple[int, ...] | None
    action: str
    valid: bool
    policy_version: str
    engine: str
    finish_reason: str
    sampling: LoggedSampling
    seconds: float
    coalesced: bool = False


class LoggedState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The packed state: its form, and its size as it was stored last."""

    form: str
    bytes: int
    tokens: int | None


class LoggedOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the node ended, and with which answer. `failure` is a stable code."""

    status: str
    complete: bool
    answer: object
    failure: str | None


class Success(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A local success in [0, 1], and who says so: `verifier`, `judge` or `user`."""

    value: float
    source: str


class LoggedUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the node itself, without its descendants."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


class LoggedTiming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds since the epoch on the store's clock; `model_s` is the sum of its model calls."""

    queued_at: float
    claimed_at: float | None
    finished_at: float | None
    model_s: float


class LoggedTree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all nodes of a file share. `num_nodes` is how many records the file has."""

    generation: int
    status: str
    profile: str
    num_nodes: int
    finished_at: float


class LoggedNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One node of a finished tree: one line of the log.

    `dropped` says why a record holds nothing but the node's place: the task is not to be trained
    on (then the root alone is there), or the operator's redaction gave no record.
    """

    format: str = LOG_FORMAT
    format_version: int = LOG_VERSION
    tree_id: str
    tenant: str
    group_id: str | None
    node_id: str
    parent_id: str | None
    depth: int
    tree: LoggedTree
    goal: str
    gate: LoggedGate | None
    turns: tuple[LoggedTurn, ...]
    packed_state: LoggedState | None
    outcome: LoggedOutcome | None
    success: Success | None = None
    usage: LoggedUsage
    timing: LoggedTiming
    dropped: Dropped | None = None
