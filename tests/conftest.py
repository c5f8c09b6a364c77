"""Fixtures that every test may use; the real parts are started once a session, on first use."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.not_run import why_not_run

pytest_plugins = [
    "tests.fixtures.bucket",
    "tests.fixtures.busy",
    "tests.fixtures.engines",
    "tests.fixtures.fake_engine",
    "tests.fixtures.valkey",
]

_NEEDS_TORCH = Path(__file__).parent / "training_torch"
_NEEDS_CONTAINERS = Path(__file__).parent / "images"
_HAS_TORCH = find_spec("torch") is not None


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Tests that need torch run in the trainer's environment: `make train-test`.

    Those that build images take minutes, and root: `make images-check`, where this file has no say.
    """
    left_out = {_NEEDS_CONTAINERS} | (set() if _HAS_TORCH else {_NEEDS_TORCH})
    return True if collection_path in left_out else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _HAS_TORCH:
        terminalreporter.write_line(
            "tests/training_torch was left out: torch is not here; `make train-test` runs it"
        )
    for report in terminalreporter.stats.get("skipped", []):
        why = why_not_run(report)
        if why is not None:
            terminalreporter.write_line(f"{report.nodeid} was not run: {why}")
