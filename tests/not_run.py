"""Tests that need a program that cannot be had: skipped, and named at the end of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.debian import NotHere, Package, program

_MISSING = "a program is missing: "
"""What the reasons of such skips begin with."""


def needed(package: Package, have: Callable[[Package], Path] = program) -> Path:
    """The program of a package; skips the test where it cannot be had. `have` is how it is had."""
    try:
        return have(package)
    except NotHere as error:
        pytest.skip(f"{_MISSING}{error}")


def why_not_run(report: pytest.TestReport) -> str | None:
    """Which program a skipped test lacked; None where it was skipped for something else."""
    if not isinstance(report.longrepr, tuple):
        return None
    _, found, why = report.longrepr[2].partition(_MISSING)
    return why if found else None
