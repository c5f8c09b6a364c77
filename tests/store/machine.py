"""A random life of two trees, lived on the real scripts and on the in-memory twin at once.

Each step is done on both stores and must give the same. After each step the scripts' own books are
audited; at the end everything is brought to its end and the whole history is looked through.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.redis_store import RedisStore
from banyan.budget import Budget
from banyan.node import Outcome
from banyan.ports import ChildNode, Hint, Lease, Reserve, Store
from banyan.tree import tree_id
from tests.store.attempts import Result, attempt
from tests.store.audit import audit_books, audit_history
from tests.store.trees import FAILED, OK, PARTIAL, admission, log

TENANT_DISPATCH = 4
TENANT_QUEUED = 3
MAX_PARALLEL = (3, 2)
FOREVER_S = 10_000.0
BRIEF_S = 0.001
POLICIES = ("base", "small")
RESERVES = {"base": Reserve(20, 15), "small": Reserve(5, 1)}

T = TypeVar("T")

picks = st.integers(min_value=0, max_value=10_000)
outcomes = st.sampled_from([OK, OK, PARTIAL, FAILED])


class StoreMachine(RuleBasedStateMachine):
    """`leases` are believed to be held, `spent` were given up, lost or used."""

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock_offset_s = 0.0
        self.real = RedisStore(
            url,
            num_shards=1,
            queued_s=FOREVER_S,
            tenant_dispatch=TENANT_DISPATCH,
            tenant_queued=TENANT_QUEUED,
            namespace=namespace,
        )
        self.twin = MemoryStore(
            queued_s=FOREVER_S,
            tenant_dispatch=TENANT_DISPATCH,
            tenant_queued=TENANT_QUEUED,
            clock=lambda: time.time() + self.clock_offset_s,
        )
        self.trees: list[str] = []
        self.admitted: dict[str, Budget] = {}
        self.overdraft: dict[str, Counter[str]] = defaultdict(Counter)
        self.leases: list[Lease] = []
        self.spent: list[Lease] = []
        # As the last audit found it: which trees have finished, and whether anything is queued.
        self.final: list[str] = []
        self.queued = False

    # --- both stores at once ---------------------------------------------------------------------

    def run(self, awaitable: Awaitable[T]) -> T:
        async def wait() -> T:
            return await awaitable

        return self.loop.run_until_complete(wait())

    def both(self, act: Callable[[Store], Awaitable[Any]]) -> Result:
        """What happened, which must be the same on both."""
        real, twin = self.run(attempt(act(self.real))), self.run(attempt(act(self.twin)))
        assert real == twin
        return real

    def budget_of(self, lease: Lease) -> Budget:
        return self.run(self.real.get_node(lease.tree_id, lease.path)).budget

    def drop(self, lease: Lease) -> None:
        self.leases.remove(lease)
        self.spent.append(lease)

    def forget_lost(self) -> None:
        """Leases that a cancel or an expiry has ended."""
        result = self.both(lambda store: store.renew(self.leases, lease_s=FOREVER_S))
        for lease in result[1].lost:
            self.drop(lease)

    # --- the rules -------------------------------------------------------------------------------

    @initialize()
    def admit(self) -> None:
        for index, max_parallel in enumerate(MAX_PARALLEL):
            tree = tree_id("acme", f"tree {index}", 1)
            self.trees.append(tree)
            self.admitted[tree] = Budget(tokens=1_000, nodes=24, nano_usd=600)
            self.both(
                lambda store, tree=tree, max_parallel=max_parallel: store.admit(  # type: ignore[misc]
                    admission(
                        tree,
                        budget=self.admitted[tree],
                        max_parallel=max_parallel,
                        deadline_s=FOREVER_S,
                    )
                )
            )

    @rule(pick=picks)
    def admit_again(self, pick: int) -> None:
        tree = self.trees[pick % 2]
        result = self.both(lambda store: store.admit(admission(tree)))
        assert result[1][0] is False

    @precondition(lambda self: self.queued)
    @rule(pick=picks, count=st.integers(1, 3))
    def claim(self, pick: int, count: int) -> None:
        """Any nodes, whatever their state: double deliveries and stale hints included."""
        tree, paths = self.some_paths(pick, count)
        result = self.both(
            lambda store: store.claim(tree, paths, worker="w", lease_s=FOREVER_S, reserves=RESERVES)
        )
        self.leases += [claimed[0] for claimed in result[1][0]]

    @precondition(lambda self: self.queued)
    @rule(pick=picks, num_children=st.integers(1, 3))
    def grow(self, pick: int, num_children: int) -> None:
        """A worker takes a node and delegates."""
        tree, paths = self.some_paths(pick, 1)
        result = self.both(
            lambda store: store.claim(tree, paths, worker="w", lease_s=FOREVER_S, reserves=RESERVES)
        )
        for claimed in result[1][0]:
            self.leases.append(claimed[0])
            self.delegate(claimed[0], num_children, 80)

    @precondition(lambda self: self.queued)
    @rule(pick=picks)
    def claim_and_crash(self, pick: int) -> None:
        """A worker takes a node and is never heard of again."""
        tree, paths = self.some_paths(pick, 1)
        result = self.both(
            lambda store: store.claim(tree, paths, worker="w", lease_s=BRIEF_S, reserves=RESERVES)
        )
        for claimed in result[1][0]:
            self.expire(claimed[0])

    def expire(self, lease: Lease) -> None:
        hints: list[Hint] = []
        while self.run(self.real.get_node(lease.tree_id, lease.path)).epoch == lease.epoch:
            hints += self.run(self.real.reap())
        self.clock_offset_s += 1.0
        # On the server's own clock it may take several looks, each with a part of the hints.
        assert nodes_of(hints) == nodes_of(self.run(self.twin.reap()))
        self.spent.append(lease)

    @precondition(lambda self: self.leases)
    @rule(pick=picks, tokens=st.integers(0, 120), nano_usd=st.integers(0, 90))
    def turn(self, pick: int, tokens: int, nano_usd: int) -> None:
        lease = self.leases[pick % len(self.leases)]
        self.pay(lease, tokens, nano_usd)
        left = self.both(lambda store: store.turn(lease, log(tokens, nano_usd=nano_usd), b"after"))
        assert left == ("done", self.budget_of(lease))

    def pay(self, lease: Lease, tokens: int, nano_usd: int) -> None:
        held = self.budget_of(lease)
        self.overdraft[lease.tree_id]["tokens"] += max(0, tokens - held.tokens)
        self.overdraft[lease.tree_id]["nano_usd"] += max(0, nano_usd - held.nano_usd)

    @precondition(lambda self: self.leases)
    @rule(pick=picks, num_children=st.integers(1, 3), percent=st.integers(0, 130))
    def spawn(self, pick: int, num_children: int, percent: int) -> None:
        """Within the budget, or beyond it in tokens or in money, which is refused."""
        self.delegate(self.leases[pick % len(self.leases)], num_children, percent)

    def delegate(self, lease: Lease, num_children: int, percent: int) -> None:
        held = self.budget_of(lease)
        share = Budget(
            tokens=held.tokens * percent // (100 * num_children),
            nodes=max(0, held.nodes - num_children) // (num_children + 1),
            nano_usd=held.nano_usd * (110 - percent * 4 // 5) // (100 * num_children),
        )
        children = [
            ChildNode(f"child {i}".encode(), share, POLICIES[i % 2]) for i in range(num_children)
        ]
        result = self.both(
            lambda store: store.spawn(
                lease,
                children,
                packed=b"waiting",
                kept=Budget(tokens=0, nodes=0),
                log=log(0),
                event={},
            )
        )
        if result[0] == "done":
            self.drop(lease)

    @precondition(lambda self: self.leases)
    @rule(pick=picks, outcome=outcomes, tokens=st.integers(0, 50), nano_usd=st.integers(0, 50))
    def finish(self, pick: int, outcome: Outcome, tokens: int, nano_usd: int) -> None:
        lease = self.leases[pick % len(self.leases)]
        self.pay(lease, tokens, nano_usd)
        turn = log(tokens, nano_usd=nano_usd)
        result = self.both(lambda store: store.finish(lease, outcome, log=turn))
        assert result[0] == "done"
        self.drop(lease)

    @precondition(lambda self: self.spent)
    @rule(pick=picks)
    def write_late(self, pick: int) -> None:
        """A worker that was given up comes back; what it already did may be said again."""
        lease = self.spent[pick % len(self.spent)]
        assert self.both(lambda store: store.turn(lease, log(5), b"late"))[0] == "StaleLease"
        self.both(lambda store: store.finish(lease, OK, log=log(5)))

    @precondition(lambda self: self.leases)
    @rule(pick=picks)
    def release(self, pick: int) -> None:
        lease = self.leases[pick % len(self.leases)]
        self.both(lambda store: store.release([lease]))
        self.drop(lease)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        # One in eight, or few trees would live long enough for anything else.
        if pick % 8 == 0:
            self.both(lambda store: store.cancel(self.trees[pick // 8 % 2]))
            self.forget_lost()

    @precondition(lambda self: self.final)
    @rule(
        pick=picks,
        tokens=st.integers(0, 300),
        nodes=st.integers(0, 5),
        nano_usd=st.integers(0, 200),
    )
    def resume(self, pick: int, tokens: int, nodes: int, nano_usd: int) -> None:
        tree = self.final[pick % len(self.final)]
        self.resume_tree(tree, Budget(tokens=tokens, nodes=nodes, nano_usd=nano_usd))

    def resume_tree(self, tree: str, extra: Budget) -> None:
        resumed, _ = self.both(lambda store: store.resume(tree, extra=extra, deadline_s=FOREVER_S))[
            1
        ]
        if resumed:
            self.admitted[tree] = self.admitted[tree].refund(extra)

    @precondition(lambda self: self.queued)
    @rule(pick=picks, outcome=outcomes)
    def rush(self, pick: int, outcome: Outcome) -> None:
        """All that is queued ends at once, so that trees come to their end and can be resumed."""
        if pick % 4 == 0:
            for _ in range(4):
                self.finish_queued(self.trees[pick // 4 % 2], outcome)

    @rule()
    def reap(self) -> None:
        self.both(lambda store: store.reap())

    # --- what must always hold -------------------------------------------------------------------

    @invariant()
    def the_books_are_right(self) -> None:
        if self.trees:
            self.run(self.audit())

    async def audit(self) -> None:
        client = await self.real._connection.client()
        keys = self.real._keys
        total = 0
        self.final, self.queued = [], False
        for tree, max_parallel in zip(self.trees, MAX_PARALLEL, strict=True):
            nodes = await audit_books(self.real, tree, self.admitted[tree], self.overdraft[tree])
            twin = await self.twin.get_tree(tree)
            assert (await self.real.get_tree(tree)).usage == twin.usage
            backlog: Any = await client.zrange(f"{keys.tree(tree)}:backlog", 0, -1)
            waiting = {path.decode() for path in backlog}
            dispatched = sum(
                node.status in {"queued", "running"} and node.path not in waiting for node in nodes
            )
            counted = int(await client.hget(keys.tree(tree), "dispatched") or 0)
            assert counted == dispatched <= max_parallel
            total += dispatched
            self.queued |= any(node.status == "queued" for node in nodes)
            if nodes[0].status == "finished":
                self.final.append(tree)
        assert int(await client.hget(f"{keys.tag(0)}:tenant:acme", "dispatched") or 0) == total
        assert total <= TENANT_DISPATCH
        survey, twins = await self.real.survey(), await self.twin.survey()
        assert survey.due_nodes + survey.running_nodes == total
        for count in ("due_nodes", "running_nodes", "expired_leases", "lost_trees"):
            assert getattr(survey, count) == getattr(twins, count)

    # --- the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if self.trees:
                self.drain([PARTIAL, OK])
                for tree in self.final:
                    self.resume_tree(tree, Budget(tokens=50, nodes=7))
                self.the_books_are_right()
                self.drain([OK])
                for tree in self.trees:
                    self.run(audit_history(self.real, tree))
        finally:
            self.run(self.real.close())
            self.loop.close()

    def drain(self, ends: list[Outcome]) -> None:
        """Bring both trees to their end, as workers do."""
        for lease in list(self.leases):
            self.both(lambda store, lease=lease: store.finish(lease, OK, log=None))  # type: ignore[misc]
            self.drop(lease)
        for _ in range(1_000):
            self.the_books_are_right()
            if len(self.final) == len(self.trees):
                return
            for tree in self.trees:
                for outcome in ends:
                    self.finish_queued(tree, outcome)
        raise AssertionError("the trees did not come to their end")

    def finish_queued(self, tree: str, outcome: Outcome) -> None:
        nodes, _ = self.run(self.real.list_nodes(tree, offset=0, limit=1_000))
        queued = [node.path for node in nodes if node.status == "queued"]
        result = self.both(
            lambda store: store.claim(tree, queued, worker="w", lease_s=FOREVER_S, reserves={})
        )
        for claimed in result[1][0]:
            self.both(lambda store, lease=claimed[0]: store.finish(lease, outcome, log=None))  # type: ignore[misc]

    def some_paths(self, pick: int, count: int) -> tuple[str, list[str]]:
        tree = self.trees[pick % 2]
        nodes, total = self.run(self.real.list_nodes(tree, offset=0, limit=1_000))
        # Unfinished nodes are more often worth a claim.
        open_ = [node.path for node in nodes if node.status == "queued"]
        paths = open_ if open_ and pick % 3 else [node.path for node in nodes]
        return tree, [paths[(pick + i) % len(paths)] for i in range(min(count, total))]


def nodes_of(hints: Iterable[Hint]) -> list[tuple[str, str, bool]]:
    """Each node that is hinted, as often as it is, in whichever message."""
    return sorted((one.tree_id, path, one.continuation) for one in hints for path in one.paths)
