"""Waiting for predicates, and looking at process groups; for the tests of the command line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil

LIMIT_S = 120.0


def wait_for(predicate: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Return when `predicate` holds; fails with `what` after a limit that only a hang reaches."""
    deadline = time.monotonic() + limit_s
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_s:.0f} s for {what}")
        time.sleep(0.02)


def group_members(pgid: int) -> list[int]:
    """Processes of a group that still run; zombies do not."""
    members = []
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if os.getpgid(process.pid) == pgid and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members
