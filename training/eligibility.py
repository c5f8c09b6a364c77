"""Eligibility: which trees may train, and why the others may not (RAO section 2).

A tree is counted under the first reason that holds, in the order of `REASONS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from banyan.trajectory import LoggedNode, LoggedTurn

REASONS: dict[str, str] = {
    "superseded": "it was opened again, and a later generation of it is here",
    "opted_out": "its task was sent with train: false",
    "redacted": "the operator's redaction kept a record of it out",
    "incomplete": "it was cancelled, or cut short by the deadline, an engine or lost workers",
    "not_sampled": "its gate mode is not `sampled`",
    "temperature": "an action was not sampled at temperature 1 and top_p 1, without a penalty",
    "no_group": "it belongs to no group",
    "other_group": "its group is none of those that were asked for",
    "no_token_ids": "its engine told no token ids or no log-probabilities, or a prompt had vectors",
    "coalesced": "a call was shared between nodes",
    "stale": "the policy that produced a token is too many versions old",
    "no_success": "nothing says how well its root did",
    "single_group": "no other tree of its group may train, and there is no value baseline",
}

OWN_FAILURES = frozenset(
    {
        "children_failed",
        "indivisible_input",
        "invalid_action",
        "money_budget_exhausted",
        "out_of_turns",
        "prompt_too_long",
        "token_budget_exhausted",
    }
)
"""Failures that the policy brought about. All others say nothing about what it did."""

_NUMBER = re.compile(r"(\d+)$")


@dataclass(frozen=True, slots=True)
class Rules:
    """`live`: the version that rows are measured against; None: no row is too old.

    `group_prefix`: what the names of the groups that are asked for begin with.
    """

    live: str | None = None
    max_staleness: int = 2
    value_baseline: bool = False
    group_prefix: str = ""


def reason_against(nodes: Sequence[LoggedNode], rules: Rules) -> str | None:
    """Why a tree, its feedback joined, may not train; groups and generations are not looked at."""
    root = next(node for node in nodes if node.parent_id is None)
    turns = [turn for node in nodes for turn in node.turns]
    dropped = {node.dropped for node in nodes}
    holds = {
        "opted_out": "opted_out" in dropped,
        "redacted": bool(dropped & {"redacted", "redaction_failed"}),
        "incomplete": root.tree.status == "cancelled" or any(map(_is_cut_short, nodes)),
        "not_sampled": any(node.gate is None or node.gate.mode != "sampled" for node in nodes),
        "temperature": any(map(_is_off_distribution, turns)),
        "no_group": not root.group_id,
        "other_group": not (root.group_id or "").startswith(rules.group_prefix),
        "no_token_ids": any(map(_lacks_tokens, turns)),
        "coalesced": any(turn.coalesced for turn in turns),
        "stale": any(_is_stale(turn, rules) for turn in turns),
        "no_success": root.success is None,
    }
    return next((reason for reason in REASONS if holds.get(reason)), None)


def version_number(version: str) -> int:
    """`policy-v12` is 12, `base` is 0."""
    found = _NUMBER.search(version)
    return int(found[1]) if found else 0


def _is_cut_short(node: LoggedNode) -> bool:
    if node.outcome is None:
        return True
    return node.outcome.failure is not None and node.outcome.failure not in OWN_FAILURES


def _is_off_distribution(turn: LoggedTurn) -> bool:
    how = turn.sampling
    is_as_trained = how.temperature == 1 and how.top_p == 1 and how.frequency_penalty == 0
    return bool(turn.completion_token_ids) and not is_as_trained


def _lacks_tokens(turn: LoggedTurn) -> bool:
    if turn.completion_token_ids is None or turn.prompt_token_ids is None:
        return True
    return turn.logprobs is None and bool(turn.completion_token_ids)


def _is_stale(turn: LoggedTurn, rules: Rules) -> bool:
    if rules.live is None:
        return False
    behind = version_number(rules.live) - version_number(turn.policy_version)
    return behind > rules.max_staleness
