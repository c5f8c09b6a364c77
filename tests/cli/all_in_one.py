"""`banyan up` as a subprocess: what it says, what it has started, and whether that is gone."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from banyan.local.ports import free_port
from tests.cli.commands import BANYAN, environment
from tests.cli.groups import group_members
from tests.fixtures.waiting import wait_for


class Up:
    """Runs it with `--json`; `temporary` is where it and its children put temporary files."""

    def __init__(self, temporary: Path, *arguments: str) -> None:
        self.temporary = temporary
        self.port = free_port()
        self.events: list[dict[str, Any]] = []
        self._errors = (temporary.parent / f"{temporary.name}.stderr").open("w+")
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [BANYAN, "up", "--json", "--port", str(self.port), *arguments],
            env=environment({"TMPDIR": str(temporary)}),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        self.groups: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        self._errors.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stderr(self) -> str:
        self._errors.seek(0)
        return self._errors.read()

    def until(self, event: str) -> dict[str, Any]:
        """Read what it says up to `event`; fails where it ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] in ("up", "ready"):
                self.groups = [child.pid for child in self.children()]
            if self.events[-1]["event"] == event:
                return self.events[-1]
        raise AssertionError(f"it ended without {event}: {self.events} {self.stderr}")

    def children(self) -> list[psutil.Process]:
        """What it has started, watchdog included."""
        return psutil.Process(self.process.pid).children()

    def child(self, part: str) -> psutil.Process:
        """The one whose command line names `part`."""
        found = [one for one in self.children() if any(part in word for word in one.cmdline())]
        assert len(found) == 1, (part, found)
        return found[0]

    def interrupt(self) -> int:
        """Ctrl-C, then its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait()

    def wait_until_all_is_gone(self) -> None:
        """No process of any group that it had started, and nothing in the temporary folder."""
        assert self.groups
        wait_for(lambda: not any(map(group_members, self.groups)), "the end of its children")
        wait_for(lambda: not list(self.temporary.iterdir()), "the removal of its folder")
