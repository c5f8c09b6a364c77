"""Costs: plans in money, beside those in tokens (`banyan/sizes.py`). All in nano-dollars.

A node pays its next call from what it holds, so that calls in flight are within the budget too.
Prices of prompts and of answers differ much, and so do those of who reads and who merges: plans
tell them apart, since what is planned too dearly for the first children is missing for the last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from banyan import sizes
from banyan.budget import Budget
from banyan.node import Node
from banyan.ports import Reserve
from banyan.prices import Prices
from banyan.specialists import Specialist, Team
from banyan.task import Task

_READS = 2
"""A node reads what it works on to choose a kind, and to act; at least once."""


def merge_reserve(node: Node, children: Sequence[Node], own: Specialist, budget: Budget) -> int:
    """What a parent keeps back so that it can combine its children's results; at most half.

    Enough for one call: what children leave over comes back before it is made.
    """
    results = sum(child.answer_tokens for child in children)
    return min(_merge(node, results, own), budget.nano_usd // 2)


def subtree(child: Node, own: Specialist, reader: Specialist, *, bare: bool = False) -> int:
    """What a child and all below it will spend, estimated on the high side.

    `own` is what it runs on; `reader` what reads the text, which may be another (`leaves`). `bare`:
    what is needed where everything is read once and no delegation has to be written.
    """
    leaves = sizes.num_leaves_below(child, reader.window)
    reads = 1 if bare else _READS
    prompts = reads * (sizes.input_tokens(child) + leaves * sizes.FRAME_TOKENS)
    answers = leaves * sizes.generation_tokens(child, plain=False)
    reading = reader.policy.prices.at_most(prompts, answers)
    if leaves == 1:
        return reading
    fan_out = min(sizes.MAX_FAN_OUT, max(2, own.window // (2 * child.answer_tokens + 1)))
    num_merges = math.ceil((leaves - 1) / (fan_out - 1))
    results = min(leaves, fan_out) * child.answer_tokens
    delegating = own.policy.prices.at_most(
        _READS * sizes.FRAME_TOKENS, sizes.delegate_tokens(own.window, lists=False)
    )
    each = _merge(child, results, own) + (0 if bare else delegating)
    return reading + num_merges * each


def allow_children(
    task: Task, window: int, budget: Budget, prices: Prices, child_prices: Prices
) -> bool:
    """Whether money allows at least two children and a merge; always where it is not limited."""
    if not task.limits.has_price:
        return True
    smallest = sizes.SMALLEST_PROMPT_TOKENS
    merge = prices.at_most(min(smallest, window), 0)
    return budget.nano_usd >= merge + child_prices.at_most(2 * smallest, 0)


def suffice(task: Task, budget: Budget, cost: int) -> bool:
    """Whether a node can pay for a call that costs at most `cost`."""
    return not task.limits.has_price or cost <= budget.nano_usd


def reserves(team: Team) -> dict[str, Reserve]:
    """The most that one turn can spend on each policy."""
    tokens = {name: sizes.turn_reserve(one.window) for name, one in team.items()}
    return {
        name: Reserve(tokens[name], one.policy.prices.of_tokens(tokens[name]))
        for name, one in team.items()
    }


def _merge(node: Node, result_tokens: int, own: Specialist) -> int:
    """One call that combines results. They stand in the window or are divided again."""
    prompt = min(own.window, sizes.FRAME_TOKENS + result_tokens)
    return own.policy.prices.at_most(prompt, sizes.generation_tokens(node, plain=False))
