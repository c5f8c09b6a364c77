"""Where there is no browser, what was not run is named; it never passes in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from banyan.local import programs

ROOT = Path(__file__).resolve().parents[2]
ONE = "tests/web/test_units.py::test_unit[ticks are round numbers within the axis]"


def test_tests_that_have_no_browser_are_named_at_the_end(tmp_path: Path) -> None:
    """With an empty PATH there is neither a browser nor a package manager to install it."""
    env = programs.environment({"PATH": str(tmp_path)})
    done = subprocess.run(  # noqa: S603  # our own tests
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ONE],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{ONE} was not run: no Chromium" in done.stdout
    assert "apt-get install chromium" in done.stdout
    assert "1 skipped" in done.stdout
