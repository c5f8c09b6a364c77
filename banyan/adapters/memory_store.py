"""The durable tree's twin in the memory of one process: for tests, and to read the rules at ease.

Nothing here awaits inside a transition, so each is atomic on one event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from banyan.adapters.hints import Ready, group
from banyan.adapters.memory_forest import Forest
from banyan.adapters.memory_reader import MemoryReader
from banyan.adapters.memory_records import queued
from banyan.adapters.memory_trees import NodeState, TreeState, children_of, is_final
from banyan.adapters.store_rules import (
    DERIVED_KEPT_S,
    MAX_CHILDREN,
    MAX_EVENTS,
    MAX_EXPIRIES,
    TENANT_QUEUED,
    too_little,
)
from banyan.budget import Budget
from banyan.errors import Conflict, NotFound, StaleLease
from banyan.node import ROOT_PATH, Outcome, child_path, depth_of
from banyan.ports import (
    Admission,
    Admitted,
    ChildNode,
    Claimed,
    Claims,
    Hint,
    Lease,
    Renewal,
    Reserve,
    Spent,
    TurnLog,
)
from banyan.tree import is_tree_id


class MemoryStore(MemoryReader):
    """`banyan.ports.Store` without a server. `clock` tells seconds since the epoch."""

    def __init__(
        self,
        *,
        queued_s: float = 15.0,
        tenant_dispatch: int = 1_024,
        tenant_queued: int = TENANT_QUEUED,
        retention_s: float = 7 * 86_400.0,
        derived_kept_s: float = DERIVED_KEPT_S,
        logs: bool = False,
        max_events: int = MAX_EVENTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            Forest(
                clock=clock,
                queued_s=queued_s,
                tenant_dispatch=tenant_dispatch,
                tenant_queued=tenant_queued,
                retention_s=retention_s,
                derived_kept_s=derived_kept_s,
                logs=logs,
                max_events=max_events,
            )
        )
        self._now = clock

    async def admit(self, admission: Admission) -> Admitted:
        if not is_tree_id(admission.tree_id):
            raise ValueError(f"{admission.tree_id!r} is no solve id")
        try:
            known = self._forest.tree(admission.tree_id)
        except NotFound:
            pass
        else:
            if known.admission.fingerprint != admission.fingerprint:
                raise Conflict("the same idempotency key was used for another request")
            record = await self.get_tree(known.id)
            return Admitted(False, record, group(self._unclaimed_root(known)))
        now = self._now()
        root = NodeState(
            ROOT_PATH, admission.root, admission.policy, admission.budget, queued_at=now, serial=0
        )
        tree = TreeState(admission, created_at=now, deadline_at=now + admission.deadline_s)
        tree.nodes[ROOT_PATH] = root
        self._forest.trees[tree.id] = tree
        self._forest.emit(tree, "tree.admitted")
        self._forest.make_ready(tree, root, continuation=False)
        hints = group(self._forest.dispatch(tree.tenant))
        return Admitted(True, await self.get_tree(tree.id), hints)

    async def claim(
        self,
        tree_id: str,
        paths: Sequence[str],
        *,
        worker: str,
        lease_s: float,
        reserves: Mapping[str, Reserve],
    ) -> Claims:
        try:
            tree = self._forest.tree(tree_id)
        except NotFound:
            return Claims()
        now = self._now()
        claimed = []
        for path in dict.fromkeys(paths):
            node = tree.nodes.get(path)
            if node is None:
                continue
            # A node that would be given up is left to `reap`, which hands on the hints.
            if (
                node.status == "running"
                and node.lease_until <= now
                and node.attempts < MAX_EXPIRIES
            ):
                self._forest.expire(tree, node)
            if node.status == "queued" and node.dispatched:
                node.lease_until = now + lease_s
                claimed.append(self._take(tree, node, worker, reserves))
        return Claims(tuple(claimed), group(self._forest.dispatch(tree.tenant)))

    def _take(
        self, tree: TreeState, node: NodeState, worker: str, reserves: Mapping[str, Reserve]
    ) -> Claimed:
        node.status = "running"
        node.epoch += 1
        node.reserve = reserves.get(node.policy, Reserve())
        node.claimed_at = self._now()
        self._forest.claimed(tree)
        if tree.status == "queued":
            tree.status = "running"
        self._forest.emit(
            tree, "node.claimed", {"node": node.path, "worker": worker, "epoch": node.epoch}
        )
        outcomes: list[Outcome] = []
        if node.continuation:
            outcomes = [child.outcome for child in children_of(tree, node) if child.outcome]
        parent = tree.nodes.get(node.path.rpartition(".")[0])
        return Claimed(
            lease=Lease(tree.id, node.path, node.epoch),
            packed=node.packed,
            budget=node.budget,
            policy=node.policy,
            deadline_at=tree.deadline_at,
            now=self._now(),
            generation=node.generation,
            attempts=node.attempts,
            queued_at=node.queued_at,
            outcomes=tuple(outcomes),
            suspended_epoch=node.suspended_epoch,
            parent_epoch=parent.suspended_epoch if parent else None,
        )

    async def renew(self, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        lost = []
        for lease in leases:
            try:
                _, node = self._owned(lease)
            except StaleLease:
                # What its owner's own SPAWN or FINISH has just ended is not lost.
                if self._after(lease, {"suspended", "queued", "finished"}) is None:
                    lost.append(lease)
            else:
                node.lease_until = self._now() + lease_s
        return Renewal(tuple(lost))

    async def turn(self, lease: Lease, log: TurnLog, packed: bytes) -> Budget:
        tree, node = self._owned(lease)
        self._forest.charge(tree, node, log)
        node.packed = packed
        return node.budget

    async def spawn(
        self,
        lease: Lease,
        children: Sequence[ChildNode],
        *,
        packed: bytes,
        kept: Budget,
        log: TurnLog | None,
        event: Mapping[str, Any],
        shared: tuple[str, bytes] | None = None,
    ) -> list[Hint]:
        if not 1 <= len(children) <= MAX_CHILDREN:
            raise Conflict(f"a node spawns 1 to {MAX_CHILDREN} children, not {len(children)}")
        if repeated := self._after(lease, {"suspended", "queued"}):
            tree, node = repeated
            return group(queued(tree, children_of(tree, node)))
        tree, node = self._owned(lease)
        spent = log.spent if log else Spent()
        held, _ = node.budget.spend(spent.tokens, spent.nano_usd)
        tokens = held.tokens - sum(child.budget.tokens for child in children)
        nodes = held.nodes - len(children) - sum(child.budget.nodes for child in children)
        nano_usd = held.nano_usd - sum(child.budget.nano_usd for child in children)
        if tokens < kept.tokens or nodes < kept.nodes or nano_usd < kept.nano_usd:
            raise Conflict(too_little(node.path, held))
        if log is not None:
            self._forest.charge(tree, node, log)
        node.budget = Budget(tokens=tokens, nodes=nodes, nano_usd=nano_usd)
        node.packed = packed
        if shared is not None:
            tree.shared[shared[0]] = shared[1]
        self._forest.retire(tree, node)
        node.status = "suspended"
        node.suspended_epoch = node.epoch
        node.open_children = len(children)
        tree.usage = tree.usage.model_copy(
            update={
                "nodes": tree.usage.nodes + len(children),
                "max_depth": max(tree.usage.max_depth, depth_of(node.path) + 1),
            }
        )
        self._forest.emit(
            tree, "node.spawned", {"node": node.path, "children": len(children), **event}
        )
        for child in children:
            path = child_path(node.path, node.num_children)
            node.num_children += 1
            created = NodeState(
                path,
                child.packed,
                child.policy,
                child.budget,
                queued_at=self._now(),
                serial=len(tree.nodes),
                generation=tree.generation,
            )
            tree.nodes[path] = created
            self._forest.make_ready(tree, created, continuation=False)
        return group(self._forest.dispatch(tree.tenant))

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        if repeated := self._after(lease, {"finished"}):
            tree, node = repeated
            parent = tree.nodes.get(node.path.rpartition(".")[0])
            return group(queued(tree, [parent] if parent else []))
        tree, node = self._owned(lease)
        if log is not None:
            self._forest.charge(tree, node, log)
        if packed is not None:
            node.packed = packed
        self._forest.finish(tree, node, outcome)
        return group(self._forest.dispatch(tree.tenant))

    async def release(self, leases: Sequence[Lease]) -> list[Hint]:
        ready: list[Ready] = []
        for lease in leases:
            try:
                tree, node = self._owned(lease)
            except StaleLease:
                continue
            ready.append(self._forest.requeue(tree, node, "released"))
        return group(ready)

    async def delta(self, lease: Lease, data: Mapping[str, Any]) -> None:
        tree, node = self._owned(lease)
        self._forest.emit(tree, "answer.delta", {"node": node.path, **data})

    async def derive(self, lease: Lease, document: str) -> None:
        tree, _ = self._owned(lease)
        tree.derived.add(document)

    async def cancel(self, tree_id: str) -> bool:
        tree = self._forest.tree(tree_id)
        if is_final(tree):
            return False
        self._forest.cancel(tree)
        return True

    async def resume(
        self, tree_id: str, *, extra: Budget, deadline_s: float, key: str | None = None
    ) -> tuple[bool, list[Hint]]:
        tree = self._forest.tree(tree_id)
        root = tree.nodes[ROOT_PATH]
        if key is not None and tree.resume_key == key:
            return True, []
        if not is_final(tree):
            raise Conflict("the solve is still running")
        if root.complete:
            return False, []
        tree.status, tree.finished_at, tree.cancelled = "queued", None, False
        tree.generation += 1
        tree.resume_key = key
        tree.deadline_at = self._now() + deadline_s
        self._forest.emit(tree, "tree.resumed", {"generation": tree.generation})
        root.budget = root.budget.refund(extra)
        self._forest.reopen(tree, root)
        return True, group(self._forest.dispatch(tree.tenant))

    async def delete(self, tree_id: str, tenant: str) -> bool:
        tree = self._forest.find(tree_id)
        if tree is None or tree.admission.tenant != tenant:
            return False
        if not is_final(tree):
            raise Conflict("the solve is still running")
        self._forest.forget(tree)
        return True

    async def reap(self, *, limit: int = 256) -> list[Hint]:
        now = self._now()
        ready: list[Ready] = []
        for tree_id in list(self._forest.trees):
            self._forest.find(tree_id)  # which lets go of what has expired
        for tree, node in self._overdue(now, limit):
            if node.status == "running":
                ready.extend(self._forest.expire(tree, node))
            else:
                self._forest.resent(node)
                ready.append((tree.id, node.path, node.continuation))
        return group(ready)

    def _overdue(self, now: float, limit: int) -> list[tuple[TreeState, NodeState]]:
        """Leases that ran out, then hints that are late; of each kind the oldest first."""
        overdue = [
            (node.status == "queued", late_since, f"{tree.id}|{node.path}", tree, node)
            for tree in self._forest.trees.values()
            for node in tree.nodes.values()
            if (late_since := node.late_since) is not None and late_since <= now
        ]
        overdue.sort(key=lambda entry: entry[:3])
        return [(tree, node) for *_, tree, node in overdue[:limit]]

    def _unclaimed_root(self, tree: TreeState) -> Iterable[Ready]:
        root = tree.nodes[ROOT_PATH]
        return queued(tree, [root] if root.epoch == 0 else [])

    def _owned(self, lease: Lease) -> tuple[TreeState, NodeState]:
        """The lease's tree and node. Raises StaleLease unless it is the node's present lease."""
        tree = self._forest.trees.get(lease.tree_id)
        node = tree.nodes.get(lease.path) if tree else None
        if tree is None or node is None or node.status != "running" or node.epoch != lease.epoch:
            raise StaleLease(f"node {lease.path} belongs to another worker or was cancelled")
        return tree, node

    def _after(self, lease: Lease, statuses: set[str]) -> tuple[TreeState, NodeState] | None:
        """Tree and node where the transition that ended this very lease was applied before.

        Only SPAWN and FINISH end a lease without raising the epoch.
        """
        tree = self._forest.trees.get(lease.tree_id)
        node = tree.nodes.get(lease.path) if tree else None
        if tree and node and node.epoch == lease.epoch and node.status in statuses:
            return tree, node
        return None
