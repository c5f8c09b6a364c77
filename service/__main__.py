"""`python -m service`: imports the service, and serves until a signal comes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

from banyan.no_arguments import take_none


def load() -> Callable[[], int]:
    """Import the program. All of it stays: to look for garbage meanwhile takes a twentieth."""
    gc.disable()
    try:
        from service.main import main  # noqa: PLC0415
    finally:
        gc.enable()
    return main


if __name__ == "__main__":
    take_none("python -m service", "Answers requests, until a signal comes.")
    sys.exit(load()())
