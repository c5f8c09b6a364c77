"""Runner: claims nodes, drives each on one event loop, and sends on the hints that come of it.

A node takes a slot only while it runs: a parent that waits for its children is packed and put away
in the store, so a pool of any size finishes a tree of any depth. Nothing here is remembered that
the store does not know: a killed runner costs the calls that were in flight.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from banyan import signals, specialists
from banyan.adapters.lru import Lru
from banyan.adapters.observed_store import wake_of
from banyan.adapters.served_versions import ServedVersions
from banyan.costs import reserves
from banyan.drive import drive
from banyan.errors import (
    BanyanError,
    EngineError,
    ForeignVersion,
    StaleLease,
    StoreUnavailable,
    UnknownPolicy,
)
from banyan.node import Failure, Outcome
from banyan.ports import Claimed, Hint, Lease, Metrics, Ports, Queue, Traces
from banyan.ports.traces import Attribute, Span
from banyan.serving import Serving
from banyan.specialists import Team
from banyan.state import unpack
from banyan.task import Task
from workers.leases import LeaseKeeper
from workers.slots import Slots

log = structlog.get_logger(__name__)

R = TypeVar("R")

_TASKS_REMEMBERED = 256
_HAND_BACK_S = 5.0
"""Of the grace after SIGTERM: a store that does not answer by then finds the leases expired."""
_FOREIGN_PAUSE_S = 1.0
"""Before a node of another release is handed back, so that workers do not keep tossing it."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    """A tree's task and policies; no policies where one of them is not served here."""

    task: Task
    team: Team


class Runner:
    """Runs the nodes of one worker process. All methods belong to the event loop that made it."""

    def __init__(
        self,
        name: str,
        ports: Ports,
        serving: Serving,
        queue: Queue,
        leases: LeaseKeeper,
        *,
        versions: ServedVersions,
        num_slots: int,
        metrics: Metrics,
        traces: Traces,
    ) -> None:
        self._name = name
        self._ports = ports
        self._serving = serving
        self._versions = versions
        self._queue = queue
        self._leases = leases
        self._slots = Slots(num_slots)
        self._metrics = metrics
        self._traces = traces
        metrics.put(signals.SLOTS, num_slots)
        self._assignments: Lru[str, _Assignment] = Lru(_TASKS_REMEMBERED)
        self._running: dict[Lease, asyncio.Task[None]] = {}
        self._starting: set[asyncio.Task[Any]] = set()
        self._draining = False

    async def look(self, tree_id: str, paths: Sequence[str]) -> None:
        """Claim and start those of `paths` that are ready; return once each has its slot.

        Nodes that another worker has, or that are finished, are passed over: hints may repeat.
        """
        waiting = list(paths)
        log.debug("hint received", tree_id=tree_id, nodes=len(waiting), first=waiting[:1])
        while waiting:
            num_taken = await self._slots.take(len(waiting))
            if self._draining:
                self._slots.give(num_taken)
                return
            batch, waiting = waiting[:num_taken], waiting[num_taken:]
            await self._tracked(self._start_in_slots(tree_id, batch))

    def resize(self, num_slots: int) -> None:
        """Run so many nodes at one time from now on; those that run are not stopped."""
        self._slots.resize(num_slots)
        self._metrics.put(signals.SLOTS, num_slots)

    async def reap(self) -> None:
        """Start what is overdue where there is room here, and send the rest again.

        So that trees get on, slowly, while Celery's broker is away or takes no more messages. No
        tree waits for what starting another one takes.
        """
        left, here = [], []
        for hint in await self._ports.store.reap():
            num_here = 0 if self._draining else self._slots.take_now(len(hint.paths))
            if num_here:
                here.append(replace(hint, paths=hint.paths[:num_here]))
            if num_here < len(hint.paths):
                left.append(replace(hint, paths=hint.paths[num_here:]))
        for hint in here:
            self._tracked(self._start_overdue(hint))
        await self._queue.send(left)

    async def drain(self, grace_s: float) -> None:
        """Claim nothing more, let running nodes come to an end, then hand back what is left."""
        self._draining = True
        if busy := [*self._running.values(), *self._starting]:
            await asyncio.wait(busy, timeout=grace_s)
        left = list(self._running.items())
        for _, task in left:
            task.cancel()
        await asyncio.gather(*(task for _, task in left), return_exceptions=True)
        if left:
            await self._hand_back([lease for lease, _ in left])

    async def _hand_back(self, leases: Sequence[Lease]) -> None:
        try:
            async with asyncio.timeout(_HAND_BACK_S):
                await self._queue.send(await self._ports.store.release(leases))
        except (StoreUnavailable, TimeoutError):
            log.warning("nodes left to their leases", count=len(leases))
        else:
            log.info("leases handed back", count=len(leases))

    def lose(self, lease: Lease) -> None:
        """Stop driving a node whose lease is lost; its call in flight is aborted."""
        task = self._running.get(lease)
        if task is not None:
            task.cancel()

    @property
    def num_busy(self) -> int:
        """Nodes that run, and claims under way."""
        return len(self._running) + len(self._starting)

    def _tracked(self, start: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """`start` as a task that draining waits for."""
        task = asyncio.create_task(start)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return task

    async def _start_overdue(self, hint: Hint) -> None:
        """Start the hint's nodes, which have slots; what is not for this worker goes to others."""
        try:
            if not await self._start_in_slots(hint.tree_id, hint.paths):
                await self._queue.send([hint])
        except Exception:
            log.exception("overdue nodes not started", tree_id=hint.tree_id)

    async def _start_in_slots(self, tree_id: str, paths: Sequence[str]) -> bool:
        """Start what is ready of `paths`, which have slots; False where the hint was passed over.

        Slots that are not used go back.
        """
        started: int | None = None
        try:
            started = await self._start(tree_id, paths)
        finally:
            self._slots.give(len(paths) - (started or 0))
        return started is not None

    async def _start(self, tree_id: str, paths: Sequence[str]) -> int | None:
        """Claim `paths` in one round trip and start what was ready; how many that were.

        None where the hint was passed over: nothing is known here of its nodes.
        """
        assignment = await self._assignment(tree_id)
        if assignment is None:
            return None
        try:
            claimed = await self._ports.store.claim(
                tree_id,
                paths,
                worker=self._name,
                lease_s=self._leases.lease_s,
                reserves=reserves(assignment.team),
            )
        except StoreUnavailable as error:
            log.warning("hint passed over", tree_id=tree_id, code=error.code)
            return None
        log.debug("nodes claimed", tree_id=tree_id, asked=len(paths), got=len(claimed.nodes))
        if self._draining and claimed.nodes:
            await self._hand_back([node.lease for node in claimed.nodes])
            return 0
        for node in claimed.nodes:
            self._leases.keep(node.lease)
            task = asyncio.create_task(self._run(node, assignment))
            self._running[node.lease] = task
        await self._queue.send(claimed.hints)
        return len(claimed.nodes)

    async def _run(self, claimed: Claimed, assignment: _Assignment) -> None:
        lease, began = claimed.lease, time.monotonic()
        structlog.contextvars.bind_contextvars(
            tree_id=lease.tree_id, node=lease.path, tenant=assignment.task.tenant
        )
        self._metrics.put(signals.SLOTS_TAKEN, len(self._running))
        ended = "lost"
        try:
            with self._traces.node(claimed, _said_of(claimed, assignment)) as span:
                ended = await self._drive(claimed, assignment, span)
                span.say({signals.NODE_ENDED: ended})
        finally:
            if ended == "lost" and self._draining:
                ended = "handed_back"
            self._leases.drop(lease)
            self._running.pop(lease, None)
            self._slots.give(1)
            self._metrics.put(signals.SLOTS_TAKEN, len(self._running))
            self._metrics.observe(signals.NODE_SECONDS, time.monotonic() - began, ended)
            if ended == "lost":
                self._metrics.count(signals.LEASES_LOST)

    async def _drive(self, claimed: Claimed, assignment: _Assignment, span: Span) -> str:
        """Drive the node as far as it goes; how that ended."""
        lease = claimed.lease
        try:
            known = assignment.team.get(claimed.policy)
            policy = known.policy if known else self._serving.policies.resolve(claimed.policy)
            ports = replace(self._ports, engine=self._serving.engine(policy))
            hints = await drive(claimed, assignment.task, policy, ports, assignment.team)
            await self._queue.send(hints)
        except StaleLease as error:
            log.info("node.lost", epoch=lease.epoch)
            span.failed(error.code)
            return "lost"
        except ForeignVersion as error:
            # Of another release, while old and new workers run side by side: not this one's to end.
            log.warning("node.left_to_others", code=error.code)
            if claimed.now < claimed.deadline_at:
                await asyncio.sleep(_FOREIGN_PAUSE_S)
                await self._queue.send(await self._ports.store.release([lease]))
                return "left_to_others"
            span.failed(error.code)
            await self._fail(lease, error)
            return "failed"
        except StoreUnavailable as error:
            # That the store is away is no outcome of a node. It runs again when its lease is over.
            log.warning("node.left_to_its_lease", code=error.code)
            span.failed(error.code)
            return "lost"
        except BanyanError as error:
            log.warning("node.failed", code=error.code)
            span.failed(error.code)
            await self._fail(lease, error)
            return "failed"
        except Exception as error:
            log.exception("node.failed")
            span.failed(type(error).__name__)
            await self._fail(lease, error)
            return "failed"
        return "done"

    async def _fail(self, lease: Lease, error: Exception) -> None:
        """Finish a node whose driving broke; if even that fails its lease expires by itself."""
        code = error.code if isinstance(error, BanyanError) else BanyanError.code
        failure = Failure(code=code, message=f"{type(error).__name__} while the node was driven")
        outcome = Outcome(status="failed", complete=False, failure=failure)
        try:
            await self._queue.send(await self._ports.store.finish(lease, outcome, log=None))
        except BanyanError as second:
            log.warning("node left to its lease", node=lease.path, code=second.code)

    async def _assignment(self, tree_id: str) -> _Assignment | None:
        """The tree's task and policies; they never change, so they are asked for once.

        A tree with a policy that is not served here, or whose model server has never answered, is
        left to other workers and to later until its deadline; then its nodes fail and say so.
        """
        known = self._assignments.get(tree_id)
        if known is not None:
            return known
        try:
            record, now = await asyncio.gather(
                self._ports.store.get_tree(tree_id), self._ports.store.now()
            )
            left_s = record.deadline_at - now
            task = unpack(record.task, Task)
        except BanyanError as error:
            log.warning("hint passed over", tree_id=tree_id, code=error.code)
            return None
        try:
            published = {
                name: await self._versions.of_tree(name, tree_id, left_s=left_s)
                for name in specialists.names(task)
            }
            known = _Assignment(task, await self._serving.team(task, published))
        except (UnknownPolicy, EngineError) as error:
            if left_s > 0:
                log.warning("hint passed over", tree_id=tree_id, code=error.code)
                return None
            return _Assignment(task, {})
        self._assignments.put(tree_id, known, 1)
        return known


def _said_of(claimed: Claimed, assignment: _Assignment) -> dict[str, Attribute]:
    """What the span of a node's stretch says of it."""
    return {
        signals.OPERATION: signals.INVOKE_AGENT,
        signals.AGENT_NAME: signals.AGENT,
        signals.CONVERSATION: claimed.lease.tree_id,
        signals.NODE_PATH: claimed.lease.path,
        signals.NODE_TENANT: assignment.task.tenant,
        signals.NODE_POLICY: claimed.policy,
        signals.NODE_GENERATION: claimed.generation,
        signals.NODE_WAKE: wake_of(claimed),
        signals.NODE_QUEUE_S: max(0.0, claimed.now - claimed.queued_at),
    }
