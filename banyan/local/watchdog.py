"""Watchdog: ends process groups and removes folders when the process that started them is gone.

A small process of its own, told over its standard input what exists: `+PGID` and `-PGID` for
process groups, `folder PATH` for what is temporary, `done` when all was stopped in order. The end
of the input without `done` means that the parent died, by SIGKILL even: then the watchdog cleans
up in its place. It imports the standard library alone and runs under `python -I -S`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

GRACE_S = 5.0
_POLL_S = 0.05


def group_alive(pgid: int) -> bool:
    """Whether any process is in the group. Zombies that nobody has waited for count too."""
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def signal_group(pgid: int, number: signal.Signals) -> None:
    """Signal every process of the group; one that is gone already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, number)


def end_groups(pgids: Iterable[int], grace_s: float = GRACE_S) -> None:
    """SIGTERM to all, then SIGKILL to those that are still there after `grace_s`."""
    left = list(pgids)
    for pgid in left:
        signal_group(pgid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while left and time.monotonic() < deadline:
        left = [pgid for pgid in left if group_alive(pgid)]
        time.sleep(_POLL_S)
    for pgid in left:
        signal_group(pgid, signal.SIGKILL)


def main() -> int:
    """Read orders until the input ends."""
    # It ends with its pipe and by nothing else: a Ctrl-C is for the parent to handle.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    folders: list[str] = []
    for line in sys.stdin:
        order = line.rstrip("\n")
        if order == "done":
            return 0
        if order.startswith("+"):
            groups.append(int(order[1:]))
        elif order.startswith("-"):
            with contextlib.suppress(ValueError):
                groups.remove(int(order[1:]))
        elif order.startswith("folder "):
            folders.append(order.removeprefix("folder "))
    end_groups(reversed(groups))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
