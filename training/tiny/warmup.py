"""Warm-up: the base skills, supervised, before any reward; the gate stays even.

Small goals are solved, with label smoothing over what is allowed. At goals of every size that can
be divided the kind is taught to open the goal with a chance of a half, and to be any of the others
with the same chance: the score begins at the threshold, and whether to divide is left to RL.

It ends at the first update that reaches the target, not after a number of updates: agents whose
rows differ learn at different rates, and what RL brings is compared from the same base skill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from banyan.action import Kind
from training.environments.environment import Environment, Goal
from training.environments.in_sequence import InSequence
from training.tiny.base_skill import Exam, gold_words
from training.tiny.model import padded
from training.tiny.nested import nested
from training.tiny.policy import TinyPolicy
from training.tiny.vocabulary import PAD, Ids, kind_id

_EXCLUDED = -1e9
_GROUP_ROWS = 64
FIRST_SEED = 1_000_000_000
"""Seeds of the warm-up's tasks begin here, apart from those of training and evaluation."""


@dataclass(frozen=True, slots=True)
class WarmupSettings:
    max_updates: int = 2_000
    enough_skill: float = 0.95
    """Where the warm-up ends: the share of small goals that are solved. The rest is left to RL."""
    look_every: int = 20
    """Updates between looks at the skill, until it is `close` to enough: then after every one."""
    close: float = 0.1
    num_solved: int = 128
    """Goals that are solved in one update."""
    num_shown: int = 32
    """Goals of any size in one update."""
    learning_rate: float = 4e-3
    label_smoothing: float = 0.05
    skill_difficulty: int = 1
    """Goals of this difficulty are solved."""
    shown_difficulties: tuple[int, ...] = (1, 2, 3, 4)
    """At goals of these, to open them is as good as not to."""


@dataclass(frozen=True, slots=True)
class _Example:
    """A prefix, what may follow it, and how likely each of these should be."""

    prefix: Ids
    allowed: Ids
    wanted: tuple[float, ...]


def warm_up(
    environment: Environment,
    policy: TinyPolicy,
    settings: WarmupSettings,
    seed: int,
    tell: Callable[[int], None] = lambda _: None,
) -> float:
    """Teach the policy; return its base skill, which is `enough_skill` or little above it.

    It is below where `max_updates` ended the warm-up.
    """
    random = np.random.default_rng([seed, 1])
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=settings.learning_rate)
    exam = Exam(environment, policy, settings.skill_difficulty)
    skill, is_close = 0.0, False
    for update in range(1, settings.max_updates + 1):
        loss = _cross_entropy(policy, _examples(environment, policy, settings, random))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        tell(update)
        if is_close or update % settings.look_every == 0 or update == settings.max_updates:
            skill = exam.skill(policy)
            is_close = skill >= settings.enough_skill - settings.close
            if skill >= settings.enough_skill:
                break
    return skill


def _examples(
    environment: Environment,
    policy: TinyPolicy,
    settings: WarmupSettings,
    random: np.random.Generator,
) -> list[_Example]:
    examples = []
    for _ in range(settings.num_solved):
        goal = environment.generate(_task_seed(random), settings.skill_difficulty)
        for prefix, allowed, token in gold_words(policy, goal):
            rest = settings.label_smoothing / len(allowed)
            wanted = [rest + (1.0 - settings.label_smoothing) * (one == token) for one in allowed]
            examples.append(_Example(prefix, allowed, tuple(wanted)))
    for number in range(settings.num_shown):
        difficulty = int(random.choice(settings.shown_difficulties))
        goal = environment.generate(_task_seed(random), difficulty)
        if "delegate" in goal.kinds() or len(goal.kinds()) == 1:
            examples.append(_even(policy, goal, is_noted=policy.is_alone and number % 2 == 1))
    return examples


def _even(policy: TinyPolicy, goal: Goal, *, is_noted: bool) -> _Example:
    """To open or not; for an agent that is alone, an open part (`is_noted`) or the whole."""
    kinds = InSequence(goal).kinds() if policy.is_alone else goal.kinds()
    if is_noted:
        kinds = tuple("note" if kind == "answer" else kind for kind in kinds)
    prefix = policy.vocabulary.prompt(goal.observe(policy.num_view_tokens))
    return _Example(prefix, tuple(map(kind_id, kinds)), even_chances(kinds, policy.opens))


def even_chances(kinds: Sequence[Kind], opens: Kind) -> tuple[float, ...]:
    """Of each kind: a half for `opens`, so that its score is 0, and what is left for the others."""
    if opens not in kinds or len(kinds) == 1:
        return (1.0 / len(kinds),) * len(kinds)
    return tuple(0.5 if kind == opens else 0.5 / (len(kinds) - 1) for kind in kinds)


def _cross_entropy(policy: TinyPolicy, examples: Sequence[_Example]) -> Tensor:
    """The mean over examples. Rows of like length are computed together."""
    rows, places = nested([one.prefix for one in examples])
    total = torch.zeros(())
    for start in range(0, len(rows), _GROUP_ROWS):
        group = [
            (row - start, last, one)
            for (row, last), one in zip(places, examples, strict=True)
            if start <= row < start + _GROUP_ROWS
        ]
        logits_BTV = policy.model(padded(rows[start : start + _GROUP_ROWS], PAD))
        row_E, last_E = (torch.tensor(numbers) for numbers in list(zip(*group, strict=True))[:2])
        total = total + _summed(logits_BTV[row_E, last_E], [one for _, _, one in group])
    return total / len(examples)


def _summed(logits_EV: Tensor, examples: Sequence[_Example]) -> Tensor:
    """Of E examples."""
    wanted_EV = torch.zeros_like(logits_EV)
    rows = [row for row, one in enumerate(examples) for _ in one.allowed]
    columns = [token for one in examples for token in one.allowed]
    values = [value for one in examples for value in one.wanted]
    wanted_EV[rows, columns] = torch.tensor(values)
    masked_EV = logits_EV.masked_fill(wanted_EV == 0, _EXCLUDED)
    loss: Tensor = -(wanted_EV * masked_EV.log_softmax(dim=-1)).sum()
    return loss


def _task_seed(random: np.random.Generator) -> int:
    return FIRST_SEED + int(random.integers(FIRST_SEED))
