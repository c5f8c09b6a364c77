"""Processes: children in process groups of their own, with logs in files, and none left behind.

Every child leads its own session, so that a Ctrl-C in the terminal reaches the parent alone, which
then stops them in the reverse order of their start: SIGTERM, and SIGKILL after a grace. A watchdog
process does the same where the parent dies without a chance to (see `watchdog.py`).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from banyan.local import watchdog

GRACE_S = 10.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Child:
    """A started process; its group's id is its own id. `log` holds its output and errors."""

    name: str
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def returncode(self) -> int | None:
        """None while it runs; negative numbers name the signal that ended it."""
        return self.process.poll()

    def tail(self, num_lines: int = 15) -> str:
        """The last lines of its log; empty where there are none."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as lines:
                return "".join(deque(lines, maxlen=num_lines)).rstrip()
        except FileNotFoundError:
            return ""


class Processes:
    """A set of children that ends as one. Use it as a context manager."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._children: list[Child] = []
        self._folders: list[Path] = []
        self._watchdog = subprocess.Popen(  # noqa: S603 - our own file under our own interpreter
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def children(self) -> tuple[Child, ...]:
        """Those that were started and not stopped, in the order of their start."""
        return tuple(self._children)

    def start(
        self, name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None
    ) -> Child:
        """Start `argv` in a session of its own. Raises OSError where it cannot be executed."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        log = self._log_dir / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - callers build argv from known programs
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        self._tell(f"+{process.pid}")
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def owns_folder(self, folder: Path) -> None:
        """Remove `folder` when everything has stopped."""
        self._folders.append(folder)
        self._tell(f"folder {folder}")

    def dead(self) -> Child | None:
        """A child that has ended although nobody stopped it."""
        return next((child for child in self._children if child.returncode() is not None), None)

    def stop_child(self, child: Child, grace_s: float = GRACE_S) -> None:
        """End the child's whole group and wait until it is gone."""
        watchdog.signal_group(child.pid, signal.SIGTERM)
        if not self._gone(child, grace_s):
            watchdog.signal_group(child.pid, signal.SIGKILL)
            self._gone(child, GRACE_S)
        self.forget(child)

    def forget(self, child: Child) -> None:
        """Leave a child that has ended out of what is watched and stopped."""
        self._tell(f"-{child.pid}")
        self._children.remove(child)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop the children, the last one first, then remove the folders. Safe to call twice."""
        while self._children:
            self.stop_child(self._children[-1], grace_s)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()
        self._tell("done")
        if self._watchdog.stdin is not None:
            with contextlib.suppress(OSError):
                self._watchdog.stdin.close()
        self._watchdog.wait()

    def kill(self) -> None:
        """End everything at once, without a grace."""
        for child in self._children:
            watchdog.signal_group(child.pid, signal.SIGKILL)
        self.stop(grace_s=0.0)

    def _gone(self, child: Child, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while True:
            # `poll` reaps the leader; the group lives on while it has other members.
            if child.returncode() is not None and not watchdog.group_alive(child.pid):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)

    def _tell(self, order: str) -> None:
        pipe = self._watchdog.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watchdog
                pipe.write(f"{order}\n".encode())
                pipe.flush()
