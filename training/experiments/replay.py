"""Replay: recorded trees run again by a small scheduler, to see what more workers would bring.

A step is one action of one node. It waits for the node's step before it; a node's first step for
its parent's division; the parent's next step for the last steps of all its children; and where the
children share a world, each child for the one before it.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass

from training.tiny.model import TinyModel
from training.tiny.nodes import Node, Tree, Turn
from training.tiny.sampler import Sampler

_NUM_TIMINGS = 3
"""Of each step; the shortest counts, which other programs disturbed least."""


@dataclass(frozen=True, slots=True)
class Step:
    after: tuple[int, ...]
    """Places of the steps that have to end before."""
    duration_s: float
    num_passes: int
    """Forward passes of the model, with the prompt's."""


def steps_of(tree: Tree, model: TinyModel, *, shares_state: bool) -> list[Step]:
    """Of a tree that ended, each step timed anew, alone. Raises ValueError for other trees."""
    if tree.root.outcome != "ok":
        raise ValueError(f"tree {tree.id} has not ended")
    steps: list[Step] = []
    _add(tree.root, (), steps, model, shares_state=shares_state)
    return steps


def _add(
    node: Node, after: tuple[int, ...], steps: list[Step], model: TinyModel, *, shares_state: bool
) -> int:
    """Append the node's steps and those below it; the place of its last step."""
    if node.num_children != len(node.children):
        raise ValueError(f"node {node.id} divided more than once")
    last = -1
    for turn in node.turns:
        steps.append(_timed(turn, after, model))
        last = len(steps) - 1
        after = (last,)
        if turn.decision.kind == "delegate":
            ends: list[int] = []
            for child in node.children:
                waits = (ends[-1],) if shares_state and ends else after
                ends.append(_add(child, waits, steps, model, shares_state=shares_state))
            after = tuple(ends)
    return last


def _timed(turn: Turn, after: tuple[int, ...], model: TinyModel) -> Step:
    """A pass for the kind, forced or not, since a step reads its view; and one for each word."""
    prefixes = [(*turn.prompt, *turn.completion[:place]) for place in range(len(turn.completion))]
    durations = []
    for _ in range(_NUM_TIMINGS):
        began = time.perf_counter()
        for prefix in prefixes:
            Sampler(model).logprobs([prefix])
        durations.append(time.perf_counter() - began)
    return Step(after, min(durations), len(prefixes))


def wall_s(steps: Sequence[Step], num_workers: int) -> float:
    """When the last step ends, if each worker takes the step that has been ready for longest."""
    followers: list[list[int]] = [[] for _ in steps]
    num_waiting = [len(step.after) for step in steps]
    for place, step in enumerate(steps):
        for before in step.after:
            followers[before].append(place)
    ready = [(0.0, place) for place, step in enumerate(steps) if not step.after]
    free_at = [0.0] * num_workers
    ends = [0.0] * len(steps)
    while ready:
        since, place = heapq.heappop(ready)
        ends[place] = max(since, heapq.heappop(free_at)) + steps[place].duration_s
        heapq.heappush(free_at, ends[place])
        for follower in followers[place]:
            num_waiting[follower] -= 1
            if not num_waiting[follower]:
                at = max(ends[before] for before in steps[follower].after)
                heapq.heappush(ready, (at, follower))
    return max(ends)
