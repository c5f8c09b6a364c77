"""How long a child waits for a worker: from its parent's spawn to its first claim, by the events.

Both are stamped by the store, in whole milliseconds. The child's model call follows its claim.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import httpx

from banyan.node import parent_path
from banyan.tree import Event
from bench.durations import Durations


def child_starts(client: httpx.Client, url: str, tree_id: str) -> Durations:
    """Of all children of a finished tree, which has two at least."""
    return Durations.of_ms(starts_ms(events_of(client, url, tree_id)))


def events_of(client: httpx.Client, url: str, tree_id: str) -> list[Event]:
    """All events of a finished tree."""
    with client.stream("GET", f"{url}/solve/{tree_id}/events") as stream:
        stream.raise_for_status()
        return [*_events(stream.iter_lines())]


def spawned_at(events: Iterable[Event]) -> float:
    """When the first node of a tree that spawned did so, in seconds of the store's clock."""
    return next(event.at for event in events if event.type == "node.spawned")


def starts_ms(events: Iterable[Event]) -> list[float]:
    """Milliseconds, one for each child, in the order of their claims."""
    spawned_at: dict[str, float] = {}
    found: dict[str, float] = {}
    for event in events:
        path = str(event.data.get("node", ""))
        if event.type == "node.spawned":
            spawned_at[path] = event.at
        elif event.type == "node.claimed" and path not in found:
            above = parent_path(path)
            if above is not None and above in spawned_at:
                found[path] = 1_000 * (event.at - spawned_at[above])
    return list(found.values())


def _events(lines: Iterable[str]) -> Iterator[Event]:
    """Of a stream of server-sent events, without the result that ends it."""
    for line in lines:
        if line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if "seq" in data:
                yield Event(**data)
