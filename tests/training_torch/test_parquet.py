"""The log as Parquet: every column, nothing lost, and read again as if it were the log."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from banyan.trajectory import LoggedNode, LoggedOutcome
from tests.training.logged import drawn, node, turn, write_log
from tests.training_torch.rollouts import settings, write_rollouts
from tests.training_torch.tiny_llama import Scorer, write_model
from training import parquet
from training.main import app
from training.records import read_trees
from training.update import update


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def trees(answer: object = "Ann") -> list[list[LoggedNode]]:
    choice = drawn("answer", {"answer": -0.1, "delegate": -2.4}, (1, 2))
    outcome = LoggedOutcome(status="ok", complete=True, answer=answer, failure=None)
    return [
        [msgspec.structs.replace(node(tree, turns=[one], success=success), outcome=outcome)]
        for tree, one, success in (
            ("a", turn((1, 2), (3, 4), (-0.5, -0.25), choice), 1.0),
            ("b", turn((1, 2), (5,), (-1.5,)), 0.0),
        )
    ]


@pytest.mark.parametrize("answer", ["Ann", None, 3, {"names": ["Ann", "Bo"]}])
def test_records_come_back_as_they_were(tmp_path: Path, answer: object) -> None:
    log, out = write_log(tmp_path / "log", trees(answer)), tmp_path / "trees.parquet"
    done = run("export", log, out, "--format", "parquet", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["nodes"] == 2
    back = [one for tree in read_trees(out) for one in tree.nodes]
    assert back == [one for tree in trees(answer) for one in tree]


def test_a_file_has_every_column_whatever_its_rows_hold(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty.parquet", tmp_path / "full.parquet"
    assert parquet.write(empty, []) == 0
    assert parquet.write(full, [one for tree in trees() for one in tree]) == 2
    assert pq.read_schema(empty) == pq.read_schema(full)
    assert pq.read_schema(full).names == list(LoggedNode.__struct_fields__)


def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    lone = write_log(tmp_path / "log", trees()[:1])
    done = run("export", lone, tmp_path / "trees.parquet", "--format", "parquet")
    assert (done.exit_code, "single_group 1" in done.output) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_parquet_file_that_is_no_log_is_damage_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    parquet.write(path, [one for tree in trees() for one in tree])
    path.write_bytes(path.read_bytes()[:-40])
    done = run("check", path, "--json")
    [damage] = json.loads(done.stdout)["damage"]
    assert (done.exit_code, damage["code"], "cut.parquet" in damage["message"]) == (
        1,
        "unreadable_file",
        True,
    )


def test_an_update_from_parquet_is_the_update_from_the_log(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny")
    log, out = write_rollouts(tmp_path / "log", Scorer.of(model)), tmp_path / "trees.parquet"
    assert run("export", log, out, "--format", "parquet").exit_code == 0
    found = settings(model)
    found = replace(found, trainer=replace(found.trainer, epochs=1))
    from_log, from_parquet = (
        update(source, tmp_path / name, found) for source, name in ((log, "v1"), (out, "v2"))
    )
    assert from_log["rows"] == from_parquet["rows"] > 0
    assert from_log["last_loss"] == from_parquet["last_loss"]


def test_the_tests_see_pyarrow_as_the_command_does() -> None:
    assert "pyarrow" in sys.modules
