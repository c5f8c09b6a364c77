"""Nodes: what the store keeps of a node, as people look at it."""

from __future__ import annotations

from banyan.client.results import HandedState, NodeDetail, NodeSummary, Turn
from banyan.node import Node, depth_of
from banyan.packed_state import PackedState
from banyan.state import unpack
from banyan.trajectory import TurnRecord
from banyan.tree import NodeRecord
from service.results import spent_of


def summary_of(record: NodeRecord) -> NodeSummary:
    """One line of the tree: no goal, no answer, nothing that grows."""
    outcome = record.outcome
    return NodeSummary(
        path=record.path,
        depth=depth_of(record.path),
        policy=record.policy,
        status=record.status,
        outcome=outcome.status if outcome else None,
        complete=outcome.complete if outcome else None,
        notices=outcome.notices if outcome else (),
        failure=outcome.failure if outcome else None,
        num_children=record.num_children,
        generation=record.generation,
        attempts=record.attempts,
        budget=record.budget,
        spent=spent_of(record.spent),
        queued_at=record.queued_at,
        claimed_at=record.claimed_at,
        finished_at=record.finished_at,
    )


def detail_of(record: NodeRecord) -> NodeDetail:
    """Everything but token ids, which are for training. Raises PackError."""
    if record.packed is None:
        raise ValueError("a node's detail is made of a record with its packed state")
    node = unpack(record.packed, Node)
    outcome = record.outcome
    return NodeDetail(
        **summary_of(record).model_dump(),
        goal=node.goal,
        brief=node.brief.text,
        packed_state=_handed(node.packed_state),
        inputs=node.inputs,
        expects=node.expects,
        notes=node.notes,
        answer=outcome.answer if outcome else None,
        citations=outcome.citations if outcome else (),
        covered=outcome.covered if outcome else node.covered,
        critical_path_s=outcome.critical_path_s if outcome else None,
        sequential_s=outcome.sequential_s if outcome else None,
        turns=tuple(_turn(unpack(turn, TurnRecord)) for turn in record.turns),
    )


def _handed(state: PackedState | None) -> HandedState | None:
    if state is None:
        return None
    return HandedState(form=state.form, bytes=state.bytes, tokens=state.tokens)


def _turn(record: TurnRecord) -> Turn:
    return Turn(
        index=record.index,
        generation=record.generation,
        decision=record.decision,
        action=record.action,
        valid=record.valid,
        prompt=record.prompt_text,
        completion=record.completion_text,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        cached_tokens=record.cached_tokens,
        finish_reason=record.finish_reason,
        temperature=record.temperature,
        seconds=record.seconds,
        policy=record.policy_version,
        engine=record.engine,
    )
