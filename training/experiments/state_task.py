"""State task: a parent has read facts, its child is asked for one of them; and how both learn.

The parent does not know what its child will be asked. The policy learns, supervised, to answer from
whatever facts stand in its prompt, and to say that a fact is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from training.experiments.state_learning import distil, learn
from training.tiny.model import ModelSize, TinyModel
from training.tiny.packer import Packer, answer_logits, distillation_loss

NUM_KEYS, NUM_VALUES = 6, 6
NUM_CONTEXT_TOKENS = 2 * NUM_KEYS
_ASK = 0
_FIRST_KEY, _FIRST_VALUE = 1, 1 + NUM_KEYS
UNKNOWN = 1 + NUM_KEYS + NUM_VALUES
_NUM_WORDS = UNKNOWN + 1
_BATCH_ROWS = 128
_ENOUGH = 0.99


@dataclass(frozen=True, slots=True)
class Batch:
    """`context_BT`: a key and its value, again and again; every key once, in any order."""

    context_BT: Tensor
    question_BQ: Tensor
    answer_B: Tensor


def generator_of(seed: int) -> torch.Generator:
    """Of torch's default device, where the models are."""
    return torch.Generator(torch.get_default_device()).manual_seed(seed)


def draw(generator: torch.Generator, num_rows: int) -> Batch:
    """Int[B, T] contexts of all facts, Int[B, Q] questions for one of them, Int[B] answers."""
    keys_BK = torch.rand(num_rows, NUM_KEYS, generator=generator).argsort(dim=1)
    values_BK = torch.randint(NUM_VALUES, (num_rows, NUM_KEYS), generator=generator)
    asked_B = torch.randint(NUM_KEYS, (num_rows,), generator=generator)
    rows = torch.arange(num_rows)
    pairs = torch.stack([_FIRST_KEY + keys_BK, _FIRST_VALUE + values_BK], dim=2)
    asked_keys_B = _FIRST_KEY + keys_BK[rows, asked_B]
    question_BQ = torch.stack([torch.full_like(asked_keys_B, _ASK), asked_keys_B], dim=1)
    return Batch(pairs.flatten(1), question_BQ, _FIRST_VALUE + values_BK[rows, asked_B])


def shortened(batch: Batch, num_tokens: int) -> Batch:
    """The first tokens of each context; where the fact is not among them, it is unknown."""
    context_BT = batch.context_BT[:, :num_tokens]
    is_there_B = (context_BT == batch.question_BQ[:, 1:]).any(dim=1)
    answer_B = batch.answer_B.masked_fill(~is_there_B, UNKNOWN)
    return Batch(context_BT, batch.question_BQ, answer_B)


def success(model: TinyModel, state_BSH: Tensor, batch: Batch) -> float:
    """The share of children whose likeliest word is the right answer to the whole."""
    with torch.inference_mode():
        said_B = answer_logits(model, state_BSH, batch.question_BQ).argmax(dim=-1)
        share: float = (said_B == batch.answer_B).double().mean().item()
        return share


def taught(size: ModelSize, seed: int, max_updates: int) -> TinyModel:
    """A policy that answers from the facts in its prompt."""
    torch.manual_seed(seed)
    model, generator = TinyModel(_NUM_WORDS, size), generator_of(seed)
    held_out = draw(generator_of(-1 - seed), 500)

    def loss_of(update: int) -> Tensor:
        del update
        num_facts = int(torch.randint(1, NUM_KEYS + 1, (), generator=generator))
        batch = shortened(draw(generator, _BATCH_ROWS), 2 * num_facts)
        logits_BV = answer_logits(model, model.words(batch.context_BT), batch.question_BQ)
        return functional.cross_entropy(logits_BV, batch.answer_B)

    def is_enough(update: int) -> bool:
        del update
        return success(model, model.words(held_out.context_BT), held_out) >= _ENOUGH

    learn(model.parameters(), loss_of, max_updates, is_enough)
    return model


def distilled(
    model: TinyModel, num_vectors: int, seed: int, max_updates: int
) -> tuple[Packer, list[tuple[int, float]]]:
    """A packer for the policy, and success of children on held-out facts while it learned."""
    torch.manual_seed(seed + 1)
    packer, generator = Packer(model, num_vectors), generator_of(seed + 1)
    held_out = draw(generator_of(-1 - seed), 500)

    def loss_of(update: int) -> Tensor:
        del update
        batch = draw(generator, _BATCH_ROWS)
        ask = partial(answer_logits, model, question_BQ=batch.question_BQ)
        return distillation_loss(model, packer, batch.context_BT, ask)

    curve = distil(
        model,
        packer,
        loss_of,
        max_updates,
        held_out_BT=held_out.context_BT,
        score_of=lambda state_BSH: success(model, state_BSH, held_out),
    )
    return packer, curve
