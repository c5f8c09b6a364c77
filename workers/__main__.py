"""`python -m workers`: imports the worker, and runs it until SIGTERM."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

from banyan.no_arguments import take_none


def load() -> Callable[[], int]:
    """Import the program. All of it stays: to look for garbage meanwhile takes a twentieth."""
    gc.disable()
    try:
        from workers.main import main  # noqa: PLC0415
    finally:
        gc.enable()
    return main


if __name__ == "__main__":
    take_none("python -m workers", "Runs nodes of trees, until SIGTERM comes.")
    sys.exit(load()())
