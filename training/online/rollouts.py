"""Rollouts: tasks of an environment, asked of the service and judged by the environment.

Every tree has a key of its own, made of the run, the batch, the task and its place in the group, so
that asking again after a kill finds the trees that are there. What the verifier says goes back by
the feedback path.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from banyan.adapters.trajectory_folder import SUFFIX, TREES
from banyan.client.async_sdk import AsyncClient
from banyan.client.results import SolveResult
from training.environments.text import TextTask
from training.online.errors import NotLogged
from training.online.parallel import in_parallel
from training.online.plan import Plan
from training.online.telling import Tell

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Batch:
    """Trees of one turn of the loop. `policies` are the versions that they ran on."""

    number: int
    tree_ids: tuple[str, ...]
    rewards: tuple[float, ...]
    policies: frozenset[str]
    seconds: float

    @property
    def reward(self) -> float:
        """The mean."""
        return sum(self.rewards) / len(self.rewards)


def groups_of(run_id: str, number: int) -> str:
    """How the names of a batch's groups begin."""
    return f"{run_id}/{number}/"


async def collect(client: AsyncClient, plan: Plan, run_id: str, number: int, tell: Tell) -> Batch:
    """Roll a batch out on what is live, and say how well each tree did. Raises ClientError."""
    began, tasks = time.monotonic(), plan.tasks("rollout", number * plan.num_tasks, plan.num_tasks)
    total = plan.num_tasks * plan.group_size

    async def one(group: str, task: TextTask, place: int) -> tuple[SolveResult, float]:
        result = await client.solve(
            task.goal,
            texts=[task.document],
            limits=plan.limits,
            policy=plan.policy,
            profile="rollout",
            group_id=group,
            idempotency_key=f"{group}/{place}",
        )
        reward = reward_of(task, result)
        if result.status != "cancelled":
            await client.feedback(result.id, reward, source="verifier")
        return result, reward

    work = {
        f"{name}/{place}": partial(one, groups_of(run_id, number) + name, task, place)
        for name, task in tasks.items()
        for place in range(plan.group_size)
    }
    found = await in_parallel(
        work, plan.num_parallel, lambda done: tell("rollouts", number, done, total)
    )
    return Batch(
        number=number,
        tree_ids=tuple(result.id for result, _ in found.values()),
        rewards=tuple(reward for _, reward in found.values()),
        policies=frozenset(result.policy for result, _ in found.values()),
        seconds=time.monotonic() - began,
    )


async def served_rewards(
    client: AsyncClient,
    tasks: Mapping[str, TextTask],
    plan: Plan,
    count: Callable[[int], None],
) -> dict[str, float]:
    """What callers get: each task once, as it is served, and not logged. Raises ClientError."""

    async def one(task: TextTask) -> float:
        result = await client.solve(
            task.goal, texts=[task.document], limits=plan.limits, policy=plan.policy, train=False
        )
        return reward_of(task, result)

    work = {name: partial(one, task) for name, task in tasks.items()}
    return await in_parallel(work, plan.num_parallel, count)


def reward_of(task: TextTask, result: SolveResult) -> float:
    """Of a solve; no answer earns nothing."""
    return task.verify(result.answer) if isinstance(result.answer, str) else 0.0


async def logged(log: Path, batch: Batch, *, within_s: float) -> None:
    """Return when all trees of the batch are in the log. Raises NotLogged after `within_s`."""
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + within_s
    while missing := set(batch.tree_ids) - await asyncio.to_thread(_there, log):
        if clock() >= give_up_at:
            raise NotLogged(
                f"{log}: {len(missing)} of {len(batch.tree_ids)} trees of batch {batch.number} "
                f"are not there after {within_s:.0f} s, {min(missing)} for one"
            )
        await asyncio.sleep(_POLL_S)


def _there(log: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in log.glob(f"{TREES}/*/*{SUFFIX}")}
