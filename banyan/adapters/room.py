"""Room: what a full disk is told as, wherever something is written to one."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from banyan.errors import StoreFull

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: OSError) -> bool:
    """Whether the disk, a quota on it or a limit of the process leaves no room."""
    return error.errno in _NO_ROOM


@contextlib.contextmanager
def room(what: str) -> Iterator[None]:
    """Raises StoreFull where there is no room for `what`, which is written inside."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise StoreFull(f"no room for {what}: {error.strerror}") from error
