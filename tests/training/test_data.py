"""Which trees may train and why others may not, and what `banyan-train data` says of a log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from banyan.task import Gate
from tests.growing import sentences
from tests.training.logs import NOW, Log, edit, names, read_zst, write_zst
from training.dataset import survey
from training.eligibility import REASONS, Rules, version_number
from training.main import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", *(str(argument) for argument in arguments)])


def reasons(root: Path, rules: Rules | None = None) -> dict[str, int]:
    return dict(survey(root, rules or Rules()).reasons)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


async def test_a_group_of_rollouts_with_success_may_train(log: Log) -> None:
    trees = await log.group("g", size=3)
    found = survey(log.root, Rules())
    assert found.eligible == {(tree.id, 1) for tree in trees}
    assert found.reasons == {}
    tokens = [turn.completion_token_ids or () for node in log.nodes() for turn in node.turns]
    assert found.tally.sampled_tokens == sum(map(len, tokens)) > 0


async def test_each_tree_that_may_not_train_is_counted_under_one_reason(log: Log) -> None:
    await log.group("good")
    await log.grow(text=sentences(30))
    await log.grow(text=sentences(30), train=False)
    await log.grow(text=sentences(30), gate=Gate(mode="sampled"))
    await log.group("alone", size=1)
    await log.grow(text=sentences(30), group_id="unjudged")
    found = survey(log.root, Rules())
    assert len(found.eligible) == 2
    assert found.reasons == {
        "not_sampled": 1,
        "opted_out": 1,
        "temperature": 1,
        "single_group": 1,
        "no_success": 1,
    }
    assert reasons(log.root, Rules(value_baseline=True)).get("single_group") is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": None}, "incomplete"),
        ({"outcome__failure": "worker_lost"}, "incomplete"),
        ({"outcome__failure": "deadline_exceeded"}, "incomplete"),
        ({"tree__status": "cancelled"}, "incomplete"),
        ({"turns__0__sampling__top_p": 0.9}, "temperature"),
        ({"turns__0__sampling__frequency_penalty": 1.0}, "temperature"),
        ({"turns__0__logprobs": None}, "no_token_ids"),
        ({"turns__0__prompt_token_ids": None}, "no_token_ids"),
        ({"turns__0__coalesced": True}, "coalesced"),
        ({"dropped": "redaction_failed"}, "redacted"),
        ({"tree__profile": "serve", "group_id": None}, "no_group"),
    ],
)
async def test_what_a_record_says_keeps_its_tree_out(
    log: Log, changes: dict[str, Any], reason: str
) -> None:
    await log.group("g", size=3)
    edit(log.files()[0], 0, **changes)
    found = survey(log.root, Rules())
    assert found.damage == []
    assert found.reasons == {reason: 1}


@pytest.mark.parametrize("code", ["invalid_action", "money_budget_exhausted"])
async def test_failures_of_the_policys_own_making_train(log: Log, code: str) -> None:
    await log.group("g")
    for file in log.files():
        edit(file, 0, outcome__failure=code, outcome__status="failed")
    assert reasons(log.root) == {}


@pytest.mark.parametrize(
    ("version", "number"), [("base", 0), ("policy-v12", 12), ("v3", 3), ("lora-7-rc", 0)]
)
def test_versions_are_counted_by_their_last_number(version: str, number: int) -> None:
    assert version_number(version) == number


async def test_rows_of_a_policy_too_old_are_stale(log: Log) -> None:
    await log.group("g")
    assert reasons(log.root, Rules(live="policy-v2", max_staleness=2)) == {}
    assert reasons(log.root, Rules(live="policy-v3", max_staleness=2)) == {"stale": 2}


async def test_an_older_generation_is_superseded(log: Log) -> None:
    await log.group("g")
    first, second = log.files()
    again = first.with_name(first.name.replace(".g1.", ".g2."))
    write_zst(again, read_zst(first))
    edit(again, 0, tree__generation=2)
    found = survey(log.root, Rules())
    assert found.reasons == {"superseded": 1}
    assert len(found.eligible) == 2
    assert second.exists()


async def test_the_weightiest_source_and_of_it_the_latest_word_counts(log: Log) -> None:
    tree, other = await log.group("g")
    log.say(tree, 0.25, source="user", at=NOW + 5)
    log.say(tree, 0.75, source="verifier", at=NOW + 1)
    log.say(tree, 0.75, source="verifier", at=NOW + 9)
    log.say(other, 0.0, source="user", key="k", at=NOW + 1)
    found = survey(log.root, Rules())
    node = found.verdicts.latest[tree.id, "0"]
    assert (node.value, node.source) == (0.75, "verifier")
    assert found.verdicts.latest[other.id, "0"].value == 1.0


async def test_feedback_with_the_same_key_counts_once(log: Log) -> None:
    [tree] = await log.group("g", size=1)
    log.say(tree, 0.5, key="once", at=NOW + 1)
    log.say(tree, 0.0, key="once", at=NOW + 2)
    found = survey(log.root, Rules())
    assert found.verdicts.latest[tree.id, "0"].value == 0.5
    assert found.verdicts.num_lines == 3


async def test_a_line_that_a_crash_cut_off_spoils_no_other(log: Log) -> None:
    await log.group("g")
    [file] = (log.root / "feedback").iterdir()
    with file.open("ab") as end:
        end.write(b'\n{"format": "banyan.feed')
    await log.group("h")
    found = survey(log.root, Rules())
    assert [error.code for error in found.damage] == ["bad_feedback"]
    assert len(found.eligible) == 4


async def test_stats_are_counts_for_people_and_for_programs(log: Log) -> None:
    tree = await log.grow("Summarise it.", sentences(2_000))
    await log.group("g")
    shown, as_json = run("stats", log.root), run("stats", log.root, "--json")
    figures = json.loads(as_json.stdout)
    assert (shown.exit_code, as_json.exit_code) == (0, 0)
    assert "may train 2 trees" in shown.stdout
    assert "not_sampled" in shown.stdout
    assert figures["trees"] == 3
    assert figures["nodes"] == tree.usage.nodes + 2
    assert sum(figures["nodes_by_depth"].values()) == figures["nodes"]
    assert figures["eligible"] == {"trees": 2, "nodes": 2}
    assert figures["not_eligible"] == {"not_sampled": 1}
    assert figures["tokens"]["sampled"] > 0
    assert set(figures["policy_versions"]) == {"base"}


@pytest.mark.parametrize("name", ["trees.jsonl", "trees.jsonl.zst"])
async def test_an_export_holds_what_may_train_with_its_success(
    log: Log, tmp_path: Path, name: str
) -> None:
    trees = await log.group("g")
    await log.grow(text=sentences(30))
    out = tmp_path / name
    done = run("export", log.root, out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["left_out"] == {"not_sampled": 1}
    text = read_zst(out) if name.endswith("zst") else out.read_bytes()
    records = [json.loads(line) for line in text.splitlines()]
    assert {record["tree_id"] for record in records} == {tree.id for tree in trees}
    assert [record["success"] for record in records] == [{"value": 1.0, "source": "verifier"}] * 2
    assert names(tmp_path) == ["log", name]
    again = run("check", out)
    assert (again.exit_code, survey(out, Rules()).reasons) == (0, {})


async def test_an_export_without_a_tree_that_may_train_writes_nothing(
    log: Log, tmp_path: Path
) -> None:
    await log.grow(text=sentences(30))
    done = run("export", log.root, tmp_path / "out.jsonl")
    assert done.exit_code == 1
    assert "not_sampled 1" in done.stderr
    assert names(tmp_path) == ["log"]


async def test_an_export_over_damage_is_refused_unless_it_may_be_left_out(
    log: Log, tmp_path: Path
) -> None:
    await log.group("g", size=3)
    edit(log.files()[0], 0, format_version=99)
    out = tmp_path / "out.jsonl"
    refused = run("export", log.root, out)
    assert (refused.exit_code, out.exists()) == (1, False)
    assert "newer_record" in refused.stderr
    done = run("export", log.root, out, "--skip-damaged", "--json")
    assert (json.loads(done.stdout)["trees"], json.loads(done.stdout)["damaged"]) == (2, 1)


async def test_an_export_overwrites_nothing(log: Log, tmp_path: Path) -> None:
    await log.group("g")
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    assert run("export", log.root, out).exit_code == 2
    assert out.read_text() == "mine"


def test_a_folder_without_a_log_is_named(tmp_path: Path) -> None:
    done = run("stats", tmp_path / "nowhere")
    assert done.exit_code == 1
    assert "nowhere" in done.stderr
    empty = run("stats", tmp_path, "--json")
    assert (empty.exit_code, json.loads(empty.stdout)["code"]) == (1, "no_nodes")


def test_every_reason_has_a_meaning() -> None:
    assert all(REASONS.values())


async def test_credit_is_given_to_what_was_exported(log: Log, tmp_path: Path) -> None:
    good, bad = await log.group("g")
    log.say(bad, 0.0, at=NOW + 1)
    out = tmp_path / "trees.jsonl.zst"
    assert run("export", log.root, out).exit_code == 0
    done = CliRunner().invoke(app, ["credit", str(out)])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    advantages = {row["tree_id"]: row["advantage"] for row in rows}
    assert advantages == {good.id: 1.0, bad.id: -1.0}
