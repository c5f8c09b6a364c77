"""The demo's document, its verdict, and the demo itself on the fake model server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from banyan.citations import Citation, Coverage
from banyan.client.results import SolveResult
from banyan.local import programs, reference
from banyan.local.demo import parsed, wanted
from banyan.local.errors import Missing
from banyan.local.verdict import judge
from banyan.notices import NOT_ALL_READ
from tests.cli.commands import environment

TEXT = "Rent is due on the third. Deposits are returned within thirty days."


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        programs.command("banyan.local.demo", *arguments),
        env=programs.environment(base=environment()),
        capture_output=True,
        text=True,
        check=False,
    )


def result(*citations: Citation, share: float = 1.0, status: str = "completed") -> SolveResult:
    coverage = Coverage(share=share, read_tokens=10, total_tokens=10)
    return SolveResult.model_validate(
        {
            "id": "solve_1",
            "status": status,
            "policy": "base",
            "citations": citations,
            "coverage": coverage,
        }
    )


def cite(start: int, end: int, quote: str | None = None) -> Citation:
    return Citation(document="doc", start=start, end=end, quote=quote or TEXT[start:end])


def test_the_document_is_whole_chapters_each_under_its_heading() -> None:
    document = reference.load("default")
    headings = re.findall(r"^# ([a-z-]+)$", document.text, re.MULTILINE)
    assert headings == [name for name in reference.STATEMENTS if name in topics]
    assert topics["exceptions"].strip() in document.text
    assert 70_000 < len(document.text) < 110_000


def test_the_long_document_has_every_chapter_once() -> None:
    document = reference.load("long")
    assert all(document.text.count(f"# {name}\n\n{topics[name].strip()}") == 1 for name in topics)
    assert document == reference.load("long")


def test_a_file_of_ones_own_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes(b"\xef\xbb\xbfmy text")
    document = reference.load(str(path))
    assert (document.title, document.text) == ("own.txt", "my text")


@pytest.mark.parametrize(
    ("content", "says"), [(None, "No such file"), (b"\xff\xfe\x00", "not UTF-8"), (b" \n", "empty")]
)
def test_a_document_that_cannot_be_read_is_missing(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "own.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Missing, match=says):
        reference.load(str(path))


def test_a_good_result_holds_in_every_point() -> None:
    verdict = judge(result(cite(0, 25), cite(26, 67)), TEXT)
    assert verdict == [
        ("the solve is completed", True),
        ("2 of 2 citations stand in the document", True),
        ("100.0% of the document was read", True),
    ]


def test_what_the_gate_chose_to_leave_unread_is_said_and_is_no_fault() -> None:
    looked = result(cite(0, 25), share=0.25).model_copy(update={"notices": (NOT_ALL_READ,)})
    [*_, (line, holds)] = judge(looked, TEXT)
    assert holds
    assert line.startswith("25.0% of the document was read: the gate chose")


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        (result(cite(0, 25), status="partial"), 0),
        (result(cite(0, 25), cite(26, 67, "Deposits are kept.")), 1),
        (result(cite(5, 5, "")), 1),
        (result(), 1),
        (result(cite(0, 25), share=0.99), 2),
    ],
)
def test_whatever_does_not_hold_is_said(bad: SolveResult, line: int) -> None:
    assert [holds for _, holds in judge(bad, TEXT)] == [index != line for index in range(3)]


def test_a_document_that_is_not_there_ends_the_demo_before_anything_starts() -> None:
    done = demo("--document", "no/such/file")
    assert done.returncode == 3
    assert "no/such/file: No such file" in done.stderr
    assert done.stdout == ""


def test_a_very_small_model_of_ones_own_is_spared_what_it_cannot_do() -> None:
    url = ("--engine", "openai", "--engine-url", "http://127.0.0.1:9")

    assert wanted(parsed([*url, "--small-model"])).is_small
    assert not wanted(parsed(url)).is_small
    assert wanted(parsed([])).is_small
    told = demo("--help")
    assert "--small-model" in told.stdout
    assert "banyan up" in told.stdout


def test_the_demo_checks_what_it_claims(engine_url: str, tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("\n\n".join(f"Clause {number}. {TEXT}" for number in range(200)))
    done = demo("--engine", "openai", "--engine-url", engine_url, "--document", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    standing = re.search(r"(\d+) of (\d+) citations stand in the document", done.stdout)
    assert standing is not None
    assert standing[1] == standing[2] != "0"
    assert "100.0% of the document was read" in done.stdout
    assert "FAIL" not in done.stdout
