"""Damage: every kind has a name, and the file and line where it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.growing import sentences
from tests.training.logs import Log, edit, read_zst, write_zst
from training.main import app

Damage = Callable[[Path], object]


def check(root: Path) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the damage that is told."""
    done = CliRunner().invoke(app, ["data", "check", str(root), "--json"])
    return done.exit_code, json.loads(done.stdout)["damage"]


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Damage:
    def damage(path: Path) -> None:
        write_zst(path, b"\n".join(change(read_zst(path).splitlines())) + b"\n")

    return damage


def fields(line: int, **changes: Any) -> Damage:
    return lambda path: edit(path, line, **changes)


def replaced(old: bytes, new: bytes) -> Damage:
    return lambda path: write_zst(path, read_zst(path).replace(old, new, 1))


def cut_off(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


DAMAGES: dict[str, tuple[Damage, str, int | None]] = {
    "foreign": (fields(1, format="another.thing"), "foreign_record", 2),
    "newer": (fields(1, format_version=2), "newer_record", 2),
    "no JSON": (lines(lambda all_: [*all_[:2], b"{broken", *all_[3:]]), "malformed_record", 3),
    "unknown field": (fields(0, bonus=1), "malformed_record", 1),
    "wrong type": (fields(0, depth="0"), "malformed_record", 1),
    "cut off": (cut_off, "unreadable_file", None),
    "a byte flipped": (flipped, "unreadable_file", None),
    "empty": (lambda path: path.write_bytes(b""), "no_nodes", None),
    "lines missing": (lines(lambda all_: all_[:-1]), "missing_nodes", None),
    "NaN": (replaced(b"-0.125", b"NaN"), "bad_logprob", 1),
    "null for NaN": (fields(1, turns__0__logprobs__0=None), "bad_logprob", 2),
    "above 0": (fields(1, turns__0__logprobs__0=0.5), "bad_logprob", 2),
    "lengths": (fields(1, turns__0__logprobs=[-0.5]), "lengths_disagree", 2),
    "mask": (fields(1, turns__0__action_token_mask=None), "lengths_disagree", 2),
    "empty group": (lines(lambda all_: [group(line, "") for line in all_]), "empty_group", 1),
    "rollout without a group": (fields(0, tree__profile="rollout"), "empty_group", 1),
    "two groups": (fields(1, group_id="another"), "mixed_groups", 2),
    "orphan": (fields(1, parent_id="0.77"), "orphaned_node", 2),
    "cycle": (fields(1, parent_id="0.0"), "cyclic_nodes", 2),
    "twice": (fields(2, node_id="0.0"), "duplicate_node", 3),
    "second root": (fields(1, parent_id=None), "several_roots", 2),
    "depth": (fields(1, depth=5), "bad_depth", 2),
}


def group(line: bytes, name: str) -> bytes:
    return json.dumps({**json.loads(line), "group_id": name}).encode()


@pytest.fixture
async def log(tmp_path: Path) -> Log:
    """A tree of several nodes whose damage a test does, and one that stays whole."""
    log = Log(tmp_path)
    await log.grow("Summarise it.", sentences(500))
    await log.grow(text=sentences(30))
    return log


def deep(log: Log) -> Path:
    """The file of the tree that has children."""
    return max(log.files(), key=lambda path: len(read_zst(path).splitlines()))


async def test_a_log_without_damage_is_whole(log: Log) -> None:
    assert check(log.root) == (0, [])


@pytest.mark.parametrize("name", list(DAMAGES))
async def test_damage_is_named_with_file_and_line(log: Log, name: str) -> None:
    damage, code, line = DAMAGES[name]
    file = deep(log)
    damage(file)
    exit_code, [told] = check(log.root)
    assert (exit_code, told["code"]) == (1, code)
    assert str(file) in told["message"]
    assert told["hint"]
    if line is not None:
        assert (told["file"], told["line"]) == (str(file), line)


async def test_a_plain_file_that_was_cut_short_is_told_by_its_count(log: Log) -> None:
    whole = log.root / "plain.jsonl"
    whole.write_bytes(b"\n".join(read_zst(deep(log)).splitlines()[:2]) + b"\n")
    exit_code, [told] = check(whole)
    assert (exit_code, told["code"], told["line"]) == (1, "missing_nodes", 2)
