"""Scoring: turns under the policy's weights of now, by the same masks as they were sampled with.

Axes: B turns, U of them different, C the longest completion, V the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.gate_loss import decision_entropies, decision_logprobs
from training.scoring import score_tokens
from training.tiny.model import padded
from training.tiny.nodes import Turn
from training.tiny.policy import TinyPolicy
from training.tiny.vocabulary import KIND_IDS, KINDS, PAD, Ids

_EXCLUDED = -1e9
"""A logit that adds nothing, and whose product with probability 0 is 0, unlike -inf's."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Both Float[B, C], in nats, at temperature 1; what stands in padding means nothing."""

    logprobs_BC: Tensor
    entropies_BC: Tensor


def score(policy: TinyPolicy, turns: Sequence[Turn]) -> Scores:
    """Identical turns are computed once; gradients flow to the weights and to tau."""
    keys = [(turn.prompt, turn.completion, turn.allowed) for turn in turns]
    number_of = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    logprobs_UC, entropies_UC = _score(policy, list(number_of))
    rows_B = torch.tensor([number_of[key] for key in keys])
    return Scores(logprobs_UC[rows_B], entropies_UC[rows_B])


def _score(
    policy: TinyPolicy, rows: list[tuple[Ids, Ids, tuple[Ids, ...]]]
) -> tuple[Tensor, Tensor]:
    completions_UC = padded([completion for _, completion, _ in rows], PAD)
    ids_UT = padded([(*prompt, *completion) for prompt, completion, _ in rows], PAD)
    places_UC = torch.tensor([len(prompt) - 1 for prompt, _, _ in rows])[:, None] + torch.arange(
        completions_UC.shape[1]
    )
    places_UC = places_UC.clamp(max=ids_UT.shape[1] - 1)
    logits_UTV = policy.model(ids_UT)
    logits_UCV = logits_UTV.gather(1, places_UC[:, :, None].expand(-1, -1, logits_UTV.shape[-1]))
    allowed_UCV = _mask(rows, completions_UC, logits_UCV.shape[-1])
    masked_UCV = logits_UCV.masked_fill(~allowed_UCV, _EXCLUDED)
    logprobs_UC, entropies_UC = score_tokens(masked_UCV, completions_UC)
    kinds = torch.tensor(KIND_IDS)
    kind_logprobs_UDK = logits_UCV[:, :1].log_softmax(dim=-1)[..., kinds]
    allowed_UDK = allowed_UCV[:, :1][..., kinds]
    taken_UD = completions_UC[:, :1] - KIND_IDS[0]
    opens = KINDS.index(policy.opens)
    decisions_UD = decision_logprobs(kind_logprobs_UDK, allowed_UDK, taken_UD, policy.tau, opens)
    chances_UD = decision_entropies(kind_logprobs_UDK, allowed_UDK, policy.tau, opens)
    return (
        torch.cat([decisions_UD, logprobs_UC[:, 1:]], dim=1),
        torch.cat([chances_UD, entropies_UC[:, 1:]], dim=1),
    )


def _mask(
    rows: list[tuple[Ids, Ids, tuple[Ids, ...]]], completions_UC: Tensor, num_words: int
) -> Tensor:
    """Bool[U, C, V]: what was allowed. In padding, padding alone."""
    allowed_UCV = torch.zeros((*completions_UC.shape, num_words), dtype=torch.bool)
    where: list[tuple[int, int, int]] = [
        (number, place, token)
        for number, (_, _, allowed) in enumerate(rows)
        for place in range(completions_UC.shape[1])
        for token in (allowed[place] if place < len(allowed) else (PAD,))
    ]
    index = torch.tensor(where).unbind(dim=1)
    allowed_UCV[index] = True
    return allowed_UCV
