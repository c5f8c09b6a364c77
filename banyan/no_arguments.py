"""The command line of a program that is configured by variables alone: `--help`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def take_none(program: str, about: str, arguments: Sequence[str] | None = None) -> None:
    """Print what the program is for `--help`, and refuse whatever else is given.

    `arguments` default to those of this process. Raises SystemExit: 0 for `--help`, 2 for others.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description=about,
        epilog="Settings are variables that begin with BANYAN_: docs/running.md.",
    )
    parser.parse_args(arguments)
