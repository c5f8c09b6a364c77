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


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A row's tokens with one advantage, and the choices that were made behind some of them."""

    row: Row
    advantage: float
    choices: tuple[PlacedChoice, ...] = ()
    base_logprobs: tuple[float, ...] | None = None
    """Under the base, of the tokens that count and then of the choices; where KL is asked for."""

    @property
    def token_ids(self) -> Sequence[int]:
        return self.row.token_ids

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
    return [
        *(TrainingRow(row, advantage_N[row.node]) for row in logged.rows),
        *(_choice_row(same, advantage_N) for same in _by_prompt(logged.choices)),
    ]


def digest(rows: Sequence[TrainingRow]) -> str:
    """SHA-256 of all that the rows hold, so that a run goes on with the data it began with."""
    encoder, whole = msgspec.json.Encoder(), hashlib.sha256()
    for row in rows:
        whole.update(encoder.encode(row))
    return whole.hexdigest()


def _choice_row(choices: Sequence[DrawnChoice], advantage_N: Sequence[float]) -> TrainingRow:
    """One row for choices behind the same prompt."""
    first, length = choices[0], len(choices[0].prompt_ids)
    row = Row(
        node=first.node,
        token_ids=list(first.prompt_ids),
        logprobs=[0.0] * length,
        mask=[0] * length,
        oldest_policy_index=first.policy_index,
    )
    placed = [
        PlacedChoice(
            length - 1, choice.kinds, choice.taken, choice.logprob, advantage_N[choice.node]
        )
        for choice in choices
    ]
    return TrainingRow(row, 0.0, tuple(placed))


def _by_prompt(choices: Sequence[DrawnChoice]) -> Iterator[list[DrawnChoice]]:
    """Choices of one version behind one and the same prompt."""
    groups: dict[tuple[int, tuple[int, ...]], list[DrawnChoice]] = {}
    for choice in choices:
        groups.setdefault((choice.policy_index, choice.prompt_ids), []).append(choice)
    yield from groups.values()
