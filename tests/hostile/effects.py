"""Effects on the world outside of this process: connections, and programs that are started."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import pytest

WATCHED = (
    *("socket.connect", "socket.getaddrinfo", "socket.sendto"),
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn"),
)
"""Audit events, by how they begin: of whatever leaves the process."""

_seen: Counter[str] = Counter()
_watching: list[bool] = []


def _note(event: str, _: object) -> None:
    if _watching and event.startswith(WATCHED):
        _seen[event] += 1


sys.addaudithook(_note)


@pytest.fixture
def effects() -> Iterator[Counter[str]]:
    """What this process did to the world outside while the test ran."""
    _seen.clear()
    _watching.append(True)
    yield _seen
    _watching.clear()
