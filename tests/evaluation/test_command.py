"""`banyan eval` from the command line to its files, on real parts around the fake model server."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from banyan.evaluation.extra import check_packages
from banyan.evaluation.records import Record
from banyan.local.errors import Missing
from bench.stack import Stack
from tests.cli.commands import BANYAN, banyan, environment

PNG = b"\x89PNG\r\n"


def lines(path: Path) -> list[Record]:
    return [Record.model_validate_json(line) for line in path.read_text().splitlines()]


def test_the_examples_run_and_go_on_where_they_stopped(tmp_path: Path, engine_url: str) -> None:
    engine = ("--engine", engine_url, "--engine-kind", "openai")
    arguments = ("eval", "examples", *engine, "--out", str(tmp_path), "--baseline", "head")

    first = banyan(*arguments, "--json", "--gate", "never")

    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    (summary,) = told["sets"]
    assert told["plan"]["baselines"] == ["head"]
    assert {(row["bucket"], row["system"]) for row in summary["rows"]} == {
        (bucket, system)
        for bucket in ("contract", "codebase", "generation", "all")
        for system in ("banyan", "head")
    }
    assert json.loads((tmp_path / "examples.json").read_text()) == summary
    assert (tmp_path / "examples.png").read_bytes().startswith(PNG)
    records = lines(tmp_path / "examples.jsonl")
    assert {(one.item, one.system) for one in records} == {
        (item, system)
        for item in ("contract", "codebase", "generation")
        for system in ("banyan", "head")
    }
    answers = [one for one in records if one.answered.status != "failed"]
    assert all(one.answered.prompt_tokens > 0 for one in answers)
    assert {one.item for one in answers if one.system == "banyan"} >= {"contract", "generation"}
    assert "examples banyan contract" in first.stderr
    policies = [one.settings["policy"] for one in records if one.system == "banyan"]
    assert all(isinstance(one, dict) and one["word_limits"] is True for one in policies)

    # Only the baseline now, so that nothing is started; all of it is there already.
    again = banyan(*arguments, "--only-baselines")

    assert again.returncode == 0, again.stderr
    assert "contract" in again.stdout
    assert "95 %" in again.stdout
    failed = sum(one.system == "head" for one in records if one not in answers)
    assert len(lines(tmp_path / "examples.jsonl")) == len(records) + failed


def test_servers_that_run_already_are_asked(tmp_path: Path) -> None:
    with Stack(num_workers=1, slots=4, window=2_048) as stack:
        engine = ("--engine", stack.engine_url, "--engine-kind", "openai")
        limits = ("--bucket", "contract", "--parallel", "2", "--out", str(tmp_path))
        done = banyan(
            *("eval", "examples", "--url", stack.url, *engine, "--baseline", "bm25", *limits)
        )
    assert done.returncode == 0, done.stderr
    assert {one.system for one in lines(tmp_path / "examples.jsonl")} == {"banyan", "bm25"}
    assert "redis" not in done.stderr
    assert "banyan - bm25" in done.stdout


def test_ctrl_c_keeps_what_was_answered(tmp_path: Path, slow_engine_url: str) -> None:
    engine = ("--engine", slow_engine_url, "--engine-kind", "openai", "--only-baselines")
    process = subprocess.Popen(  # noqa: S603 - our own command
        [BANYAN, "eval", "examples", *engine, "--baseline", "all", "--out", str(tmp_path)],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first = next(line for line in process.stderr if line.startswith("examples "))
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert process.returncode == 130
    assert "goes on with what is left" in rest
    records = lines(tmp_path / "examples.jsonl")
    assert len(records) == 1 + rest.count("\nexamples ") + rest.startswith("examples ")
    assert f"{records[0].system} {records[0].item}" in first


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nope",), 2, "Sets: squality"),
        (("examples", "--baseline", "nope"), 2, "Baselines: head"),
        (("examples", "--bucket", "nope"), 2, "Buckets: contract"),
        (("examples", "--only-baselines"), 2, "--baseline"),
        (("examples", "--url", "http://127.0.0.1:9", "--small-model"), 2, "leave this out"),
        (("examples", "--url", "http://127.0.0.1:9", "--baseline", "head"), 2, "--engine"),
        (("squality", "--data", "nowhere"), 3, "--data"),
        (("books_lm",), 3, "--engine-kind vllm"),
        (("books_lm", "--engine-kind", "vllm", "--baseline", "head"), 2, "leave --baseline out"),
        (("examples", "--engine", "http://127.0.0.1:9"), 3, "no model server answers"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = banyan("eval", *arguments, "--out", str(tmp_path / "out"))
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_error_is_an_object_for_programs() -> None:
    done = banyan("eval", "nope", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "unknown_name"


def test_packages_that_are_missing_are_told_with_the_extra() -> None:
    check_packages()
    with pytest.raises(Missing, match="no_such_package") as caught:
        check_packages(["json", "no_such_package"])
    assert "eval" in caught.value.hint
