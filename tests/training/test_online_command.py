"""`banyan-train run`: what it refuses before anything is spent, and how it says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from training.main import app

NOWHERE = "http://127.0.0.1:9"


def run(root: Path, *arguments: str, log: bool = True) -> Result:
    """The command, with everything that it must be given."""
    given = [
        *("run", "--run", str(root / "run"), "--model", str(root), "--eval-engine", NOWHERE),
        *("--url", NOWHERE, "--policy-dir", str(root / "policies")),
        *(["--log", str(root / "log")] if log else []),
    ]
    return CliRunner().invoke(app, [*given, *arguments], env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--ahead", "3"), "older than max_staleness"),
        (("--group-size", "1"), "--group-size"),
        (("--", "--loss", "reinforce"), "reinforce"),
        (("--", "--parent", "policy-v1"), "set by the loop itself"),
    ],
    ids=["too far ahead", "no group", "no loss", "the loop's own"],
)
def test_wrong_usage_is_refused(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    result = run(tmp_path, *arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert not list(tmp_path.iterdir())


def test_a_run_without_a_log_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, log=False)
    assert result.exit_code == 2
    assert "BANYAN_TRAJECTORY_DIR" in result.output


def test_an_unknown_environment_is_named(tmp_path: Path) -> None:
    result = run(tmp_path, "--environment", "maze", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["code"] == "unknown_environment"
    assert "lookup" in said["hint"]


def test_a_measuring_server_that_is_not_there_is_told_before_a_run_begins(tmp_path: Path) -> None:
    result = run(tmp_path, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "engine_unavailable"
    assert not (tmp_path / "run").exists()
