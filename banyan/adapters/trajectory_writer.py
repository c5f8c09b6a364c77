"""Trajectory writer: from the queue of finished trees to files, one for each tree and generation.

Crash-safe by order: a file is staged, renamed and only then acknowledged. A writer that dies leaves
the tree in the queue; whoever writes it again writes the same file.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog
import zstandard

from banyan import signals
from banyan.adapters.blobs import Staged
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_log import TrajectoryLog
from banyan.errors import NotFound, PackError
from banyan.logged import (
    Opened,
    logged_node,
    opened,
    prefix_of,
    read_back,
    same_place,
    tree_part,
    without_content,
)
from banyan.ports import FinishedTree, Metrics, StoredNode, TrajectoryQueue
from banyan.state import unpack
from banyan.task import Task
from banyan.trajectory import LoggedNode, LoggedTree
from banyan.tree import FINAL, TreeRecord

log = structlog.get_logger(__name__)

Redact = Callable[[LoggedNode], LoggedNode | None]
"""An operator's own function: what may be kept of a record; None: nothing but its place."""

_PAGE = 64
_LEVEL = 1


class TrajectoryWriter:
    """Writes what the queue has. One instance belongs to one event loop.

    `lease_s`: how long a tree is kept from other writers, after which it is given up. `counts`: of
    trees and nodes written, of nodes dropped by reason, and of trees lost.
    """

    def __init__(
        self,
        queue: TrajectoryQueue,
        place: TrajectoryLog,
        *,
        redact: Redact | None = None,
        lease_s: float = 120.0,
        metrics: Metrics | None = None,
    ) -> None:
        self._queue = queue
        self._place = place
        self._redact = redact
        self._lease_s = lease_s
        self._metrics = metrics or NoMetrics()
        self.counts: Counter[str] = Counter()

    async def write_due(self) -> int:
        """Write what waits, at most one tree a shard; how many trees were taken up."""
        taken = await self._queue.take(lease_s=self._lease_s, limit=1)
        if taken.num_lost:
            self._lose(taken.num_lost, "expired")
        for tree in taken.trees:
            try:
                await self._write(tree)
            except PackError as error:
                # Maybe a newer worker has packed it: one of these will come by.
                log.warning("tree not logged", tree_id=tree.tree_id, code=error.code)
                continue
            except NotFound as error:
                self._lose(1, error.code)
            await self._queue.acknowledge(tree)
        return len(taken.trees)

    async def _write(self, tree: FinishedTree) -> None:
        record = await self._queue.tree(tree.tree_id)
        if not _is(record, tree):
            return  # opened again: what it ends as is logged then, with all of its turns
        task = unpack(record.task, Task)
        num_nodes = record.usage.nodes if task.train else 1
        part = tree_part(record, task, num_nodes)
        key = TrajectoryFolder.key(tree, part.finished_at)
        with await asyncio.to_thread(self._place.stage) as staged:
            lines = _Lines(staged)
            writing = _Writing(record, task, part, lines)
            for offset in range(0, num_nodes, _PAGE):
                limit = min(_PAGE, num_nodes - offset)
                nodes = await self._queue.nodes(tree.tree_id, offset=offset, limit=limit)
                if len(nodes) != limit:
                    raise NotFound(f"solve {tree.tree_id} has fewer nodes than it counted")
                read = await asyncio.to_thread(_open, nodes)
                await self._inherit(writing, read)
                await asyncio.to_thread(self._add, writing, read)
            if not _is(await self._queue.tree(tree.tree_id), tree):
                return
            await asyncio.to_thread(lines.keep, key)
        self.counts.update({"trees": 1, "nodes": num_nodes})
        self._metrics.count(signals.LOGGED_TREES, "written")
        log.debug("tree logged", tree_id=tree.tree_id, nodes=num_nodes)

    async def _inherit(self, writing: _Writing, nodes: Sequence[Opened]) -> None:
        """Load the prefixes that these nodes' prompts begin with. Raises NotFound, PackError."""
        for name in {node.inherited for node in nodes} - writing.prefixes.keys() - {""}:
            prefix = prefix_of(await self._queue.shared(writing.record.id, name))
            if prefix is not None:
                writing.prefixes[name] = prefix

    def _add(self, writing: _Writing, nodes: Sequence[Opened]) -> None:
        task = writing.task
        for read in nodes:
            node = logged_node(writing.record, task, writing.part, read, writing.prefixes)
            if not task.train:
                node = without_content(node, "opted_out")
            elif self._redact is not None:
                node = self._redacted(read_back(node), self._redact)
            if node.dropped is not None:
                self.counts[node.dropped] += 1
            writing.lines.add(node)

    def _redacted(self, node: LoggedNode, redact: Redact) -> LoggedNode:
        """What the operator lets pass. A function that fails lets nothing pass."""
        try:
            changed = redact(node)
            if changed is None:
                return without_content(node, "redacted")
            checked = read_back(changed)
            if not same_place(checked, node):
                raise ValueError("a redaction must not move a node")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001  # whatever the operator's code raises
            # Neither the error's text nor a traceback: they may hold what was to be kept out.
            log.warning("redaction failed", node=node.node_id, error=type(error).__name__)
            return without_content(node, "redaction_failed")
        return checked

    def _lose(self, num_trees: int, code: str) -> None:
        self.counts["lost"] += num_trees
        self._metrics.count(signals.LOGGED_TREES, "lost", amount=num_trees)
        log.warning("trees lost to the log", count=num_trees, code=code)


class _Lines:
    """A compressed file of JSON lines that is being staged."""

    def __init__(self, staged: Staged) -> None:
        self._staged = staged
        self._encoder = msgspec.json.Encoder()
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()

    def add(self, node: LoggedNode) -> None:
        line = self._encoder.encode(node) + b"\n"
        if compressed := self._compressor.compress(line):
            self._staged.write(compressed)

    def keep(self, key: str) -> None:
        self._staged.write(self._compressor.flush())
        self._staged.keep(key)


@dataclass(frozen=True, slots=True)
class _Writing:
    """A tree on its way into a file. `prefixes`: what its nodes share, by name."""

    record: TreeRecord
    task: Task
    part: LoggedTree
    lines: _Lines
    prefixes: dict[str, bytes] = field(default_factory=dict)


def _open(nodes: Sequence[StoredNode]) -> list[Opened]:
    return [opened(node) for node in nodes]


def _is(record: TreeRecord, tree: FinishedTree) -> bool:
    """Whether the tree is still as it was when it was queued."""
    return record.status in FINAL and record.generation == tree.generation
