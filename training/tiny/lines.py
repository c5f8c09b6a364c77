"""Lines: rollouts as records of the fields that the service logs (RAO section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from training.tiny.nodes import Node, Tree

JsonObject = dict[str, object]


def node_lines(trees: Sequence[Tree], policy_version: str) -> Iterator[JsonObject]:
    """One object a node. Log-probabilities are masked, so they stand beside what was allowed."""
    for tree in trees:
        for node in tree.nodes:
            yield _line(node, policy_version)


def write(path: Path, trees: Sequence[Tree], policy_version: str) -> None:
    """A JSONL file that `banyan-train credit` reads."""
    encoded = msgspec.json.Encoder().encode_lines(node_lines(trees, policy_version))
    path.write_bytes(encoded)


def _line(node: Node, policy_version: str) -> JsonObject:
    return {
        "tree_id": node.tree.id,
        "group_id": node.tree.group_id,
        "node_id": node.id,
        "parent_id": node.parent.id if node.parent else None,
        "depth": node.depth,
        "success": {"value": node.success, "source": "verifier"},
        "outcome": node.outcome,
        "turns": [
            {
                "prompt_token_ids": turn.prompt,
                "completion_token_ids": turn.completion,
                "logprobs": turn.logprobs,
                "logprobs_kind": "masked",
                "allowed_token_ids": turn.allowed,
                "action_token_mask": [int(is_sample) for is_sample in turn.is_sample],
                "decision": turn.decision.model_dump(),
                "policy_version": policy_version,
            }
            for turn in node.turns
        ],
    }
