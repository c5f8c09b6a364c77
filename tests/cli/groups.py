"""Process groups, as the tests of the command line look at them."""

from __future__ import annotations

import os

import psutil


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
