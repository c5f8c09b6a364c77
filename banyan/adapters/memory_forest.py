"""The trees of the in-memory store, and the steps that its transitions are made of.

The same steps as in `lua/lib.lua`: a node that becomes ready waits in its tree's backlog until its
tree and its tenant have a free slot; a dispatched node counts until it finishes or is suspended.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import JsonValue

from banyan.adapters.hints import Ready
from banyan.adapters.memory_spending import SpendingLog
from banyan.adapters.memory_trees import NodeState, TreeState, children_of
from banyan.adapters.store_rules import (
    CANCELLED,
    DERIVED_KEPT_S,
    MAX_DOUBLINGS,
    MAX_EVENTS,
    MAX_EXPIRIES,
    TURN,
    WORKER_LOST,
)
from banyan.budget import Budget
from banyan.errors import NotFound
from banyan.node import ROOT_PATH, Outcome, parent_path
from banyan.ports import Leftover, Spent, TurnLog
from banyan.tree import Event, Spending, final_status

S = TypeVar("S", bound=Spending)


class Forest:
    """All trees of one in-memory store."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        queued_s: float,
        tenant_dispatch: int,
        tenant_queued: int,
        retention_s: float,
        derived_kept_s: float = DERIVED_KEPT_S,
        logs: bool = False,
        max_events: int = MAX_EVENTS,
    ) -> None:
        self.clock = clock
        self.queued_s = queued_s
        self.tenant_dispatch = tenant_dispatch
        self.tenant_queued = tenant_queued
        self.retention_s = retention_s
        self.derived_kept_s = derived_kept_s
        self.trees: dict[str, TreeState] = {}
        self.unlogged: dict[tuple[str, int], float] = {}
        """Finished trees and their generations, and from when on a writer may take them."""
        self.num_unlogged_lost = 0
        self.num_expired_leases = 0
        self.num_lost_trees = 0
        self.outbox: dict[tuple[str, int], float] = {}
        """Ends that somebody must be told of, by tree and generation, and when that is due."""
        self.leftovers: dict[Leftover, float] = {}
        """Derived texts of trees that are gone, and when they are to be removed."""
        self.spending = SpendingLog(clock)
        self._logs = logs
        self._max_events = max_events
        self._dispatched: dict[tuple[int, str], int] = defaultdict(int)
        self._queued: dict[tuple[int, str], int] = defaultdict(int)
        self._waiting: dict[tuple[int, str], dict[str, None]] = defaultdict(dict)

    def tree(self, tree_id: str) -> TreeState:
        """Raises NotFound, for trees that finished longer ago than is kept, too."""
        tree = self.find(tree_id)
        if tree is None:
            raise NotFound(f"there is no solve {tree_id}")
        return tree

    def find(self, tree_id: str) -> TreeState | None:
        """The tree, unless it finished longer ago than is kept."""
        tree = self.trees.get(tree_id)
        if tree is None or tree.finished_at is None:
            return tree
        if self.clock() < tree.finished_at + self.retention_s:
            return tree
        self._drop(tree)
        return None

    def forget(self, tree: TreeState) -> None:
        """A finished tree goes, out of the queue of the trajectory log too."""
        self._drop(tree)
        for generation in range(1, tree.generation + 1):
            self.unlogged.pop((tree.id, generation), None)

    def _drop(self, tree: TreeState) -> None:
        """The tree goes; its derived texts are left to be removed."""
        del self.trees[tree.id]
        if tree.derived:
            key, tenant = f"{tree.id}|{tree.created_at}", tree.admission.tenant
            leftover = Leftover(key, tree.id, tenant, tuple(sorted(tree.derived)))
            self.leftovers[leftover] = self.clock() + self.derived_kept_s

    def emit(self, tree: TreeState, kind: str, data: Mapping[str, JsonValue] | None = None) -> None:
        tree.last_event += 1
        tree.events.append(
            Event(seq=tree.last_event, type=kind, at=self.clock(), data=dict(data or {}))
        )
        if len(tree.events) > self._max_events:
            tree.events.popleft()
        tree.changed.set()
        tree.changed = asyncio.Event()

    def make_ready(self, tree: TreeState, node: NodeState, *, continuation: bool) -> None:
        node.status = "queued"
        node.continuation = continuation
        node.queued_at = self.clock()
        tree.backlog.add(node.path)
        self._update_waiting(tree)

    def dispatch(self, tenant: tuple[int, str]) -> list[Ready]:
        """Dispatch from the tenant's backlogs while it has slots, and room in the queue.

        Its trees take turns. Room is filled once half of it is free.
        """
        ready: list[Ready] = []
        if self._queued[tenant] * 2 > self.tenant_queued:
            return ready
        waiting = self._waiting[tenant]
        while waiting and (free := self._free(tenant)) > 0:
            tree = self.trees[next(iter(waiting))]
            del waiting[tree.id]
            room = min(free, TURN, tree.admission.max_parallel - tree.num_dispatched)
            ranked = sorted((tree.nodes[path] for path in tree.backlog), key=lambda one: one.rank)
            for node in ranked[:room]:
                tree.backlog.remove(node.path)
                node.dispatched, node.resent = True, 0
                node.due_since = self.clock()
                node.due_at = node.due_since + self.queued_s
                tree.num_dispatched += 1
                self._dispatched[tenant] += 1
                self._queued[tenant] += 1
                ready.append((tree.id, node.path, node.continuation))
            self._update_waiting(tree)
        return ready

    def _free(self, tenant: tuple[int, str]) -> int:
        slots = self.tenant_dispatch - self._dispatched[tenant]
        return min(slots, self.tenant_queued - self._queued[tenant])

    def claimed(self, tree: TreeState) -> None:
        """A node of the tree has left the queue for a worker."""
        self._queued[tree.tenant] -= 1

    def resent(self, node: NodeState) -> None:
        """A hint is sent again; the pause before the next one is twice as long."""
        node.resent = min(node.resent + 1, MAX_DOUBLINGS)
        node.due_at = self.clock() + self.queued_s * 2**node.resent

    def retire(self, tree: TreeState, node: NodeState) -> None:
        """The node leaves the queue or its worker: its slot is free."""
        tree.backlog.discard(node.path)
        if node.dispatched:
            node.dispatched = False
            tree.num_dispatched -= 1
            self._dispatched[tree.tenant] -= 1
            self._queued[tree.tenant] -= node.status == "queued"
        self._update_waiting(tree)

    def charge(self, tree: TreeState, node: NodeState, log: TurnLog) -> None:
        """Record a turn: pay for it, count it, also for its policy, and say so."""
        spent, usage = log.spent, tree.usage
        node.budget, _ = node.budget.spend(spent.tokens, spent.nano_usd)
        self.spending.add(tree.admission.tenant, spent.tokens, spent.nano_usd)
        if log.record:
            node.turns.append(log.record)
        node.spent = _counted(node.spent, spent)
        own = usage.by_policy.get(node.policy, Spending())
        tree.usage = _counted(usage, spent).model_copy(
            update={"by_policy": {**usage.by_policy, node.policy: _counted(own, spent)}}
        )
        self.emit(tree, "node.turn", {"node": node.path, **log.event})

    def finish(self, tree: TreeState, node: NodeState, outcome: Outcome) -> None:
        """End the node; what it has left goes to its parent; the last child wakes the parent."""
        self.retire(tree, node)
        node.status = "finished"
        node.outcome = outcome
        node.finished_at = self.clock()
        self.emit(tree, "node.finished", {"node": node.path, "status": outcome.status})
        above = parent_path(node.path)
        if above is None:
            tree.status = final_status(outcome)
            tree.finished_at = self.clock()
            self.emit(tree, "tree.finished", {"status": tree.status})
            if self._logs:
                self._queue_log(tree)
            if tree.admission.notifies:
                self.outbox[tree.id, tree.generation] = self.clock()
            return
        parent = tree.nodes[above]
        parent.budget = parent.budget.refund(node.budget)
        node.budget = Budget(tokens=0, nodes=0)
        parent.open_children -= 1
        if parent.open_children == 0 and parent.status == "suspended" and not tree.cancelled:
            self.make_ready(tree, parent, continuation=True)

    def _queue_log(self, tree: TreeState) -> None:
        """What nobody has taken while its tree was kept is counted and forgotten."""
        now = self.clock()
        self.unlogged[tree.id, tree.generation] = now
        old = [key for key, at in self.unlogged.items() if at <= now - self.retention_s]
        self.num_unlogged_lost += len(old)
        for key in old:
            del self.unlogged[key]

    def requeue(self, tree: TreeState, node: NodeState, reason: str) -> Ready:
        """Give a running node back to the queue. It keeps its slot; its lease is void."""
        node.status, node.resent = "queued", 0
        node.epoch += 1
        self._queued[tree.tenant] += 1
        node.queued_at = node.due_since = self.clock()
        node.due_at = self.clock() + self.queued_s
        self.emit(tree, "node.requeued", {"node": node.path, "reason": reason})
        return (tree.id, node.path, node.continuation)

    def expire(self, tree: TreeState, node: NodeState) -> list[Ready]:
        """Charge the reserve of a lease that ran out, and queue the node again or give it up."""
        held = node.budget
        node.budget, _ = held.spend(node.reserve.tokens, node.reserve.nano_usd)
        usage = tree.usage
        tokens = held.tokens - node.budget.tokens
        nano_usd = held.nano_usd - node.budget.nano_usd
        tree.usage = usage.model_copy(
            update={
                "lost_tokens": usage.lost_tokens + tokens,
                "lost_nano_usd": usage.lost_nano_usd + nano_usd,
            }
        )
        self.spending.add(tree.admission.tenant, tokens, nano_usd)
        self.num_expired_leases += 1
        node.attempts += 1
        if node.attempts <= MAX_EXPIRIES:
            return [self.requeue(tree, node, "lease_expired")]
        self.num_lost_trees += node.path == ROOT_PATH
        node.epoch += 1
        self.finish(tree, node, WORKER_LOST)
        return self.dispatch(tree.tenant)

    def cancel(self, tree: TreeState) -> None:
        """End all unfinished nodes, deepest first. Other trees' nodes that got slots are due."""
        tree.cancelled = True
        self._update_waiting(tree)
        self.emit(tree, "tree.cancelled")
        for node in tree.open:
            node.epoch += 1
            self.finish(tree, node, CANCELLED)
        for tree_id, path, _ in self.dispatch(tree.tenant):
            self.trees[tree_id].nodes[path].due_at = self.clock()

    def reopen(self, tree: TreeState, node: NodeState) -> None:
        """Run an incomplete node again, or where it has incomplete children, wait for these.

        A waiting node and its children share its budget equally; it keeps the remainder.
        """
        node.generation = tree.generation
        node.epoch += 1
        node.attempts = 0
        node.outcome = node.finished_at = node.claimed_at = None
        again = [child for child in children_of(tree, node) if not child.complete]
        if not again:
            self.make_ready(tree, node, continuation=node.num_children > 0)
            return
        node.status = "suspended"
        node.open_children = len(again)
        share = node.budget.equal_share(len(again) + 1)
        for _ in again:
            node.budget = node.budget.less(share)
        for child in again:
            child.budget = share
            self.reopen(tree, child)

    def _update_waiting(self, tree: TreeState) -> None:
        waiting = self._waiting[tree.tenant]
        free = tree.num_dispatched < tree.admission.max_parallel and not tree.cancelled
        if tree.backlog and free:
            waiting.setdefault(tree.id)
        else:
            waiting.pop(tree.id, None)


def _counted(so_far: S, spent: Spent) -> S:
    """`so_far` with what a call used."""
    names = Spending.model_fields
    return so_far.model_copy(
        update={name: getattr(so_far, name) + getattr(spent, name) for name in names}
    )
