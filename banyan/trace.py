"""Trace: a tree's events as slices on a time line, as Chrome's trace event format has them.

The process `slots` has a lane for each slot that was taken at one time: a node's stay on a worker,
and within it the model calls of its turns; and a lane for what happened to the whole tree. The
process `queue` has what waited to be taken. Arrows lead from the stay in which a node delegated to
the first stay of each child. The format is described in "Trace Event Format" (Google, 2016);
Perfetto and chrome://tracing read it.

Entries of one lane come out parents first, since readers that sort by time keep the order of equal
times. Memory grows with what is open at one time and with the nodes that delegated.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from pydantic import JsonValue

from banyan.node import child_path, parent_path
from banyan.tree import Event

Entry = dict[str, JsonValue]

SLOTS, QUEUE = 1_000_000, 1_000_001
"""Numbers that no lane has: Perfetto takes the lane with a process's number for its main one."""
TREE = SLOTS
"""The lane of what happens to the whole tree, which stands first for that reason."""
_NAMES = {SLOTS: "slots", QUEUE: "queue"}
_LANES = {SLOTS: "slot", QUEUE: "waiting"}
_TURN_ARGS = (
    "turn",
    "kind",
    "forced",
    "score",
    "policy",
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
    "led_to",
)
_SHORTEST_US = 1
"""A slice without length could hold nothing, and no arrow."""


@dataclass(slots=True)
class _Stay:
    """A node on a worker. `arrow` leads to it; `turns` end one behind the other."""

    lane: int
    start_us: int
    args: Entry
    arrow: int | None
    free_us: int
    turns: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wait:
    """Since when a node is ready, and the arrow that leads to it if it was just created."""

    since_us: int
    arrow: int | None = None


class Tracer:
    """Takes a tree's events in order, from the first; gives entries of the trace."""

    def __init__(self, started_at: float) -> None:
        """`started_at`: seconds since the epoch at which the trace's time begins."""
        self._started_at = started_at
        self._stays: dict[str, _Stay] = {}
        self._waits: dict[str, _Wait] = {}
        self._num_children: dict[str, int] = {}
        self._free_slots: list[int] = []
        self._slot_ends: list[int] = []
        self._queue_ends: list[tuple[int, int]] = []
        self._num_arrows = 0
        self._since_us = 0

    def opening(self) -> list[Entry]:
        """Names of the two processes, and of the tree's lane."""
        processes = [_named("process_name", pid, pid, name) for pid, name in _NAMES.items()]
        return [*processes, _named("thread_name", SLOTS, TREE, "tree")]

    def feed(self, event: Event) -> list[Entry]:
        """The entries that this event completes."""
        now_us = self._us(event.at)
        path = str(event.data.get("node", ""))
        match event.type:
            case "tree.admitted" | "tree.resumed":
                self._since_us = now_us
                self._waits.clear()
                return [_instant(event, now_us)]
            case "tree.cancelled" | "tree.finished":
                return [_instant(event, now_us)]
            case "node.claimed":
                return self._claimed(path, now_us, event.data)
            case "node.turn":
                self._turned(path, now_us, event.data)
            case "node.spawned":
                return self._spawned(path, now_us, event.data)
            case "node.requeued":
                self._waits[path] = _Wait(now_us)
                return self._left(path, now_us, {"requeued": event.data.get("reason")})
            case "node.finished":
                above = parent_path(path)
                if above is not None:
                    self._waits[above] = _Wait(now_us)
                self._waits.pop(path, None)
                return self._left(path, now_us, {"outcome": event.data.get("status")})
        return []

    def closing(self, at: float) -> list[Entry]:
        """What was still running at that time."""
        now_us = self._us(at)
        return [
            entry
            for path in tuple(self._stays)
            for entry in self._left(path, now_us, {"running": True})
        ]

    def _us(self, at: float) -> int:
        return round((at - self._started_at) * 1_000_000)

    def _claimed(self, path: str, now_us: int, data: Entry) -> list[Entry]:
        wait = self._waits.pop(path, None) or _Wait(self._since_us)
        entries: list[Entry] = []
        if now_us > wait.since_us:
            entries += self._waited(path, wait.since_us, now_us)
        if self._free_slots:
            lane = heapq.heappop(self._free_slots)
        else:
            self._slot_ends.append(0)
            lane = len(self._slot_ends)
            entries.append(_lane_named(SLOTS, lane))
        # Times are whole milliseconds, so that one stay may seem to begin where another still is.
        start_us = max(now_us, self._slot_ends[lane - 1])
        args: Entry = {name: data.get(name) for name in ("node", "worker", "epoch")}
        self._stays[path] = _Stay(lane, start_us, args, wait.arrow, free_us=start_us)
        return entries

    def _waited(self, path: str, since_us: int, now_us: int) -> list[Entry]:
        entries: list[Entry] = []
        if self._queue_ends and self._queue_ends[0][0] <= since_us:
            _, lane = heapq.heappop(self._queue_ends)
        else:
            lane = len(self._queue_ends) + 1
            entries.append(_lane_named(QUEUE, lane))
        heapq.heappush(self._queue_ends, (now_us, lane))
        entries.append(_slice("queue", f"{path} waits", lane, (since_us, now_us), {"node": path}))
        return entries

    def _turned(self, path: str, now_us: int, data: Entry) -> None:
        stay = self._stays.get(path)
        if stay is None:
            return
        seconds = data.get("seconds")
        model_us = round(seconds * 1_000_000) if isinstance(seconds, int | float) else 0
        start_us = max(stay.free_us, now_us - model_us)
        stay.free_us = max(now_us, start_us + _SHORTEST_US)
        args = {name: data[name] for name in _TURN_ARGS if name in data}
        kind = data.get("kind") or "turn"
        stay.turns.append(
            _slice("model", f"model: {kind}", stay.lane, (start_us, stay.free_us), args)
        )

    def _spawned(self, path: str, now_us: int, data: Entry) -> list[Entry]:
        count = data.get("children")
        count = count if isinstance(count, int) else 0
        first = self._num_children.get(path, 0)
        self._num_children[path] = first + count
        arrows = range(self._num_arrows, self._num_arrows + count)
        self._num_arrows += count
        for index, arrow in enumerate(arrows, first):
            self._waits[child_path(path, index)] = _Wait(now_us, arrow)
        stay = self._stays.get(path)
        entries = self._left(path, now_us, {"children": count})
        if stay is not None:
            entries += [
                _arrow("s", arrow, stay.lane, max(stay.start_us, now_us - 1)) for arrow in arrows
            ]
        return entries

    def _left(self, path: str, now_us: int, args: Entry) -> list[Entry]:
        """The node gave its slot back, if it had one."""
        stay = self._stays.pop(path, None)
        if stay is None:
            return []
        heapq.heappush(self._free_slots, stay.lane)
        end_us = max(now_us, stay.free_us, stay.start_us + _SHORTEST_US)
        self._slot_ends[stay.lane - 1] = end_us
        during_us = (stay.start_us, end_us)
        whole = _slice("node", f"node {path}", stay.lane, during_us, {**stay.args, **args})
        arrow = [] if stay.arrow is None else [_arrow("f", stay.arrow, stay.lane, stay.start_us)]
        return [whole, *arrow, *stay.turns]


def _slice(category: str, name: str, lane: int, during_us: tuple[int, int], args: Entry) -> Entry:
    start_us, end_us = during_us
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "pid": QUEUE if category == "queue" else SLOTS,
        "tid": lane,
        "ts": start_us,
        "dur": max(_SHORTEST_US, end_us - start_us),
        "args": args,
    }


def _arrow(phase: str, arrow: int, lane: int, at_us: int) -> Entry:
    entry: Entry = {
        "ph": phase,
        "id": arrow,
        "name": "delegates",
        "cat": "delegation",
        "pid": SLOTS,
        "tid": lane,
        "ts": at_us,
    }
    return entry | ({"bp": "e"} if phase == "f" else {})


def _instant(event: Event, at_us: int) -> Entry:
    return {
        "ph": "i",
        "s": "t",
        "name": event.type,
        "cat": "tree",
        "pid": SLOTS,
        "tid": TREE,
        "ts": at_us,
        "args": dict(event.data),
    }


def _lane_named(pid: int, lane: int) -> Entry:
    return _named("thread_name", pid, lane, f"{_LANES[pid]} {lane}")


def _named(what: str, pid: int, lane: int, name: str) -> Entry:
    return {"ph": "M", "name": what, "pid": pid, "tid": lane, "args": {"name": name}}
