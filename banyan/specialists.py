"""Specialists: which policy a child runs on. Pure.

The root runs on the task's `policy`. A child runs on what its parent names, where the task leaves
a choice; else on its parent's policy, or where the task does not allow that one to descendants, on
the first that it allows.

With the task's `leaves` (and then without `policies`) nobody chooses: inputs that fit the window of
this policy are read by it, and a part that does not fit is divided further, unread, by the policy
of its parent. So the root and all merges stay on the task's `policy`, and all that the root hands
out is read by `leaves`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from banyan.errors import InvalidAction
from banyan.node import Node
from banyan.policy import Policy
from banyan.task import Task


@dataclass(frozen=True, slots=True)
class Specialist:
    """A policy, and the window of its engine in tokens."""

    policy: Policy
    window: int


Team = Mapping[str, Specialist]
"""The policies that a tree may run on, by name."""


def names(task: Task) -> tuple[str, ...]:
    """Every policy that a node of the task may run on; the root's first."""
    leaves = () if task.leaves is None else (task.leaves,)
    return tuple(dict.fromkeys((task.policy, *task.policies, *leaves)))


def offered(task: Task) -> tuple[str, ...]:
    """What agents may choose from for their children; empty where there is no choice."""
    return task.policies if len(task.policies) > 1 else ()


def abouts(task: Task, team: Team) -> dict[str, str]:
    """The policies on offer, with what is said about each."""
    return {name: team[name].policy.about for name in offered(task)}


def of_child(node: Node, task: Task, named: str | None) -> str:
    """The policy of a child that is no leaf. Raises InvalidAction for a name that is not on offer.

    A choice that was offered and not taken is the usual one.
    """
    if named is not None:
        choice = offered(task)
        if named not in choice:
            raise InvalidAction(f"policy: one of {', '.join(choice) or 'none'}")
        return named
    stays = not task.policies or node.policy in task.policies
    return node.policy if stays else task.policies[0]


def leaves_of(node: Node, task: Task) -> str | None:
    """The policy that reads what fits it, where children of `node` are leaves at all.

    Parts of results that are divided again are merges, which stay where they are.
    """
    return None if node.divided is not None else task.leaves


def reads(node: Node, task: Task, named: str | None) -> str:
    """The policy for whose window the parts of `node` are planned."""
    return leaves_of(node, task) or of_child(node, task, named)


def must_divide(node: Node, task: Task) -> bool:
    """Whether the node is a part that is too long for `leaves`, and there to be divided only."""
    return (
        task.leaves not in {None, node.policy}
        and node.is_part
        and node.overflow
        and node.divided is None
    )
