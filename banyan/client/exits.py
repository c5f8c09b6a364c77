"""Exit codes of the command line; scripts may rely on them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `banyan --help` needs the codes, and nothing that is slow to import
    from banyan.tree import TreeStatus


class Exit(IntEnum):
    """0 is success; `banyan solve` tells how a solve ended by 5, 6 and 7."""

    OK = 0
    ERROR = 1
    USAGE = 2
    MISSING = 3
    NOT_STARTED = 4
    PARTIAL = 5
    FAILED = 6
    CANCELLED = 7


EXIT_CODES_HELP = (
    "Exit codes: 0 ok, 1 error, 2 wrong usage, 3 something is missing (Redis, engine, model), "
    "4 did not start, 5 partial answer, 6 failed, 7 cancelled."
)


def exit_of(status: TreeStatus) -> Exit:
    """The exit code that tells how a solve ended. Raises ValueError while it runs."""
    match status:
        case "completed":
            return Exit.OK
        case "partial":
            return Exit.PARTIAL
        case "failed":
            return Exit.FAILED
        case "cancelled":
            return Exit.CANCELLED
        case _:
            raise ValueError(f"a solve that is {status} has no exit code yet")
