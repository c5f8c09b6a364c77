"""Acting: one turn of many nodes at once: the gate's choice of a kind, then the words after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from banyan import gate
from banyan.action import Kind
from banyan.node import Decision
from banyan.task import Gate, GateMode
from training.environments.environment import Goal, Words
from training.tiny.policy import TinyPolicy
from training.tiny.sampler import Row, Sampler
from training.tiny.vocabulary import Ids, kind_id


@dataclass(frozen=True, slots=True)
class Style:
    """How a policy acts. `is_greedy`: the words are the likeliest ones, and no samples."""

    mode: GateMode = "sampled"
    is_greedy: bool = False


@dataclass(slots=True)
class Acted:
    """One action, and what `Turn` keeps of it."""

    kind: Kind
    prompt: Ids
    decision: Decision
    words: Words = ()
    completion: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    allowed: list[Ids] = field(default_factory=list)
    is_sample: list[bool] = field(default_factory=list)

    def append(self, token: int, logprob: float, allowed: Ids, *, is_sample: bool) -> None:
        self.completion.append(token)
        self.logprobs.append(logprob)
        self.allowed.append(allowed)
        self.is_sample.append(is_sample)


@dataclass(slots=True)
class Actor:
    """A policy that acts in one style, and what it has computed so far."""

    policy: TinyPolicy
    style: Style
    random: np.random.Generator
    sampler: Sampler = field(init=False)

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.policy.model)

    def act(self, goals: Sequence[Goal], may_open: Sequence[bool]) -> list[Acted]:
        """An action for each goal. `may_open[N]`: where the limits allow to divide the goal."""
        acted = self._choose(goals, may_open)
        vocabulary = self.policy.vocabulary
        pending = list(zip(goals, acted, strict=True))
        while pending:
            offered = [goal.choices(one.kind, one.words) for goal, one in pending]
            pending = [pair for pair, words in zip(pending, offered, strict=True) if words]
            offered = [words for words in offered if words]
            prefixes = [(*one.prompt, *one.completion) for _, one in pending]
            rows = self.sampler.logprobs(prefixes)
            draws = self.random.random(len(pending)).tolist()
            for (_, one), words, row, draw in zip(pending, offered, rows, draws, strict=True):
                ids = vocabulary.ids(words)
                place, logprob = _word(row, ids, draw, is_greedy=self.style.is_greedy)
                is_sample = len(ids) > 1 and not self.style.is_greedy
                one.append(ids[place], logprob, ids, is_sample=is_sample)
                one.words = (*one.words, words[place])
        return acted

    def _choose(self, goals: Sequence[Goal], may_open: Sequence[bool]) -> list[Acted]:
        """The kinds, without words yet."""
        policy, tau = self.policy, self.policy.tau.item()
        prompts = [policy.vocabulary.prompt(goal.observe(policy.num_view_tokens)) for goal in goals]
        rows = self.sampler.logprobs(prompts)
        draws = self.random.random(len(goals)).tolist()
        acted = []
        for goal, prompt, row, may, draw in zip(goals, prompts, rows, may_open, draws, strict=True):
            kinds = _possible(goal.kinds(), policy.opens, self.style.mode, may_open=may)
            raw = {kind: float(row[kind_id(kind)]) for kind in kinds}
            one = Acted(
                kinds[0], prompt, Decision(kind=kinds[0], mode=self.style.mode, forced=True)
            )
            allowed = tuple(kind_id(kind) for kind in kinds)
            if len(kinds) > 1:
                one.decision, logprob = _decided(raw, policy.opens, self.style.mode, tau, draw=draw)
                one.kind = one.decision.kind or kinds[0]
                is_sample = self.style.mode == "sampled"
                one.append(kind_id(one.kind), logprob, allowed, is_sample=is_sample)
            else:
                one.append(allowed[0], 0.0, allowed, is_sample=False)
            acted.append(one)
        return acted


def _possible(
    kinds: tuple[Kind, ...], opens: Kind, mode: GateMode, *, may_open: bool
) -> tuple[Kind, ...]:
    """What is left under the limits and the gate's mode."""
    if opens not in kinds:
        return kinds
    if not may_open or mode == "never":
        return tuple(kind for kind in kinds if kind != opens)
    return (opens,) if mode == "always" else kinds


def _decided(
    raw: dict[Kind, float], opens: Kind, mode: GateMode, tau: float, *, draw: float
) -> tuple[Decision, float]:
    """The kernel's gate decides; what opens a goal stands there under the name `delegate`.

    With `tau` taken off its log-probability, the gate's draw opens with `sigmoid(score - tau)`.
    Returns the decision and the log-probability of its kind.
    """
    named = {_swapped(kind, opens): value for kind, value in raw.items()}
    score = gate.delegation_score(named) if "delegate" in named else None
    if score is not None and mode == "sampled":
        named["delegate"] -= tau
    decided = gate.decide(named, Gate(mode=mode), tau, draw)
    name = decided.kind or "answer"
    logprob = named[name] - _logsumexp(list(named.values()))
    update = {"kind": _swapped(name, opens), "score": score, "logprobs": dict(raw)}
    return decided.model_copy(update=update), logprob


def _swapped(kind: Kind, opens: Kind) -> Kind:
    """`opens` and `delegate` change names; every other kind keeps its own."""
    if kind == opens:
        return "delegate"
    return opens if kind == "delegate" else kind


def _word(row: Row, ids: Ids, draw: float, *, is_greedy: bool) -> tuple[int, float]:
    """The place of the word among `ids`, and its log-probability among them."""
    values = row[list(ids)].tolist()
    total = _logsumexp(values)
    if is_greedy:
        place = max(range(len(ids)), key=values.__getitem__)
        return place, values[place] - total
    place = 0
    remaining = draw - math.exp(values[0] - total)
    while remaining >= 0 and place + 1 < len(ids):
        place += 1
        remaining -= math.exp(values[place] - total)
    return place, values[place] - total


def _logsumexp(values: list[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))
