"""Tree view: what is known of a running tree from its events alone. Pure; drawing is elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from banyan.client.results import StreamEvent
from banyan.node import ROOT_PATH, OutcomeStatus, child_path, depth_of
from banyan.tree import TreeStatus

NodeState = Literal["queued", "running", "waiting", "ok", "failed", "cancelled", "over_budget"]

STATES: tuple[NodeState, ...] = (
    "ok",
    "running",
    "waiting",
    "queued",
    "over_budget",
    "failed",
    "cancelled",
)
_OUTCOMES: dict[str, NodeState] = {
    "ok": "ok",
    "failed": "failed",
    "cancelled": "cancelled",
    "over_budget": "over_budget",
}


@dataclass(slots=True)
class NodeView:
    """One node: its state, the kind of its last action, and how many children it has."""

    path: str
    state: NodeState = "queued"
    kind: str | None = None
    num_children: int = 0
    num_turns: int = 0

    @property
    def outcome(self) -> OutcomeStatus | None:
        """How it ended; None while it has not."""
        match self.state:
            case "ok" | "failed" | "cancelled" | "over_budget":
                return self.state
            case _:
                return None


@dataclass(slots=True)
class TreeView:
    """Feed it events in order. Children appear, queued, when their parent spawns them."""

    nodes: dict[str, NodeView] = field(default_factory=lambda: {ROOT_PATH: NodeView(ROOT_PATH)})
    answer: str = ""
    status: TreeStatus = "queued"
    started_at: float | None = None
    last_at: float | None = None

    def apply(self, event: StreamEvent) -> None:
        """Take one event into account; types that it does not know change nothing."""
        if event.at is not None:
            self.started_at = event.at if self.started_at is None else self.started_at
            self.last_at = event.at
        if event.type == "tree.finished":
            self.status = _tree_status(event.data.get("status"))
        path = event.data.get("node")
        if isinstance(path, str):
            self._apply_to_node(self.nodes.setdefault(path, NodeView(path)), event)

    def _apply_to_node(self, node: NodeView, event: StreamEvent) -> None:
        match event.type:
            case "node.claimed":
                node.state = "running"
                self.status = "running"
            case "node.turn":
                node.num_turns += 1
                kind = event.data.get("kind")
                node.kind = kind if isinstance(kind, str) else node.kind
            case "node.spawned":
                node.state = "waiting"
                self._spawn(node, event.data.get("children"))
            case "node.finished":
                node.state = _OUTCOMES.get(str(event.data.get("status")), "failed")
            case "node.requeued":
                node.state = "queued"
            case "answer.delta":
                self._write(event.data.get("offset"), event.data.get("text"))
            case _:
                pass

    def _write(self, offset: object, text: object) -> None:
        """A turn that runs again begins at offset 0: what it had written before is replaced."""
        if isinstance(text, str):
            kept = self.answer[:offset] if isinstance(offset, int) else self.answer
            self.answer = kept + text

    def _spawn(self, node: NodeView, count: object) -> None:
        first = node.num_children
        node.num_children += count if isinstance(count, int) else 0
        for index in range(first, node.num_children):
            path = child_path(node.path, index)
            self.nodes.setdefault(path, NodeView(path))

    def children(self, path: str) -> list[NodeView]:
        """A node's children in their order."""
        count = self.nodes[path].num_children
        return [self.nodes[child_path(path, index)] for index in range(count)]

    def counts(self, under: str | None = None) -> Counter[NodeState]:
        """Nodes by state: of the whole tree, or of those below one node."""
        prefix = None if under is None else f"{under}."
        return Counter(
            node.state
            for path, node in self.nodes.items()
            if prefix is None or path.startswith(prefix)
        )

    def levels(self) -> list[list[NodeView]]:
        """The nodes by depth, each level in the order of creation."""
        levels: list[list[NodeView]] = []
        for path, node in self.nodes.items():
            depth = depth_of(path)
            while len(levels) <= depth:
                levels.append([])
            levels[depth].append(node)
        return levels

    @property
    def num_ended(self) -> int:
        """Nodes that have an outcome."""
        return sum(node.outcome is not None for node in self.nodes.values())

    @property
    def seconds(self) -> float:
        """From the first event to the last one, on the store's clock."""
        if self.started_at is None or self.last_at is None:
            return 0.0
        return self.last_at - self.started_at


def _tree_status(value: object) -> TreeStatus:
    match value:
        case "completed" | "partial" | "failed" | "cancelled":
            return value
        case _:
            return "running"
