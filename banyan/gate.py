"""Gate: which kinds of action are possible, and which one it is.

The delegation score is `logP(delegate) - logsumexp(logP of the other allowed kinds)`, in nats, at
temperature 1, where the action's kind is chosen (RAO section 1). Modes: `threshold` delegates
where the score is above the threshold; `sampled` draws from the policy's own distribution over the
allowed kinds; `always` and `never` do what they say wherever that is possible. Where only one kind
is left the decision is forced and has no score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from banyan.action import Kind
from banyan.node import Decision
from banyan.policy import Policy
from banyan.task import Gate


@dataclass(frozen=True, slots=True)
class Situation:
    """What the masks depend on."""

    shows_all: bool
    """Everything that the node works on stands in the prompt."""
    has_seen: bool
    """Something was read or found that an answer could rest on, or there is nothing to read."""
    may_delegate: bool
    """Depth, nodes, tokens and the size of the inputs allow children."""
    share_found: float | None = None
    """How much of what the goal's words weigh stands in the places that are shown; in [0, 1]."""
    has_unread: bool = True
    """Some of the inputs was not yet read."""
    has_tools: bool = False
    is_part: bool = False
    """A part of an input that was divided such that its parts fit."""
    out_of_turns: bool = False
    must_divide: bool = False
    """A part that is too long for the policy that reads, see `banyan/specialists.py`."""


def allowed(situation: Situation, gate: Gate, policy: Policy) -> tuple[Kind, ...]:
    """The kinds that are possible in this turn, in the order of their letters; never empty."""
    if situation.out_of_turns:
        return ("answer",)
    if situation.is_part and situation.shows_all and not asks_of_parts(gate, policy):
        return ("answer",)
    explore: list[Kind] = []
    if not situation.shows_all:
        possible: dict[Kind, bool] = {
            "read": situation.has_unread,
            "search": True,
            "note": situation.has_seen,
        }
        explore = [kind for kind, is_possible in possible.items() if is_possible]
        explore = [kind for kind in explore if kind in policy.kinds]
    if situation.has_tools:
        explore.append("use")
    delegate = situation.may_delegate and gate.mode != "never"
    if delegate and gate.mode == "always":
        return ("delegate",)
    if delegate and situation.must_divide:
        return ("delegate",)
    answer = situation.shows_all or situation.has_seen
    kinds: list[Kind] = []
    if answer:
        kinds.append("answer")
    if delegate:
        kinds.append("delegate")
    return (*kinds, *explore) or ("read",)


def asks_of_parts(gate: Gate, policy: Policy) -> bool:
    """Whether parts that fit may be divided again; a threshold of the request's own asks for it."""
    if gate.mode != "threshold":
        return True
    return policy.briefs and (policy.gates_parts or gate.threshold is not None)


def delegation_score(logprobs: Mapping[Kind, float]) -> float:
    """`logP(delegate) - logsumexp(others)`, nats; `logprobs` need not be normalised."""
    others = [value for kind, value in logprobs.items() if kind != "delegate"]
    top = max(others)
    return logprobs["delegate"] - top - math.log(sum(math.exp(value - top) for value in others))


def threshold_for(situation: Situation, gate: Gate, policy: Policy) -> float:
    """The threshold in nats: the request's, else the policy's for inputs of this size.

    Where the inputs do not fit and the goal's words were found in a few places of them, to read all
    has to earn its cost.
    """
    if gate.threshold is not None:
        return gate.threshold
    if situation.shows_all:
        return policy.threshold
    if situation.share_found is None:
        return policy.threshold_overflow
    return policy.threshold_overflow + policy.found_weight * (
        situation.share_found - policy.found_enough
    )


def forced(kind: Kind, gate: Gate) -> Decision:
    """The decision where there was nothing to choose."""
    return Decision(kind=kind, mode=gate.mode, forced=True)


def decide(logprobs: Mapping[Kind, float], gate: Gate, threshold: float, draw: float) -> Decision:
    """Choose a kind by the log-probabilities of all allowed ones.

    `draw` is uniform in [0, 1) and is used by `sampled` alone. Under `threshold`, where the score
    does not reach it, the likeliest other kind is taken. Ties go to the earlier letter.
    """
    score = delegation_score(logprobs) if "delegate" in logprobs else None
    if gate.mode == "sampled":
        kind = _draw(logprobs, draw)
    elif score is not None and score > threshold:
        kind = "delegate"
    else:
        others = [kind for kind in logprobs if kind != "delegate"]
        kind = max(others, key=lambda kind: logprobs[kind])
    return Decision(
        kind=kind,
        mode=gate.mode,
        forced=False,
        score=score,
        threshold=threshold,
        logprobs=dict(logprobs),
    )


def without_scores(
    kinds: Sequence[Kind], situation: Situation, gate: Gate, policy: Policy
) -> Decision:
    """The threshold gate on an engine without log-probabilities: the window decides.

    What fits is answered, and so is what a few places tell; else the inputs are divided, or read to
    their end where they cannot be.
    """
    wishes: tuple[Kind, ...] = ("delegate", "read", "answer")
    if situation.shows_all or (situation.share_found or 0.0) > policy.found_enough:
        wishes = ("answer", *wishes)
    return forced(next((kind for kind in wishes if kind in kinds), kinds[0]), gate)


def _draw(logprobs: Mapping[Kind, float], draw: float) -> Kind:
    top = max(logprobs.values())
    weights = {kind: math.exp(value - top) for kind, value in logprobs.items()}
    remaining = draw * sum(weights.values())
    for kind, weight in weights.items():
        remaining -= weight
        if remaining < 0:
            return kind
    return kind
