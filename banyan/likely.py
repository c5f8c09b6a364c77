"""Likely: a plan, corrected by how earlier trees compared with their own plans. Pure.

A plan knows the rules that agents plan by. It does not know how a policy uses them (agents that
list their children themselves divide as they like), nor the traits that are set for workers alone.
Trees that have grown show both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from banyan.estimate import COMPLETION_WEIGHT, Estimate, Plan, Ratios
from banyan.limits import Limits
from banyan.tree import Usage


def ratios(grown: Sequence[tuple[Plan, Usage]]) -> Ratios | None:
    """Of trees and the plans that were made for them; None where none of them delegated."""
    delegated = [(plan, usage) for plan, usage in grown if usage.nodes > 1 and plan.nodes > 1]
    if not delegated:
        return None

    def median(name: str) -> float:
        found: list[float] = [
            getattr(usage, name) / getattr(plan, name) for plan, usage in delegated
        ]
        return round(statistics.median(found), 4)

    return Ratios(
        llm_calls=median("llm_calls"),
        nodes=median("nodes"),
        max_depth=median("max_depth"),
        prompt_tokens=median("prompt_tokens"),
        completion_tokens=median("completion_tokens"),
        num_trees=len(delegated),
    )


def corrected(planned: Estimate, found: Ratios | None, limits: Limits) -> Estimate:
    """The estimate with what is likely, where anything was found. No tree outgrows its limits."""
    if found is None:
        return planned
    likely = _likely(planned.most, found, limits)
    return planned.model_copy(update={"likely": likely, "ratios": found})


def _likely(most: Plan, found: Ratios, limits: Limits) -> Plan:
    if most.nodes == 1:
        return most  # there is nothing to be corrected
    prompt = most.prompt_tokens * found.prompt_tokens
    completion = most.completion_tokens * found.completion_tokens
    work = prompt + COMPLETION_WEIGHT * completion
    planned_work = most.prompt_tokens + COMPLETION_WEIGHT * most.completion_tokens
    return Plan(
        llm_calls=math.ceil(most.llm_calls * found.llm_calls),
        nodes=min(limits.max_nodes, math.ceil(most.nodes * found.nodes)),
        max_depth=min(limits.max_depth, math.ceil(most.max_depth * found.max_depth)),
        prompt_tokens=math.ceil(prompt),
        completion_tokens=math.ceil(completion),
        cost_usd=most.cost_usd * (prompt + completion) / most.tokens,
        seconds=None if most.seconds is None else round(most.seconds * work / planned_work, 1),
    )
