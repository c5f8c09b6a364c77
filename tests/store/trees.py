"""Short words for what tests of the store do: plant trees, claim nodes, grow and finish them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from banyan.budget import Budget
from banyan.node import Outcome
from banyan.ports import Admission, ChildNode, Claimed, Hint, Lease, Reserve, Spent, Store, TurnLog
from banyan.tree import Event, NodeRecord, tree_id

NUM_SHARDS = 2

OK = Outcome(status="ok", answer="yes")
PARTIAL = Outcome(status="ok", answer="half", complete=False)
FAILED = Outcome(status="failed", complete=False)

_keys = itertools.count()


def log(tokens: int = 0, record: bytes = b"turn", *, nano_usd: int = 0) -> TurnLog:
    """A turn that spent `tokens`, a third of them on the prompt, and cost `nano_usd`."""
    prompt = tokens // 3
    spent = Spent(1, prompt_tokens=prompt, completion_tokens=tokens - prompt, nano_usd=nano_usd)
    return TurnLog(record, spent, {"kind": "note"})


def paths(hints: Iterable[Hint]) -> list[str]:
    """All paths, in the order of the hints."""
    return [path for hint in hints for path in hint.paths]


@dataclass
class Forest:
    """A store, and the budget that each of its trees was given."""

    store: Store
    admitted: dict[str, Budget] = field(default_factory=dict)
    planted: list[Hint] = field(default_factory=list)
    """What admissions have sent."""

    async def plant(
        self,
        *,
        tokens: int = 1_000,
        nodes: int = 100,
        nano_usd: int = 0,
        tenant: str = "acme",
        max_parallel: int = 100,
        deadline_s: float = 600.0,
    ) -> str:
        """A new tree's id. Its root is dispatched where there is a free slot."""
        tree = tree_id(tenant, f"key {next(_keys)}", NUM_SHARDS)
        # Trees of one test share a shard, since dispatch is bounded for each shard.
        tree = f"{tree[:-2]}00"
        self.admitted[tree] = Budget(tokens=tokens, nodes=nodes, nano_usd=nano_usd)
        admitted = await self.store.admit(
            admission(
                tree,
                tenant=tenant,
                budget=self.admitted[tree],
                max_parallel=max_parallel,
                deadline_s=deadline_s,
            )
        )
        self.planted += admitted.hints
        return tree

    async def claim_all(
        self,
        tree: str,
        wanted: Sequence[str],
        *,
        lease_s: float = 600.0,
        reserve: int = 0,
        reserve_nano_usd: int = 0,
        worker: str = "w1",
    ) -> list[Claimed]:
        reserves = {"base": Reserve(reserve, reserve_nano_usd)}
        claims = await self.store.claim(
            tree, wanted, worker=worker, lease_s=lease_s, reserves=reserves
        )
        return list(claims.nodes)

    async def claim(
        self,
        tree: str,
        path: str = "0",
        *,
        lease_s: float = 600.0,
        reserve: int = 0,
        reserve_nano_usd: int = 0,
    ) -> Claimed:
        [claimed] = await self.claim_all(
            tree, [path], lease_s=lease_s, reserve=reserve, reserve_nano_usd=reserve_nano_usd
        )
        return claimed

    async def lease(self, tree: str, path: str = "0") -> Lease:
        return (await self.claim(tree, path)).lease

    async def spawn(
        self,
        lease: Lease,
        num_children: int,
        *,
        tokens: int = 10,
        nodes: int = 0,
        nano_usd: int = 0,
        turn: TurnLog | None = None,
        shared: tuple[str, bytes] | None = None,
    ) -> list[Hint]:
        child = ChildNode(b"child", Budget(tokens=tokens, nodes=nodes, nano_usd=nano_usd))
        return await self.store.spawn(
            lease,
            [child] * num_children,
            packed=b"suspended",
            kept=Budget(tokens=0, nodes=0),
            log=turn,
            event={"why": "test"},
            shared=shared,
        )

    async def finish(
        self, lease: Lease, outcome: Outcome = OK, *, turn: TurnLog | None = None
    ) -> list[Hint]:
        return await self.store.finish(lease, outcome, log=turn)

    async def run(self, tree: str, path: str = "0", outcome: Outcome = OK) -> list[Hint]:
        """Claim a node and finish it."""
        return await self.finish(await self.lease(tree, path), outcome)

    async def work(self, tree: str, path: str, *, num_children: int = 0) -> list[Hint]:
        """What a worker does with a hint: a new root spawns, all else ends; the hints to send."""
        claims = await self.store.claim(tree, [path], worker="w", lease_s=600.0, reserves={})
        hints = list(claims.hints)
        for node in claims.nodes:
            if num_children and path == "0" and not node.outcomes:
                hints += await self.spawn(node.lease, num_children)
            else:
                hints += await self.finish(node.lease)
        return hints

    async def node(self, tree: str, path: str = "0") -> NodeRecord:
        return await self.store.get_node(tree, path)

    async def all_nodes(self, tree: str) -> list[NodeRecord]:
        nodes, _ = await self.store.list_nodes(tree, offset=0, limit=100_000)
        return nodes

    async def history(self, tree: str) -> list[Event]:
        """All events so far."""
        last = (await self.store.get_tree(tree)).last_event
        seen: list[Event] = []
        async for event in self.store.events(tree):
            seen.append(event)
            if event.seq >= last:
                break
        return seen

    async def assert_conserved(self, tree: str, *, overdraft: int = 0) -> None:
        """What is held, was spent and was lost adds up to what was admitted."""
        usage = (await self.store.get_tree(tree)).usage
        nodes = await self.all_nodes(tree)
        spent = usage.prompt_tokens + usage.completion_tokens - overdraft
        held = sum(node.budget.tokens for node in nodes)
        assert held + spent + usage.lost_tokens == self.admitted[tree].tokens
        money = sum(node.budget.nano_usd for node in nodes) + usage.nano_usd + usage.lost_nano_usd
        assert money == self.admitted[tree].nano_usd
        assert sum(node.budget.nodes for node in nodes) + usage.nodes - 1 == (
            self.admitted[tree].nodes
        )
        assert usage.nodes == len(nodes)


def admission(
    tree: str,
    *,
    tenant: str = "acme",
    budget: Budget | None = None,
    max_parallel: int = 100,
    deadline_s: float = 600.0,
    fingerprint: str = "request",
) -> Admission:
    return Admission(
        tree_id=tree,
        tenant=tenant,
        task=b"task",
        root=b"root",
        budget=budget or Budget(tokens=1_000, nodes=100),
        max_parallel=max_parallel,
        deadline_s=deadline_s,
        fingerprint=fingerprint,
    )
