"""Rows: the turns of a node as token sequences that a model can be trained on.

A node is one row as long as each prompt extends the tokens before it, so that its earlier turns are
computed once. Where a suspended node was packed and its prompt starts anew, a new row starts. Text
is never encoded again: every token is one that the engine was given or sampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from training.errors import BadTurn


@dataclass(frozen=True, slots=True)
class TurnTokens:
    """One model call: `completion_ids[T]`, `logprobs[T]` (nats) and `mask[T]` are of one length.

    `mask` is 1 for tokens that the policy drew from the distribution of `logprobs`. `policy_index`
    is the place of the policy version in the order in which versions were published.
    """

    prompt_ids: Sequence[int]
    completion_ids: Sequence[int]
    logprobs: Sequence[float]
    mask: Sequence[int]
    policy_index: int


@dataclass(slots=True)
class Row:
    """Tokens in order; at prompts, `mask` and `logprobs` are 0. `node` is the caller's index."""

    node: int
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    oldest_policy_index: int = 0
    is_last: bool = False
    """No later row of the same node: this one is paid the node's reward."""

    @property
    def num_trained(self) -> int:
        """Tokens that count in the loss."""
        return sum(self.mask)


class Selectable(Protocol):
    """What selecting and packing look at: a `Row`, or what holds one."""

    @property
    def token_ids(self) -> Sequence[int]: ...
    @property
    def num_trained(self) -> int: ...
    @property
    def oldest_policy_index(self) -> int: ...


R = TypeVar("R", bound=Selectable)


@dataclass(frozen=True, slots=True)
class Selected(Generic[R]):
    """Rows to train on, and how many were left out, by reason."""

    rows: list[R]
    num_stale: int
    """Written by a policy too many versions old."""
    num_empty: int
    """Without a token that the policy sampled."""
    num_long: int
    """Longer than the window that is trained on."""


def rows_of(node: int, turns: Iterable[TurnTokens]) -> list[Row]:
    """The rows of one node, in the order of its turns. Raises BadTurn."""
    rows: list[Row] = []
    for place, turn in enumerate(turns):
        _check(node, place, turn)
        prompt = list(turn.prompt_ids)
        row = rows[-1] if rows else None
        if row is None or prompt[: len(row.token_ids)] != row.token_ids:
            row = Row(node, oldest_policy_index=turn.policy_index)
            rows.append(row)
        num_new = len(prompt) - len(row.token_ids)
        row.token_ids += prompt[len(row.token_ids) :]
        row.logprobs += [0.0] * num_new
        row.mask += [0] * num_new
        row.token_ids += turn.completion_ids
        row.logprobs += [
            logprob if counts else 0.0
            for logprob, counts in zip(turn.logprobs, turn.mask, strict=True)
        ]
        row.mask += turn.mask
        row.oldest_policy_index = min(row.oldest_policy_index, turn.policy_index)
    if rows:
        rows[-1].is_last = True
    return rows


def select(
    rows: Iterable[R], *, policy_index: int, max_staleness: int, max_tokens: int
) -> Selected[R]:
    """What may train the policy at `policy_index`; each row that may not is counted once."""
    kept: list[R] = []
    num_stale = num_empty = num_long = 0
    for row in rows:
        if not row.num_trained:
            num_empty += 1
        elif policy_index - row.oldest_policy_index > max_staleness:
            num_stale += 1
        elif len(row.token_ids) > max_tokens:
            num_long += 1
        else:
            kept.append(row)
    return Selected(kept, num_stale=num_stale, num_empty=num_empty, num_long=num_long)


def packed(rows: Sequence[R], max_padded_tokens: int) -> list[list[R]]:
    """Batches of rows of like length, longest first: rows times longest stays within the limit.

    A row that is longer than the limit alone is a batch of its own.
    """
    batches: list[list[R]] = []
    for row in sorted(rows, key=lambda row: len(row.token_ids), reverse=True):
        longest = len(batches[-1][0].token_ids) if batches else 0
        if batches and (len(batches[-1]) + 1) * longest <= max_padded_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _check(node: int, place: int, turn: TurnTokens) -> None:
    where = f"node {node}, turn {place}"
    if not turn.prompt_ids:
        raise BadTurn(f"{where}: the prompt is empty")
    if not len(turn.completion_ids) == len(turn.logprobs) == len(turn.mask):
        raise BadTurn(
            f"{where}: {len(turn.completion_ids)} tokens, {len(turn.logprobs)} log-probabilities "
            f"and {len(turn.mask)} places of the mask"
        )
    for logprob, counts in zip(turn.logprobs, turn.mask, strict=True):
        if counts and not (math.isfinite(logprob) and logprob <= 0.0):
            raise BadTurn(f"{where}: {logprob} is no log-probability")
