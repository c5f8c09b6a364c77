"""Trees under faults: planted together, awaited, and held to an oracle.

The model server counts: a leaf answers 1 and whoever merges answers the sum, so that the root's
answer is the number of leaves where each of them has arrived once. The events of a tree tell what
took effect, and how often.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from banyan.client import Client
from banyan.client.results import StreamEvent
from bench.chaos.follower import Follower
from bench.chaos.report import Report
from bench.orchestration import Shape

COUNTING = ("--rule", "counting")
FAN_OUT = 4
_ENDED = frozenset({"completed", "partial", "failed", "cancelled"})
_POLL_S = 0.2


@dataclass(slots=True)
class Tree:
    """A planted tree; `solve` is its result, None while there is none."""

    id: str
    solve: dict[str, Any] | None = None
    events: list[StreamEvent] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.solve["status"]) if self.solve else "lost"


class Forest:
    """Trees of one shape, of the service at `url`."""

    def __init__(self, url: str, client: httpx.Client, shape: Shape) -> None:
        self._url = url
        self._client = client
        self.shape = shape
        self.trees: list[Tree] = []
        self.followers: list[Follower] = []

    def plant(self, count: int, **request: Any) -> None:
        """Start trees. A refusal is an error here."""
        for _ in range(count):
            reply = self.submit(**request)
            reply.raise_for_status()
            self.trees.append(Tree(reply.json()["id"]))

    def submit(self, *, key: str | None = None, **request: Any) -> httpx.Response:
        """The reply to one submission, as it is."""
        limits = {
            "max_depth": self.shape.depth,
            "max_nodes": 2 * self.shape.num_nodes,
            "max_tokens": 10_000_000_000,
            "deadline_s": 3_600,
        }
        body = {
            "goal": f"fan-out {self.shape.fan_out}",
            "gate": {"mode": "always"},
            **request,
            "limits": {**limits, **request.get("limits", {})},
        }
        headers = {"Prefer": "respond-async", **({"Idempotency-Key": key} if key else {})}
        return self._client.post(f"{self._url}/solve", json=body, headers=headers)

    def ask(self, tree_id: str) -> dict[str, Any] | None:
        """The solve as it stands; None where the service does not say."""
        try:
            reply = self._client.get(f"{self._url}/solve/{tree_id}")
        except httpx.TransportError:
            return None
        if reply.status_code != httpx.codes.OK:
            return None
        found: dict[str, Any] = reply.json()
        return found

    def harvest(self, within_s: float) -> None:
        """Wait until all have ended; what has not by then stays without a result."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for tree in self.trees:
                if tree.solve is None and (found := self.ask(tree.id)):
                    tree.solve = found if found["status"] in _ENDED else None
            if all(tree.solve for tree in self.trees):
                return
            time.sleep(_POLL_S)

    def read_events(self) -> None:
        """Fetch the events of all trees that have ended."""
        with Client(self._url) as banyan:
            for tree in self.trees:
                if tree.solve:
                    *tree.events, _ = banyan.stream(tree.id)  # the last one is the result

    def follow(self, url: str) -> None:
        """Let a client stream each tree, from the service at `url`."""
        self.followers = [Follower(url, tree.id) for tree in self.trees]

    def stop_following(self, within_s: float) -> None:
        """Wait until every stream has ended."""
        ends_at = time.monotonic() + within_s
        for follower in self.followers:
            follower.join(max(0.0, ends_at - time.monotonic()))

    @property
    def num_wrong_in_streams(self) -> int:
        """Gaps, repeats and missing results that clients have seen."""
        return sum(follower.num_wrong for follower in self.followers)

    def judge(self, report: Report) -> None:
        """Hold every tree to the whole oracle: there, right, and each effect once."""
        self.read_events()
        ended = [tree for tree in self.trees if tree.solve is not None]
        answer = str(self.shape.num_at(self.shape.depth))
        wrong = sum(one.solve is not None and one.solve["answer"] != answer for one in ended)
        report.figures |= {
            "trees": len(self.trees),
            "nodes": sum(num_nodes(tree) for tree in ended),
            "lost trees": len(self.trees) - len(ended),
            "wrong answers": wrong,
            "repeated or missing effects": sum(
                faults_in(tree.events, self.shape.num_nodes) for tree in ended
            ),
        }
        report.checks |= {
            "no tree is lost": len(ended) == len(self.trees),
            "every tree completed": all(tree.status == "completed" for tree in ended),
            "every answer counts all leaves": wrong == 0,
            "every effect once": report.figures["repeated or missing effects"] == 0,
        }


def num_nodes(tree: Tree) -> int:
    """How many nodes a tree that has ended grew."""
    return int(tree.solve["usage"]["nodes"]) if tree.solve else 0


def num_claims(tree: Tree, pid: int) -> int:
    """Nodes of a tree that the worker with this process id claimed."""
    return sum(str(event.data.get("worker", "")).endswith(f":{pid}") for event in tree.events)


def faults_in(events: Sequence[StreamEvent], expected_nodes: int) -> int:
    """Effects that are missing or came twice, gaps, and writes of nobody who held the node."""
    gaps = sum(event.seq != index for index, event in enumerate(events, start=1))
    happened: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if node := event.data.get("node"):
            happened[str(node)].append(event.type)
    finished = Counter({node: kinds.count("node.finished") for node, kinds in happened.items()})
    missing = abs(expected_nodes - len(finished))
    not_once = sum(abs(count - 1) for count in finished.values())
    spawned = sum(max(0, kinds.count("node.spawned") - 1) for kinds in happened.values())
    return gaps + missing + not_once + spawned + sum(map(stale_writes, happened.values()))


def stale_writes(kinds: Iterable[str]) -> int:
    """Writes to a node while nobody held it: before a claim, or after its lease was taken away."""
    held, stale = False, 0
    for kind in kinds:
        if kind == "node.claimed":
            held = True
        elif kind in {"node.turn", "node.spawned", "node.finished", "node.requeued"}:
            stale += not held
            held = held and kind == "node.turn"
    return stale
