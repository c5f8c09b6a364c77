"""Records of the trajectory log, made by hand; what a test does not name is unremarkable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from banyan.logged import choice_probability
from banyan.trajectory import (
    LoggedChoice,
    LoggedGate,
    LoggedNode,
    LoggedOutcome,
    LoggedSampling,
    LoggedTiming,
    LoggedTree,
    LoggedTurn,
    LoggedUsage,
    Success,
)

FORCED = LoggedChoice(
    prompt_token_ids=None, logprobs=None, kind="answer", forced=True, probability=None
)


def drawn(kind: str, logprobs: dict[str, float], prompt: Sequence[int] = (10, 11)) -> LoggedChoice:
    """A choice that the policy drew."""
    return LoggedChoice(
        prompt_token_ids=tuple(prompt),
        logprobs=logprobs,
        kind=kind,
        forced=False,
        probability=choice_probability(logprobs, kind),
    )


def turn(
    prompt: Sequence[int] = (10, 11, 12),
    completion: Sequence[int] = (20, 21),
    logprobs: Sequence[float] | None = None,
    choice: LoggedChoice = FORCED,
    **changes: Any,
) -> LoggedTurn:
    """A turn without a grammar, all of whose tokens count."""
    found = LoggedTurn(
        index=0,
        generation=1,
        choice=choice,
        prompt_token_ids=tuple(prompt),
        completion_token_ids=tuple(completion),
        logprobs=tuple([-1.0] * len(completion) if logprobs is None else logprobs),
        logprobs_kind="raw",
        grammar=False,
        action_token_mask=(1,) * len(completion),
        action="",
        valid=True,
        policy_version="base",
        engine="engine",
        finish_reason="stop",
        sampling=LoggedSampling(temperature=1.0, top_p=1.0, frequency_penalty=0.0, seed=1),
        seconds=0.1,
    )
    return msgspec.structs.replace(found, **changes)


def node(
    tree: str,
    path: str = "0",
    *,
    turns: Sequence[LoggedTurn] = (),
    success: float | None = None,
    group: str = "g",
    num_nodes: int = 1,
) -> LoggedNode:
    """A node of a finished rollout; its place is its path."""
    return LoggedNode(
        tree_id=tree,
        tenant="t",
        group_id=group,
        node_id=path,
        parent_id=path.rpartition(".")[0] or None,
        depth=path.count("."),
        tree=LoggedTree(
            generation=1,
            status="completed",
            profile="rollout",
            num_nodes=num_nodes,
            finished_at=1.0,
        ),
        goal="?",
        gate=LoggedGate(mode="sampled", score=None, threshold=None),
        turns=tuple(turns),
        packed_state=None,
        outcome=LoggedOutcome(status="ok", complete=True, answer="!", failure=None),
        success=None if success is None else Success(value=success, source="verifier"),
        usage=LoggedUsage(prompt_tokens=1, completion_tokens=1, cached_tokens=0),
        timing=LoggedTiming(queued_at=0.0, claimed_at=0.0, finished_at=1.0, model_s=0.1),
    )


def write_log(root: Path, trees: Sequence[Sequence[LoggedNode]]) -> Path:
    """A log's folder with one file a tree, as the writer leaves it."""
    folder = root / "trees" / "20261124"
    folder.mkdir(parents=True)
    for nodes in trees:
        text = b"".join(msgspec.json.encode(each) + b"\n" for each in nodes)
        compressed = zstandard.ZstdCompressor(write_checksum=True).compress(text)
        (folder / f"{nodes[0].tree_id}.g1.jsonl.zst").write_bytes(compressed)
    return root
