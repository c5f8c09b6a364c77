"""Nodes: trees of agents as rollouts grow them, and their turns as they were sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from banyan.node import ROOT_PATH, Decision, child_path
from training.environments.environment import Goal, Words
from training.tiny.vocabulary import Ids

Outcome = Literal["ok", "over_budget"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One action. C tokens: its kind, and the words after it.

    `logprobs[C]` are those of the behaviour, in nats, masked: among the `allowed[C]` ids at each
    place. The kind's is that of the gate, `sigmoid(score - tau)` and so on (RAO section 1).
    """

    prompt: Ids
    completion: Ids
    logprobs: tuple[float, ...]
    allowed: tuple[Ids, ...]
    is_sample: tuple[bool, ...]
    """Where the policy had a choice and drew from it; the others do not train."""
    decision: Decision


@dataclass(slots=True, eq=False)
class Node:
    tree: Tree
    id: str
    parent: Node | None
    depth: int
    goal: Goal
    turns: list[Turn] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    """Of the division that it waits for, or waited for last."""
    num_children: int = 0
    """Of all its divisions."""
    answer: Words | None = None
    outcome: Outcome = "over_budget"
    success: float = 0.0


@dataclass(slots=True, eq=False)
class Tree:
    """One rollout. Trees of one group are rollouts of one task."""

    id: str
    group_id: str
    difficulty: int
    steps_left: int
    nodes: list[Node] = field(default_factory=list)
    num_steps: int = 0
    """Actions of all nodes together."""
    num_waves: int = 0
    """Steps one after another, if everything that could run at once did."""

    @property
    def root(self) -> Node:
        return self.nodes[0]

    def plant(self, goal: Goal) -> Node:
        return self._add(ROOT_PATH, None, 0, goal)

    def branch(self, parent: Node, goals: list[Goal]) -> list[Node]:
        children = [
            self._add(
                child_path(parent.id, parent.num_children + place), parent, parent.depth + 1, goal
            )
            for place, goal in enumerate(goals)
        ]
        parent.num_children += len(children)
        parent.children = children
        return children

    def _add(self, node_id: str, parent: Node | None, depth: int, goal: Goal) -> Node:
        node = Node(self, node_id, parent, depth, goal)
        self.nodes.append(node)
        return node


def turns_of(trees: list[Tree]) -> Iterator[tuple[Node, Turn]]:
    for tree in trees:
        for node in tree.nodes:
            for turn in node.turns:
                yield node, turn
