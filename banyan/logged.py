"""Logged: from a finished node as the store keeps it to its record in the trajectory log. Pure.

Packed values are read without checking them again: this project's own code has packed them, and a
node must cost less than 0.2 ms here (docs/performance.md). For the same reason token ids stay the
text that they are in the store (ADR 36).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from banyan import token_ids
from banyan.errors import PackError
from banyan.node import Node, Outcome, depth_of, parent_path
from banyan.packed_state import SharedState
from banyan.ports import StoredNode
from banyan.state import unpack_fields
from banyan.task import Task
from banyan.trajectory import (
    Dropped,
    LoggedChoice,
    LoggedGate,
    LoggedNode,
    LoggedOutcome,
    LoggedSampling,
    LoggedState,
    LoggedTiming,
    LoggedTree,
    LoggedTurn,
    LoggedUsage,
    TurnRecord,
)
from banyan.tree import TreeRecord

Fields = Mapping[str, Any]
Prefixes = Mapping[str, bytes]
"""Token ids of the prefixes that a tree's nodes share, as text, by the names of their states."""

_CERTAIN = 1e-6
"""Nats; above this a probability is 1 but for rounding."""


def tree_part(record: TreeRecord, task: Task, num_nodes: int) -> LoggedTree:
    """What the records of all nodes of a finished tree share."""
    return LoggedTree(
        generation=record.generation,
        status=record.status,
        profile=task.profile,
        num_nodes=num_nodes,
        finished_at=record.finished_at or 0.0,
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """A stored node with its fields and those of its turns."""

    stored: StoredNode
    node: Fields
    turns: tuple[Fields, ...]

    @property
    def inherited(self) -> str:
        """The shared state that its prompts begin with; "" where there is none."""
        return next((turn["inherited"] for turn in self.turns if turn.get("inherited")), "")


def opened(stored: StoredNode) -> Opened:
    """Unpack a node. Raises PackError where the store holds something else."""
    turns = tuple([unpack_fields(turn, TurnRecord) for turn in stored.turns])
    return Opened(stored, unpack_fields(stored.packed, Node), turns)


def prefix_of(shared: bytes) -> bytes | None:
    """The token ids of a shared prefix, as text; None for vectors. Raises PackError."""
    fields = unpack_fields(shared, SharedState)
    return token_ids.to_text(fields["token_ids"]) if fields["form"] == "prefix" else None


def logged_node(
    record: TreeRecord, task: Task, tree: LoggedTree, opened: Opened, prefixes: Prefixes
) -> LoggedNode:
    """The record of one node, to be written. Its token ids are text until it is read back.

    `prefixes` has what it inherited, where that is a prefix.
    """
    stored, node, turns = opened.stored, opened.node, opened.turns
    handed = node.get("packed_state") or {}
    return LoggedNode(
        tree_id=record.id,
        tenant=task.tenant,
        group_id=task.group_id,
        node_id=stored.path,
        parent_id=parent_path(stored.path),
        depth=depth_of(stored.path),
        tree=tree,
        goal=node["goal"],
        gate=_gate(turns, task),
        turns=tuple([_turn(turn, prefixes) for turn in turns]),
        packed_state=LoggedState(
            form=handed.get("form", "summary"),
            bytes=len(stored.packed),
            tokens=handed.get("tokens"),
        ),
        outcome=_outcome(stored.outcome),
        usage=LoggedUsage(
            prompt_tokens=_sum(turns, "prompt_tokens"),
            completion_tokens=_sum(turns, "completion_tokens"),
            cached_tokens=_sum(turns, "cached_tokens"),
        ),
        timing=LoggedTiming(
            queued_at=stored.queued_at,
            claimed_at=stored.claimed_at,
            finished_at=stored.finished_at,
            model_s=round(sum(turn["seconds"] for turn in turns), 6),
        ),
    )


def read_back(node: LoggedNode) -> LoggedNode:
    """The record as readers of the log will see it. Raises PackError where it cannot be read."""
    try:
        return msgspec.json.decode(msgspec.json.encode(node), type=LoggedNode)
    except msgspec.DecodeError as error:
        raise PackError(f"node {node.node_id} is stored damaged") from error


def without_content(node: LoggedNode, why: Dropped) -> LoggedNode:
    """The node's place in its tree and nothing of what was read, written or sampled there."""
    return LoggedNode(
        tree_id=node.tree_id,
        tenant=node.tenant,
        group_id=node.group_id,
        node_id=node.node_id,
        parent_id=node.parent_id,
        depth=node.depth,
        tree=node.tree,
        goal="",
        gate=None,
        turns=(),
        packed_state=None,
        outcome=None,
        usage=node.usage,
        timing=node.timing,
        dropped=why,
    )


def same_place(one: LoggedNode, other: LoggedNode) -> bool:
    """Whether two records are of the same node of the same tree."""
    place = ("format", "format_version", "tree_id", "tenant", "group_id", "node_id", "parent_id")
    return all(getattr(one, name) == getattr(other, name) for name in (*place, "depth", "tree"))


def choice_probability(logprobs: Mapping[str, float], kind: str) -> float:
    """With what probability `sampled` draws this kind: the softmax over the allowed kinds."""
    top = max(logprobs.values())
    total = sum(math.exp(value - top) for value in logprobs.values())
    return math.exp(logprobs[kind] - top) / total


def token_mask(turn: Fields) -> tuple[int, ...] | None:
    """1 for tokens that the policy drew; see `LoggedTurn`."""
    stored, logprobs = turn["completion_token_ids"], turn["logprobs"]
    if stored is None:
        return None
    num_tokens = token_ids.count(token_ids.as_text(stored))
    if turn["temperature"] == 0 or logprobs is None:
        return (0,) * num_tokens
    if turn["logprobs_kind"] == "raw":
        return (1,) * num_tokens
    # Masked and renormalised, a token without an alternative has a log-probability of 0.
    return tuple([0 if logprob > -_CERTAIN else 1 for logprob in logprobs])


def _turn(turn: Fields, prefixes: Prefixes) -> LoggedTurn:
    return LoggedTurn(
        index=turn["index"],
        generation=turn["generation"],
        choice=_choice(turn, prefixes),
        prompt_token_ids=_whole(turn, "prompt_token_ids", prefixes),
        completion_token_ids=_written(turn["completion_token_ids"]),
        logprobs=turn["logprobs"],
        logprobs_kind=turn["logprobs_kind"],
        grammar=turn.get("grammar", True),
        action_token_mask=token_mask(turn),
        action=turn["action"],
        valid=turn["valid"],
        policy_version=turn["policy_version"],
        engine=turn["engine"],
        finish_reason=turn["finish_reason"],
        sampling=LoggedSampling(
            temperature=turn["temperature"],
            top_p=turn.get("top_p", 1.0),
            frequency_penalty=turn.get("frequency_penalty", 0.0),
            seed=turn.get("seed"),
        ),
        seconds=turn["seconds"],
    )


def _whole(turn: Fields, name: str, prefixes: Prefixes) -> tuple[int, ...] | None:
    """The prompt's token ids, behind those of the prefix that it begins with.

    None where it begins with vectors: what stands behind them must not pass for the whole. Empty
    where no model was asked.
    """
    stored, inherited = turn[name], turn.get("inherited")
    if stored is None or not inherited:
        return _written(stored)
    own = token_ids.as_text(stored)
    if own == token_ids.EMPTY:
        return _written(own)
    prefix = prefixes.get(inherited)
    return None if prefix is None else _written(token_ids.joined(prefix, own))


def _written(stored: bytes | Sequence[int] | None) -> tuple[int, ...] | None:
    """Stored token ids for a record that is about to be written, which msgspec puts in as they are.

    Nobody reads them from the record itself, so that it may have its reader's type.
    """
    if stored is None:
        return None
    return cast("tuple[int, ...]", msgspec.Raw(token_ids.as_text(stored)))


def _choice(turn: Fields, prefixes: Prefixes) -> LoggedChoice:
    decision = turn["decision"]
    logprobs, kind, forced = decision.get("logprobs"), decision["kind"], decision["forced"]
    drawn = decision["mode"] == "sampled" and not forced and logprobs and kind
    return LoggedChoice(
        prompt_token_ids=_whole(turn, "choice_prompt_token_ids", prefixes),
        logprobs=logprobs,
        kind=kind,
        forced=forced,
        probability=choice_probability(logprobs, kind) if drawn else None,
    )


def _gate(turns: Iterable[Fields], task: Task) -> LoggedGate:
    for turn in turns:
        decision = turn["decision"]
        if not decision["forced"]:
            return LoggedGate(
                mode=decision["mode"],
                score=decision.get("score"),
                threshold=decision.get("threshold"),
            )
    return LoggedGate(mode=task.gate.mode, score=None, threshold=None)


def _outcome(packed: bytes | None) -> LoggedOutcome | None:
    if packed is None:
        return None
    outcome = unpack_fields(packed, Outcome)
    failure = outcome.get("failure")
    return LoggedOutcome(
        status=outcome["status"],
        complete=outcome.get("complete", True),
        answer=outcome.get("answer"),
        failure=failure["code"] if failure else None,
    )


def _sum(turns: Iterable[Fields], name: str) -> int:
    return sum(turn[name] for turn in turns)
