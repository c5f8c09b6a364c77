"""Trajectory logs for tests: grown by the kernel, written by the real writer, then looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_writer import Redact, TrajectoryWriter
from banyan.feedback import Feedback, derived_key
from banyan.feedback_source import Source
from banyan.task import Gate
from banyan.trajectory import LoggedNode
from banyan.tree import TreeRecord
from tests.growing import Grower, sentences

NOW = 1_000_000.0


@dataclass
class Log:
    """A grower that logs, and the folder it logs to."""

    root: Path
    redact: Redact | None = None
    place: Any = None
    """Instead of the folder `root`."""
    grower: Grower = field(default_factory=lambda: Grower(now=NOW, logs=True))

    def __post_init__(self) -> None:
        self.queue = MemoryTrajectoryQueue(self.grower.store)
        self.folder = self.place or TrajectoryFolder(self.root)
        self.writer = TrajectoryWriter(self.queue, self.folder, redact=self.redact)

    async def grow(self, goal: str = "Which one?", text: str = "", **task: Any) -> TreeRecord:
        """A tree that is in the log; of a rollout where a group is named."""
        if "group_id" in task:
            task = {"profile": "rollout", "gate": Gate(mode="sampled"), **task}
        tree = await self.grower.grow(goal, *([text] if text else []), **task)
        await self.write()
        return tree

    async def write(self) -> None:
        while await self.writer.write_due():
            pass

    async def group(self, group_id: str, size: int = 2) -> list[TreeRecord]:
        """Rollouts of one task, each with a success of its root."""
        trees = [await self.grow(text=sentences(30), group_id=group_id) for _ in range(size)]
        for tree in trees:
            self.say(tree, 1.0)
        return trees

    def say(
        self,
        tree: TreeRecord,
        value: float,
        *,
        node: str = "0",
        source: Source = "verifier",
        at: float = NOW,
        key: str | None = None,
    ) -> None:
        self.folder.append(
            Feedback(
                tree_id=tree.id,
                node_id=node,
                value=value,
                source=source,
                comment=None,
                key=key or derived_key(tree.id, node, value, source, ""),
                at=at,
            )
        )

    def files(self) -> list[Path]:
        return sorted(self.root.glob("trees/*/*.jsonl.zst"))

    def nodes(self) -> list[LoggedNode]:
        """All records of all files, by the strict decoder."""
        return [
            msgspec.json.decode(line, type=LoggedNode)
            for file in self.files()
            for line in read_zst(file).splitlines()
        ]


def names(folder: Path) -> list[str]:
    """What lies in a folder, other folders included."""
    return sorted(path.name for path in folder.iterdir())


def read_zst(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())


def write_zst(path: Path, text: bytes) -> None:
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(text))


def edit(path: Path, line: int, **changes: Any) -> None:
    """Change fields of one record of a file (`turns__0__logprobs` names nested ones)."""
    lines = read_zst(path).splitlines()
    record = json.loads(lines[line])
    for name, value in changes.items():
        place: Any = record
        *above, last = name.split("__")
        for part in above:
            place = place[int(part) if part.isdigit() else part]
        place[int(last) if last.isdigit() else last] = value
    lines[line] = json.dumps(record).encode()
    write_zst(path, b"\n".join(lines) + b"\n")
