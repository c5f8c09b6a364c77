"""`banyan-train credit`: its output, its input's forms, and every fault by file and line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from banyan.local import programs
from tests.training.makers import Line, line, two_trees, write
from training import forests, node_lines
from training.credit_lines import credit_of
from training.errors import (
    BadDepth,
    BadSuccess,
    CyclicNodes,
    DuplicateNode,
    MalformedRecord,
    MixedGroups,
    NoGroup,
    NoNodes,
    OrphanedNode,
    RecordError,
    SeveralRoots,
    SingleTreeGroup,
    UnreadableFile,
)
from training.lines import blocks


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own command line
        programs.command("training", "credit", *arguments),
        env=programs.environment(),
        input=stdin,
        capture_output=True,
        check=False,
    )


def rows(output: bytes) -> list[dict[str, object]]:
    return [json.loads(each) for each in output.splitlines()]


def changed(index: int, **fields: object) -> list[Line]:
    lines = two_trees()
    lines[index] = lines[index] | fields
    return lines


def test_one_object_a_node_is_printed_in_the_order_of_the_input(tmp_path: Path) -> None:
    lines = list(reversed(two_trees()))
    done = run(str(write(tmp_path / "t.jsonl", lines)), "--lambda", "0.4", "--baseline", "root")
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    found = rows(done.stdout)
    assert [list(row) for row in found] == [
        ["tree_id", "node_id", "depth", "reward", "advantage", "weight"]
    ] * 4
    assert [(row["tree_id"], row["node_id"]) for row in found] == [
        (each["tree_id"], each["node_id"]) for each in lines
    ]
    assert [row["reward"] for row in found] == pytest.approx([0.0, 0.5, 1.0, 1.3])
    assert [row["advantage"] for row in found] == pytest.approx([-1.3, 0.5, 1.0, 1.3])


def test_standard_input_and_compressed_input_give_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", two_trees())
    plain = path.read_bytes()
    frames = [zstandard.compress(part) for part in plain.splitlines(keepends=True)]
    packed = tmp_path / "t.jsonl.zst"
    packed.write_bytes(b"".join(frames))
    expected = run(str(path)).stdout
    assert len(rows(expected)) == 4
    assert run("-", stdin=plain).stdout == expected
    assert run("-", stdin=packed.read_bytes()).stdout == expected
    assert run(str(packed)).stdout == expected


def test_a_node_without_success_takes_its_roots_and_that_is_said(tmp_path: Path) -> None:
    lines = changed(1, success=None)
    del lines[2]["success"]
    done = run(str(write(tmp_path / "t.jsonl", lines)))
    assert done.returncode == 0
    assert [row["reward"] for row in rows(done.stdout)] == [1.0, 1.0, 1.0, 0.0]
    assert b"2 of 4 nodes have no success of their own" in done.stderr


def test_an_error_as_json_names_its_code_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", changed(2, depth=4))
    done = run(str(path), "--json")
    assert done.returncode == 1
    error = json.loads(done.stdout)
    assert (error["code"], error["file"], error["line"]) == ("bad_depth", str(path), 3)
    assert error["hint"]


def test_an_error_prints_no_row(tmp_path: Path) -> None:
    done = run(str(write(tmp_path / "t.jsonl", changed(3, group_id="other"))))
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"t.jsonl:1: tree a is alone in group g" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--lambda", "nan"), ("--lambda", "-1"), ("--baseline", "other")], ids=str
)
def test_wrong_options_are_wrong_usage(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = run(str(write(tmp_path / "t.jsonl", two_trees())), *arguments)
    assert done.returncode == 2
    assert done.stdout == b""


FAULTS: dict[str, tuple[list[Line], type[RecordError], int]] = {
    "alone": (two_trees()[:3], SingleTreeGroup, 1),
    "no group": (changed(3, group_id=None), NoGroup, 4),
    "empty group": (changed(3, group_id=""), NoGroup, 4),
    "two groups": (changed(2, group_id="h"), MixedGroups, 3),
    "two roots": (changed(2, parent_id=None, depth=0), SeveralRoots, 3),
    "orphan": (changed(2, parent_id="9"), OrphanedNode, 3),
    "parent in another tree": (changed(3, parent_id="0.1", depth=2), OrphanedNode, 4),
    "no root": (changed(0, parent_id="0.0"), CyclicNodes, 1),
    "its own parent": (changed(1, parent_id="0.0"), CyclicNodes, 2),
    "cycle beside a root": (
        [*two_trees(), line("b", "1", "2", 1, 1.0), line("b", "2", "1", 2, 1.0)],
        CyclicNodes,
        5,
    ),
    "twice": ([*two_trees(), two_trees()[1]], DuplicateNode, 5),
    "too deep": (changed(1, depth=2), BadDepth, 2),
    "deep root": (changed(3, depth=1), BadDepth, 4),
    "negative depth": (changed(1, depth=-1), MalformedRecord, 2),
    "no depth": (changed(1, depth=None), MalformedRecord, 2),
    "text as success": (changed(1, success={"value": "1"}), MalformedRecord, 2),
    "bare success": (changed(1, success=1.0), MalformedRecord, 2),
    "NaN": (changed(1, success={"value": float("nan")}), BadSuccess, 2),
    "infinite": (changed(1, success={"value": float("inf")}), BadSuccess, 2),
    "over one": (changed(1, success={"value": 1.01}), BadSuccess, 2),
    "below nothing": (changed(1, success={"value": -0.01}), BadSuccess, 2),
    "root without success": (changed(0, success={"value": None}), BadSuccess, 1),
}


@pytest.mark.parametrize(("lines", "kind", "number"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_an_error_that_names_file_and_line(
    tmp_path: Path, lines: list[Line], kind: type[RecordError], number: int
) -> None:
    path = write(tmp_path / "trees.jsonl", lines)
    with pytest.raises(RecordError) as caught:
        credit_of(str(path), lambda_=0.0, baseline="root")
    assert type(caught.value) is kind
    assert (caught.value.file, caught.value.line) == (str(path), number)
    assert str(caught.value).startswith(f"{path}:{number}: ")
    assert caught.value.hint


def test_lines_are_counted_over_blank_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", changed(2, depth=5))
    path.write_text("\n" + path.read_text().replace("\n", "\n\n"))
    with pytest.raises(BadDepth) as caught:
        forests.grow(node_lines.read(str(path)))
    assert caught.value.line == 6


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda _: b"", NoNodes),
        (lambda _: b"\n\n", NoNodes),
        (lambda content: zstandard.compress(content)[:-9], UnreadableFile),
        (lambda content: zstandard.compress(content)[:9] + b"?" * 9, UnreadableFile),
        (lambda content: content[:-9], MalformedRecord),
        (lambda content: content + b"\xff\n", MalformedRecord),
        (lambda content: content + b"[" * 100_000 + b"\n", MalformedRecord),
        (lambda content: content + b"[]\n", MalformedRecord),
    ],
    ids=["empty", "blank", "cut zstd", "broken zstd", "cut line", "no text", "deep", "list"],
)
def test_a_file_that_is_no_whole_file_of_nodes_is_an_error(
    tmp_path: Path, change: Callable[[bytes], bytes], kind: type[Exception]
) -> None:
    path = write(tmp_path / "t.jsonl", two_trees())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(kind, match=r"t\.jsonl:"):
        node_lines.read(str(path))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        node_lines.read(str(tmp_path / "none.jsonl"))


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
def test_blocks_hold_whole_lines_whatever_their_size(tmp_path: Path, block_bytes: int) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\n\ntwo and more\nthree")
    found = list(blocks(str(path), block_bytes))
    assert b"".join(found) == path.read_bytes()
    assert all(block.endswith(b"\n") for block in found[:-1])
