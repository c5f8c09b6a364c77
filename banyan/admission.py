"""Admission: from a task to the tree that the store is asked to start."""

from __future__ import annotations

from banyan.budget import Budget
from banyan.node import ROOT_PATH, Brief, Node
from banyan.ports import Admission
from banyan.state import pack
from banyan.task import Task


def admission(task: Task, new_id: str, *, fingerprint: str = "") -> Admission:
    """The tree `new_id` for `task`: its root, and a budget that is the task's limits.

    The task names its policies by their own names, not as `live`, since that moves on.

    `fingerprint` stands for the request; the same id with another one is a Conflict.
    """
    root = Node(
        path=ROOT_PATH,
        goal=task.goal,
        brief=Brief(task_goal=task.goal),
        policy=task.policy,
        inputs=task.inputs,
        expects=task.answer_schema,
    )
    limits = task.limits
    return Admission(
        tree_id=new_id,
        tenant=task.tenant,
        task=pack(task),
        root=pack(root),
        policy=task.policy,
        budget=Budget(
            tokens=limits.max_tokens, nodes=limits.max_nodes - 1, nano_usd=limits.max_nano_usd
        ),
        max_parallel=limits.max_parallel,
        deadline_s=limits.deadline_s,
        fingerprint=fingerprint,
        notifies=task.webhook is not None,
    )
