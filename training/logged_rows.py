"""Logged rows: the records of trees that may train become rows of tokens and choices of a kind.

Only what the policy drew, and what can be compared with the trainer's own log-probabilities, counts
(RAO section 3, ADR 22): the choice of a kind, renormalised over the allowed kinds, and the tokens
of actions that were written without a grammar. The tokens of other actions stand in their rows as
context with mask 0. What is left out is counted by reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from banyan.action import LETTERS, Kind
from banyan.trajectory import LoggedChoice, LoggedNode, LoggedTurn
from training.eligibility import version_number
from training.rows import Row, TurnTokens, rows_of

KINDS: tuple[Kind, ...] = tuple(LETTERS)
"""The axis K of everything about choices: all kinds, in the order of their letters."""

LEFT_OUT: dict[str, str] = {
    "choice_not_drawn": "the kind was forced, or chosen by a threshold",
    "choice_without_tokens": "the engine told no tokens or no log-probabilities of the choice",
    "grammar_masked": "its log-probabilities are under a grammar that the trainer does not have",
    "grammar_raw": "it was drawn under a grammar, and its log-probabilities are without",
    "determined": "no model wrote the action",
}
"""Choices and actions that do not count, by reason."""


@dataclass(frozen=True, slots=True)
class DrawnChoice:
    """A kind that the policy drew: the token behind `prompt_ids`, among the letters of `kinds`.

    `kinds` and `taken` are indices of `KINDS`; `logprob` (nats) is renormalised over `kinds`.
    """

    node: int
    prompt_ids: tuple[int, ...]
    kinds: tuple[int, ...]
    taken: int
    logprob: float
    policy_index: int


@dataclass(slots=True)
class LoggedRows:
    """Of many nodes; `node` of rows and choices is the index of the record."""

    rows: list[Row] = field(default_factory=list)
    choices: list[DrawnChoice] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def logged_rows(nodes: Sequence[LoggedNode]) -> LoggedRows:
    """All rows and choices of nodes that may train. Raises BadTurn."""
    found = LoggedRows()
    for index, node in enumerate(nodes):
        turns: list[TurnTokens] = []
        for turn in node.turns:
            _add_choice(found, index, turn.choice, version_number(turn.policy_version))
            if turn.completion_token_ids:
                turns.append(_turn_tokens(turn, found.left_out))
            else:
                found.left_out["determined"] += 1
        found.rows += rows_of(index, turns)
    return found


def _turn_tokens(turn: LoggedTurn, left_out: Counter[str]) -> TurnTokens:
    token_ids, mask = turn.completion_token_ids or (), turn.action_token_mask or ()
    if turn.grammar and any(mask):
        left_out["grammar_raw" if turn.logprobs_kind == "raw" else "grammar_masked"] += 1
        mask = (0,) * len(token_ids)
    return TurnTokens(
        prompt_ids=turn.prompt_token_ids or (),
        completion_ids=token_ids,
        logprobs=turn.logprobs or (),
        mask=mask,
        policy_index=version_number(turn.policy_version),
    )


def _add_choice(found: LoggedRows, node: int, choice: LoggedChoice, policy_index: int) -> None:
    if choice.probability is None or choice.kind is None:
        found.left_out["choice_not_drawn"] += 1
        return
    if not choice.prompt_token_ids or not choice.logprobs:
        found.left_out["choice_without_tokens"] += 1
        return
    allowed = [index for index, kind in enumerate(KINDS) if kind in choice.logprobs]
    top = max(choice.logprobs.values())
    total = sum(math.exp(value - top) for value in choice.logprobs.values())
    found.choices.append(
        DrawnChoice(
            node=node,
            prompt_ids=choice.prompt_token_ids,
            kinds=tuple(allowed),
            taken=next(index for index in allowed if KINDS[index] == choice.kind),
            logprob=choice.logprobs[choice.kind] - top - math.log(total),
            policy_index=policy_index,
        )
    )
