"""Grow one tree inside this process: the same kernel, without Celery and workers.

For tests, examples and rollouts. It is the whole life of a tree in one page: admit, claim what is
ready, drive each node, take up the hints that come of it, until the root has finished.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import replace

from banyan.admission import admission
from banyan.costs import reserves
from banyan.drive import drive
from banyan.ports import Claimed, Hint, Ports, Reserve
from banyan.serving import Serving
from banyan.task import Task
from banyan.tree import TreeRecord, tree_id

_LEASE_S = 3_600.0


async def grow(
    task: Task,
    ports: Ports,
    *,
    serving: Serving | None = None,
    key: str | None = None,
    resumed: tuple[str, list[Hint]] | None = None,
) -> TreeRecord:
    """Run a tree to its end and return its record. Raises what a node's driving raises.

    `serving` are the policies (default: `base` on the engine in `ports`). `key` is the idempotency
    key of a new tree. `resumed` goes on with a tree that is there, from the hints that `resume` or
    `reap` gave.
    """
    serving = serving or Serving.only(ports.engine)
    task = task.model_copy(update={"policy": serving.policies.resolve(task.policy).version})
    team = await serving.team(task)
    if resumed is None:
        new_id = tree_id(task.tenant, key or uuid.uuid4().hex, num_shards=1)
        hints = (await ports.store.admit(admission(task, new_id))).hints
    else:
        new_id, hints = resumed
    running: set[asyncio.Task[list[Hint]]] = set()
    try:
        while hints or running:
            for claimed in await _claim([*hints], ports, reserves(team)):
                policy = serving.policies.resolve(claimed.policy)
                own = replace(ports, engine=serving.engine(policy))
                running.add(asyncio.create_task(drive(claimed, task, policy, own, team)))
            if not running:
                break
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            hints = [hint for finished in done for hint in finished.result()]
    finally:
        for unfinished in running:
            unfinished.cancel()
    return await ports.store.get_tree(new_id)


async def _claim(hints: list[Hint], ports: Ports, reserves: Mapping[str, Reserve]) -> list[Claimed]:
    """All that `hints` name, and what comes into the queue in its place."""
    claimed: list[Claimed] = []
    while hints:
        hint = hints.pop(0)
        claims = await ports.store.claim(
            hint.tree_id,
            hint.paths,
            worker="in-process",
            lease_s=_LEASE_S,
            reserves=reserves,
        )
        claimed += claims.nodes
        hints += claims.hints
    return claimed
