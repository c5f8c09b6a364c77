"""Checks of a tree's books and history that hold whatever happened to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from banyan.budget import Budget
from banyan.node import parent_path
from banyan.ports import Store
from banyan.tree import Event, NodeRecord, Spending


async def audit_books(
    store: Store, tree: str, admitted: Budget, overdraft: Mapping[str, int]
) -> list[NodeRecord]:
    """The nodes. Nothing of the budget is lost or made; parents wait for unfinished children."""
    usage = (await store.get_tree(tree)).usage
    nodes, _ = await store.list_nodes(tree, offset=0, limit=100_000)
    spent = usage.prompt_tokens + usage.completion_tokens - overdraft["tokens"]
    assert sum(n.budget.tokens for n in nodes) + spent + usage.lost_tokens == admitted.tokens
    paid = usage.nano_usd - overdraft["nano_usd"] + usage.lost_nano_usd
    assert sum(n.budget.nano_usd for n in nodes) + paid == admitted.nano_usd
    by_policy = usage.by_policy.values()
    for name in Spending.model_fields:
        assert sum(getattr(one, name) for one in by_policy) == getattr(usage, name)
        assert sum(getattr(node.spent, name) for node in nodes) == getattr(usage, name)
    assert sum(n.budget.nodes for n in nodes) + usage.nodes - 1 == admitted.nodes
    assert usage.nodes == len(nodes)
    unfinished: Counter[str | None] = Counter(
        parent_path(node.path) for node in nodes if node.status != "finished"
    )
    for node in nodes:
        assert (node.status == "suspended") == (unfinished[node.path] > 0), node
    return nodes


async def audit_history(store: Store, tree: str) -> None:
    """Of a finished tree: no gap, every node ended once a generation, every parent woke once."""
    events = [event async for event in store.events(tree)]
    nodes, _ = await store.list_nodes(tree, offset=0, limit=100_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[-1].type == "tree.finished"
    _ends_are_single(events, nodes)
    _wakes_are_single(events)


def _ends_are_single(events: list[Event], nodes: list[NodeRecord]) -> None:
    generation = 1
    ends: dict[int, Counter[str]] = defaultdict(Counter)
    for event in events:
        if event.type == "tree.resumed":
            generation += 1
            assert event.data == {"generation": generation}
        elif event.type == "node.finished":
            ends[generation][str(event.data["node"])] += 1
        elif event.type == "tree.finished":
            assert ends[generation]["0"] == 1
    for counts in ends.values():
        assert set(counts.values()) == {1}
    for node in nodes:
        # Finished in the generation in which it ran last, and in none after it.
        assert ends[node.generation][node.path] == 1
        assert not any(ends[later][node.path] for later in ends if later > node.generation)


def _wakes_are_single(events: list[Event]) -> None:
    """A parent is claimed again only after the last of its children has ended."""
    waiting: dict[str, int] = {}
    for event in events:
        path = str(event.data.get("node", ""))
        match event.type:
            case "node.spawned":
                assert path not in waiting
                waiting[path] = int(str(event.data["children"]))
            case "node.claimed":
                assert waiting.pop(path, 0) == 0, f"{path} woke too early or twice"
            case "node.finished":
                above = parent_path(path)
                if above in waiting:
                    waiting[above] -= 1
                waiting.pop(path, None)
            case "tree.resumed":
                waiting.clear()
