"""State text: a parent has read how a text begins, its child goes on with it: bits per token.

The text is `language_source.py`'s: its beginning says the rules that its sections follow, so that a
child who knows the beginning predicts a section better. Policy and packer learn as in
`state_task.py`; the policy sees from none to all of the words, from the front.
Axes: B texts, S places of the state, C tokens of the continuation, H width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from training.environments.language_source import LanguageSource, bits_per_token
from training.experiments.state_learning import distil, learn
from training.tiny.model import ModelSize, TinyModel
from training.tiny.packer import Packer, distillation_loss

SOURCE = LanguageSource(num_rules=2, num_section_letters=10, noise=0.05, num_letters=6)
NUM_BEGINNING_TOKENS = SOURCE.num_rule_tokens
_NUM_TOKENS = NUM_BEGINNING_TOKENS + 2 + SOURCE.num_section_letters
_BATCH_TEXTS = 64
_IDS = {word: place for place, word in enumerate(SOURCE.vocabulary)}
_HELD_OUT = 1_000_000_000
"""Seeds of texts that are measured on begin here."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the parent read, what the child goes on with, and the source's own bits for that."""

    beginning_BS: Tensor
    section_BC: Tensor
    ideal_bits: float


def texts(first_seed: int, count: int) -> Texts:
    """Texts of `count` seeds, with one section each."""
    found = [SOURCE.text(first_seed + number, _NUM_TOKENS) for number in range(count)]
    ids_BT = torch.tensor([[_IDS[word] for word in text.words] for text in found])
    logprobs = [
        math.log(value) for text in found for value in text.probabilities[NUM_BEGINNING_TOKENS:]
    ]
    return Texts(
        ids_BT[:, :NUM_BEGINNING_TOKENS], ids_BT[:, NUM_BEGINNING_TOKENS:], bits_per_token(logprobs)
    )


def held_out(seed: int, count: int = 500) -> Texts:
    """Texts that no policy and no packer learns from."""
    return texts(_HELD_OUT + seed * count, count)


def section_logits(model: TinyModel, state_BSH: Tensor, section_BC: Tensor) -> Tensor:
    """Float[B, C - 1, V]: each word of the section but the first, behind a state."""
    embeds = torch.cat([state_BSH, model.words(section_BC[:, :-1])], dim=1)
    logits: Tensor = model.head(model.hidden(embeds)[:, state_BSH.shape[1] :])
    return logits


def bits(model: TinyModel, state_BSH: Tensor, of: Texts) -> float:
    """Per token of the sections. Their first word is the same in all, and costs nothing."""
    with torch.inference_mode():
        nats: float = _cross_entropy(model, state_BSH, of.section_BC).item()
    num_tokens = int(of.section_BC.shape[1])
    return nats * (num_tokens - 1) / num_tokens / math.log(2)


def text_taught(size: ModelSize, seed: int, num_updates: int) -> TinyModel:
    """A policy that goes on with a text, whatever part of its beginning stands in its prompt."""
    torch.manual_seed(seed)
    model = TinyModel(len(_IDS), size)

    def loss_of(update: int) -> Tensor:
        batch = _batch(seed, update - 1)
        num_words = int(torch.randint(0, NUM_BEGINNING_TOKENS + 1, ()))
        shown = num_words if update % 2 else NUM_BEGINNING_TOKENS
        return _cross_entropy(model, model.words(batch.beginning_BS[:, :shown]), batch.section_BC)

    learn(model.parameters(), loss_of, num_updates)
    return model


def text_distilled(
    model: TinyModel, num_vectors: int, seed: int, num_updates: int
) -> tuple[Packer, list[tuple[int, float]]]:
    """A packer, and bits per token of held-out sections while it learned."""
    torch.manual_seed(seed + 1)
    packer, measured = Packer(model, num_vectors), held_out(seed)

    def loss_of(update: int) -> Tensor:
        batch = _batch(seed, num_updates + update)
        go_on = partial(section_logits, model, section_BC=batch.section_BC)
        return distillation_loss(model, packer, batch.beginning_BS, go_on)

    curve = distil(
        model,
        packer,
        loss_of,
        num_updates,
        held_out_BT=measured.beginning_BS,
        score_of=lambda state_BSH: bits(model, state_BSH, measured),
    )
    return packer, curve


def _batch(seed: int, update: int) -> Texts:
    return texts((seed * 100_000 + update) * _BATCH_TEXTS, _BATCH_TEXTS)


def _cross_entropy(model: TinyModel, state_BSH: Tensor, section_BC: Tensor) -> Tensor:
    """Nats a token of the section's words but the first."""
    logits = section_logits(model, state_BSH, section_BC)
    return functional.cross_entropy(logits.flatten(0, 1), section_BC[:, 1:].flatten())
