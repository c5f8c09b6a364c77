"""A disk that is full, as a process sees it: its writes fail in the same place."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

OURSELVES = 0


@contextmanager
def full_disk(num_bytes: int, pid: int = OURSELVES) -> Iterator[None]:
    """No file of the process grows beyond this, which is what a full disk does to it."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
