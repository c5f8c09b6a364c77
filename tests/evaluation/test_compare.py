"""Runs beside each other: the same items, one group of settings each, differences item by item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from banyan.evaluation.compare import compare
from banyan.evaluation.errors import Unknown
from banyan.evaluation.past import read_past
from banyan.evaluation.plan import SERVICE
from banyan.evaluation.records import Record
from banyan.local.errors import Missing
from tests.cli.commands import banyan
from tests.evaluation.makers import answered, record

SMALL, LARGE = {"model": "small"}, {"model": "large"}


def keep(folder: Path, *records: Record) -> str:
    """Write a run of the set `maze`; its folder."""
    folder.mkdir()
    lines = "".join(f"{one.model_dump_json()}\n" for one in records)
    (folder / "maze.jsonl").write_text(lines)
    return str(folder)


@pytest.fixture
def small(tmp_path: Path) -> str:
    cost = answered("yes", prompt_tokens=90, completion_tokens=10, seconds=2.0, actions=4)
    of_small = {"settings": SMALL, "answered": cost, "engine_peak_bytes": 2**30}
    return keep(
        tmp_path / "small",
        record("q1", SERVICE, 1.0, **of_small),
        record("q1", "head", 0.0, **of_small),
        record("q2", SERVICE, 1.0, **of_small),
        record("q3", SERVICE, 1.0, **of_small),
    )


@pytest.fixture
def large(tmp_path: Path) -> str:
    of_large = {"settings": LARGE, "engine_peak_bytes": 4 * 2**30}
    return keep(
        tmp_path / "large",
        record("q2", "head", 1.0, **of_large),
        record("q1", "head", 0.0, **of_large),
    )


def test_only_items_that_all_runs_have_are_compared(small: str, large: str) -> None:
    summary = compare("maze", [small, f"{large}:head"])
    ours, theirs = summary.rows
    assert (ours.system, theirs.system) == ("small", "large:head")
    assert ours.score is not None
    assert theirs.score is not None
    assert (ours.score.mean, ours.score.n, theirs.score.mean, theirs.score.n) == (1.0, 2, 0.5, 2)
    assert (ours.tokens_per_input_token, ours.seconds) == (1.0, 2.0)
    assert (ours.engine_peak_bytes, theirs.engine_peak_bytes) == (2**30, 4 * 2**30)
    (versus,) = summary.versus
    assert (versus.system, versus.other) == ("large:head", "small")
    assert (versus.difference.mean, versus.difference.n) == (-0.5, 2)
    assert "model small" in summary.notes[0]
    assert "1 items that not all runs have are left out" in summary.notes[0]
    assert summary.notes[1].endswith("head, model large")


def test_two_systems_of_one_run_can_be_compared(small: str) -> None:
    summary = compare("maze", [f"{small}:head", small])
    assert [one.difference.mean for one in summary.versus] == [1.0]


def test_answers_under_other_settings_are_left_out_and_counted(tmp_path: Path) -> None:
    run = keep(
        tmp_path / "run",
        record("q1", SERVICE, 0.0, settings=LARGE),
        record("q1", SERVICE, 0.0, settings=SMALL, at=1.0),
        record("q1", SERVICE, 1.0, settings=SMALL, at=2.0),
    )
    past = read_past(Path(run), "maze", None)
    assert [(one.score, one.at) for one in past.records] == [(1.0, 2.0)]
    assert past.num_others == 1


def test_runs_in_folders_of_the_same_name_keep_their_whole_path(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        keep(tmp_path / place / "run", record("q1", SERVICE, 1.0))
    runs = [str(tmp_path / place / "run") for place in ("here", "there")]
    assert [row.system for row in compare("maze", runs).rows] == runs


def test_the_only_system_need_not_be_named(large: str) -> None:
    assert len(read_past(Path(large), "maze", None).records) == 2


def test_what_cannot_be_compared_is_told(small: str, large: str, tmp_path: Path) -> None:
    other = keep(tmp_path / "other", record("q9", SERVICE, 1.0))
    with pytest.raises(Unknown, match="nothing to compare"):
        compare("maze", [small, small])
    with pytest.raises(Unknown, match="no item"):
        compare("maze", [small, other])
    with pytest.raises(Unknown, match="'bm25'") as caught:
        compare("maze", [small, f"{large}:bm25"])
    assert "Systems: head" in caught.value.hint
    with pytest.raises(Missing, match=r"qmsum\.jsonl is not there"):
        compare("qmsum", [small, large])
    (tmp_path / "other" / "maze.jsonl").write_text("{}\n")
    with pytest.raises(Missing, match="no answers"):
        compare("maze", [small, other])


def test_the_command_prints_one_table(small: str, large: str) -> None:
    done = banyan("eval-compare", "maze", small, large)
    assert done.returncode == 0, done.stderr
    assert "large - small" in done.stdout
    assert "4.00G" in done.stdout
    told = json.loads(banyan("eval-compare", "maze", small, large, "--json").stdout)
    assert [row["system"] for row in told["rows"]] == ["small", "large"]
    assert banyan("eval-compare", "maze", small, "nowhere").returncode == 3
