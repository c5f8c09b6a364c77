"""The trajectory log as a folder: a file for each finished tree, and feedback beside them.

    trees/20261124/solve_<id>.g1.jsonl.zst     one line a node, by the day on which the tree ended
    feedback/20261124.jsonl                    one line each, by the day on which it came

A tree's file appears whole, by a rename, and never changes. A line of feedback begins and ends with
a line break, so that one which was cut off by a crash spoils no other.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from banyan.adapters.blobs import FolderBlobs, Staged
from banyan.adapters.room import room
from banyan.errors import StoreError, StoreFull
from banyan.feedback import Feedback
from banyan.ports import FinishedTree

TREES = "trees"
FEEDBACK = "feedback"
SUFFIX = ".jsonl.zst"

_DAY = re.compile(r"\d{8}")
_STALE_STAGING_S = 86_400.0


class TrajectoryFolder:
    """The log in `root`, which is made at the first write. Blocks; safe between processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._blobs = FolderBlobs(root / TREES)

    def stage(self) -> Staged:
        """A tree's file on its way in, to be kept under its `key`."""
        return self._blobs.stage()

    @staticmethod
    def key(tree: FinishedTree, finished_at: float) -> str:
        """The same for every attempt to write this tree, so that none doubles it."""
        return f"{day_of(finished_at)}/{tree.tree_id}.g{tree.generation}{SUFFIX}"

    def append(self, feedback: Feedback) -> None:
        """Add feedback, durably. Raises StoreFull, or StoreError where it cannot be."""
        folder = self._root / FEEDBACK
        line = b"\n" + msgspec.json.encode(feedback) + b"\n"
        try:
            with room("feedback"):
                folder.mkdir(parents=True, exist_ok=True)
                _append(folder / f"{day_of(feedback.at)}.jsonl", line)
        except OSError as error:
            raise StoreError(f"feedback was not written: {error.strerror}") from error

    def remove_old(self, days: float, *, now: float | None = None) -> int:
        """Remove what is of days longer ago than `days`, and what crashed writers left behind.

        Returns how many days' trees and feedback were removed.
        """
        now = time.time() if now is None else now
        last = day_before(now, days)
        num_removed = 0
        for folder in (self._root / TREES, self._root / FEEDBACK):
            for entry in folder.iterdir() if folder.is_dir() else ():
                if not _DAY.fullmatch(entry.name.removesuffix(".jsonl")) or entry.name[:8] >= last:
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)
                num_removed += 1
        self._blobs.remove_staged(before=now - _STALE_STAGING_S)
        return num_removed


def _append(path: Path, line: bytes) -> None:
    """Add `line` to a file in one write, and flush it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if os.write(descriptor, line) != len(line):
            raise StoreFull("feedback was written in part: the disk is full")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def day_of(at: float) -> str:
    """The day in UTC, as `20261124`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d")


def day_before(at: float, days: float) -> str:
    """The day that is `days` before, in UTC."""
    return day_of((datetime.fromtimestamp(at, UTC) - timedelta(days=days)).timestamp())
