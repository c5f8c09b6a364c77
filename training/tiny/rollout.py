"""Rollout: trees that a policy grows, many at once, with what they spend counted over all nodes.

Nodes act in waves: everything that can run at once does. Where children share a world, they run
one after another, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.environments.environment import Environment
from training.environments.in_sequence import InSequence
from training.tiny.acting import Acted, Actor
from training.tiny.nodes import Node, Tree, Turn

MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class TaskId:
    """`generate(seed, difficulty)` makes the task."""

    seed: int
    difficulty: int


def plant(
    environment: Environment, task: TaskId, tree_id: str, group_id: str, *, alone: bool
) -> Tree:
    """A tree with its root. The budget is the same for agents that are alone."""
    tree = Tree(tree_id, group_id, task.difficulty, environment.max_steps(task.difficulty))
    goal = environment.generate(task.seed, task.difficulty)
    tree.plant(InSequence(goal) if alone else goal)
    return tree


def grow(environment: Environment, actor: Actor, trees: Sequence[Tree]) -> None:
    """Run the trees to their ends: roots that answered, or budgets that ran out."""
    active = [tree.root for tree in trees]
    while active:
        for tree in {id(node.tree): node.tree for node in active}.values():
            tree.num_waves += 1
        funded = [node for node in active if _spend(node.tree)]
        may_open = [node.depth < MAX_DEPTH for node in funded]
        acted = actor.act([node.goal for node in funded], may_open)
        active = [
            following
            for node, one in zip(funded, acted, strict=True)
            for following in _apply(node, one, shares_state=environment.shares_state)
        ]


def _spend(tree: Tree) -> bool:
    if tree.steps_left == 0:
        return False
    tree.steps_left -= 1
    tree.num_steps += 1
    return True


def _apply(node: Node, acted: Acted, *, shares_state: bool) -> list[Node]:
    """Let the action take effect; the nodes that go on because of it."""
    node.turns.append(
        Turn(
            prompt=acted.prompt,
            completion=tuple(acted.completion),
            logprobs=tuple(acted.logprobs),
            allowed=tuple(acted.allowed),
            is_sample=tuple(acted.is_sample),
            decision=acted.decision,
        )
    )
    goal, words = node.goal, acted.words
    match acted.kind:
        case "answer":
            node.answer = words
            node.outcome = "ok"
            node.success = goal.verify(words)
            return _after(node, shares_state=shares_state)
        case "delegate":
            children = node.tree.branch(node, list(goal.parts(words)))
            return children[:1] if shares_state else children
        case "use":
            goal.use(words)
        case _:
            if not isinstance(goal, InSequence):
                raise TypeError(f"{acted.kind} is for an agent that is alone")
            (goal.read if acted.kind == "read" else goal.note)(words)
    return [node]


def _after(child: Node, *, shares_state: bool) -> list[Node]:
    """The next sibling where they take turns; the parent after the last one."""
    parent = child.parent
    if parent is None:
        return []
    open_ = [sibling for sibling in parent.children if sibling.outcome != "ok"]
    if open_:
        return open_[:1] if shares_state else []
    parent.goal.merge([sibling.answer for sibling in parent.children])
    return [parent]
