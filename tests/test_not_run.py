"""Where a program is missing, the tests that need it are named; they never pass in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from banyan.local import programs

ROOT = Path(__file__).resolve().parents[1]
IN_A_BROWSER = "tests/web/test_units.py::test_unit[ticks are round numbers within the axis]"
IN_A_SHELL = "tests/cli/test_completion.py::test_a_new_shell_completes[fish-command]"


@pytest.mark.parametrize(("test", "package"), [(IN_A_BROWSER, "chromium"), (IN_A_SHELL, "fish")])
def test_tests_that_lack_a_program_are_named_at_the_end(
    test: str, package: str, tmp_path: Path
) -> None:
    """With an empty PATH there is neither the program nor a package manager to install it."""
    env = programs.environment({"PATH": str(tmp_path)})
    done = subprocess.run(  # noqa: S603  # our own tests
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{test} was not run: no {package} on PATH" in done.stdout
    assert f"apt-get install {package}" in done.stdout
    assert "1 skipped" in done.stdout
