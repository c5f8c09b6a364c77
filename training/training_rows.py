"""Training rows: what one forward pass computes of a row, with the advantage of all that counts.

A choice of a kind counts at the last token of its prompt. Where several choices have one and the
same prompt (the roots of a group have), they share one row, so that it is computed once. Depth
weights are multiplied into the advantages: every term of the loss is linear in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from training.credit import Credit
from training.logged_rows import DrawnChoice, LoggedRows
from training.rows import Row


@dataclass(frozen=True, slots=True)
class PlacedChoice:
    """A drawn kind behind token `position` of its row; indices of `logged_rows.KINDS`."""

    position: int
    kinds: tuple[int, ...]
    taken: int
    logprob: float
    advantage: float
    reward: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A row's tokens with one advantage, and the choices that were made behind some of them.

    `reward` and `weight` are the node's own, for advantages that come from a value head.
    """

    row: Row
    advantage: float
    choices: tuple[PlacedChoice, ...] = ()
    reward: float = 0.0
    weight: float = 1.0
    base_logprobs: tuple[float, ...] | None = None
    """Under the base, of the tokens that count and then of the choices; where KL is asked for."""

    @property
    def token_ids(self) -> Sequence[int]:
        return self.row.token_ids

    @property
    def prompt(self) -> tuple[int, ...]:
        """What stands before the first token that counts; the whole row where none does."""
        mask = self.row.mask
        return tuple(self.token_ids[: mask.index(1) if 1 in mask else None])

    @property
    def num_trained(self) -> int:
        """Tokens and choices that count in the loss."""
        return self.row.num_trained + len(self.choices)

    @property
    def oldest_policy_index(self) -> int:
        return self.row.oldest_policy_index


def training_rows(logged: LoggedRows, credit: Credit) -> list[TrainingRow]:
    """All rows in the order of the log, then those of the choices."""
    advantage_N = (credit.advantage_N * credit.weight_N).tolist()
    reward_N, weight_N = credit.reward_N.tolist(), credit.weight_N.tolist()
    whole = [
        TrainingRow(
            row, advantage_N[row.node], reward=reward_N[row.node], weight=weight_N[row.node]
        )
        for row in logged.rows
    ]

    def placed(choice: DrawnChoice) -> PlacedChoice:
        return PlacedChoice(
            position=len(choice.prompt_ids) - 1,
            kinds=choice.kinds,
            taken=choice.taken,
            logprob=choice.logprob,
            advantage=advantage_N[choice.node],
            reward=reward_N[choice.node],
            weight=weight_N[choice.node],
        )

    choices = [_choice_row(same, [*map(placed, same)]) for same in _by_prompt(logged.choices)]
    return [*whole, *choices]


def digest(rows: Sequence[TrainingRow]) -> str:
    """SHA-256 of all that the rows hold, so that a run goes on with the data it began with."""
    encoder, whole = msgspec.json.Encoder(), hashlib.sha256()
    for row in rows:
        whole.update(encoder.encode(row))
    return whole.hexdigest()


def _choice_row(same: Sequence[DrawnChoice], choices: Sequence[PlacedChoice]) -> TrainingRow:
    """One row for choices behind the same prompt."""
    first, length = same[0], len(same[0].prompt_ids)
    row = Row(
        node=first.node,
        token_ids=list(first.prompt_ids),
        logprobs=[0.0] * length,
        mask=[0] * length,
        oldest_policy_index=first.policy_index,
    )
    return TrainingRow(row, 0.0, tuple(choices))


def _by_prompt(choices: Sequence[DrawnChoice]) -> Iterator[list[DrawnChoice]]:
    """Choices of one version behind one and the same prompt."""
    groups: dict[tuple[int, tuple[int, ...]], list[DrawnChoice]] = {}
    for choice in choices:
        groups.setdefault((choice.policy_index, choice.prompt_ids), []).append(choice)
    yield from groups.values()
