"""The layout holds: imports point one way, and the generic names are ours wherever we start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from banyan.local import programs

PROGRAMS = ("service", "workers", "training")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A folder like site-packages that has packages of our programs' names."""
    for name in PROGRAMS:
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").write_text("raise SystemExit('a decoy was imported')\n")
        (package / "__main__.py").write_text("raise SystemExit('a decoy was run')\n")
    return tmp_path


def run(
    argv: list[str], *, env: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command lines
        argv, env=env, cwd=cwd, capture_output=True, text=True, check=False
    )


def test_imports_point_one_way() -> None:
    result = run([str(Path(sys.executable).parent / "lint-imports")], env=dict(os.environ))
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_our_programs_win_over_packages_of_the_same_name(decoys: Path) -> None:
    """Both in the folder where a program is started and on the path for packages."""
    find = (
        "import importlib.util, json\n"
        f"print(json.dumps([importlib.util.find_spec(n).origin for n in {PROGRAMS!r}]))\n"
    )
    env = programs.environment({"PYTHONPATH": str(decoys)})
    result = run([sys.executable, "-P", "-c", find], env=env, cwd=decoys)
    assert json.loads(result.stdout) == [str(ROOT / name / "__init__.py") for name in PROGRAMS]


def test_the_train_command_runs_ours_although_a_decoy_stands_before_it(decoys: Path) -> None:
    """An editable install comes last on the path, behind everything in site-packages."""
    become = "import sys; sys.argv = ['banyan-train', '--help']; from banyan.local import programs"
    env = programs.environment({"PYTHONPATH": str(decoys)})
    result = run(
        [sys.executable, "-c", f"{become}; programs.train()"],
        env={**env, "PYTHONPATH": os.pathsep.join([str(decoys), str(ROOT)])},
        cwd=decoys,
    )
    assert result.returncode == 0, result.stderr
    assert "Train the policy" in result.stdout


def test_a_path_that_names_us_already_stays_once() -> None:
    env = programs.environment({"PYTHONPATH": os.pathsep.join(["/elsewhere", str(ROOT)])}, base={})
    assert env == {"PYTHONPATH": os.pathsep.join([str(ROOT), "/elsewhere"])}


def test_the_installed_commands_are_there() -> None:
    for name in ("banyan", "banyan-train"):
        result = run([str(Path(sys.executable).parent / name), "--help"], env=dict(os.environ))
        assert result.returncode == 0, result.stderr


def test_an_unknown_training_command_is_wrong_usage() -> None:
    result = run(programs.command("training", "no-such-command"), env=programs.environment())
    assert result.returncode == 2
    assert "no-such-command" in result.stderr
    assert "Usage: banyan-train" in result.stderr
