"""The sets of long documents: their files are read, and their metrics are the official ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from banyan.evaluation.data import PART
from banyan.evaluation.errors import Unknown
from banyan.evaluation.question import Cited
from banyan.evaluation.sets import SETS, babilong, load_set, oolong_style, qmsum
from banyan.local.errors import Missing
from tests.evaluation.makers import answered, write_lines

MEETING = "[0] Ann: Let us begin .\n[1] Ben: The lamp is too dear .\n[2] Ann: We agree .\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One small item of each set, in the form of its files."""
    folder = tmp_path / "squality" / PART
    write_lines(folder / "docs.jsonl", {"doc_id": "d", "text": "A tale.", "tokens_cl100k": 3})
    asked = {"doc_id": "d", "query": "What is the plot?", "references": ["A tale is told."]}
    write_lines(folder / "items.jsonl", {"id": "d-q1", **asked}, {"id": "d-q2", **asked})
    folder = tmp_path / "qmsum" / PART
    write_lines(folder / "docs.jsonl", {"doc_id": "m", "text": MEETING})
    asked = {"doc_id": "m", "query": "What of the lamp?", "references": ["Too dear."]}
    spans = {"relevant_turn_spans": [["1", "2"]]}
    write_lines(
        folder / "items.jsonl",
        {"id": "m-g0", "type": "general", **asked},
        {"id": "m-s0", "type": "specific", **asked, **spans},
    )
    folder = tmp_path / "oolong_style" / PART
    write_lines(
        folder / "contexts.jsonl", {"context_id": "c", "tokens_cl100k": 7_935, "text": "Lines"}
    )
    asked = {"context_id": "c", "dataset": "spam", "question": "How many?"}
    write_lines(
        folder / "items.jsonl",
        {"id": "c-0", "task": "numeric", "answer_type": "NUMERIC", "answer": 12, **asked},
    )
    asked = {"context": "Mary is in the hall.", "question": "Where is Mary?", "answer": "hall"}
    write_lines(
        tmp_path / "babilong" / PART / "items.jsonl",
        {"id": "b-0", "task": "qa1", "length": 32_000, **asked},
    )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "buckets"),
    [
        ("squality", ["plot", "detail"]),
        ("qmsum", ["general", "specific"]),
        ("oolong_style", ["8k"]),
        ("babilong", ["32k"]),
    ],
)
def test_a_set_is_read_with_its_buckets(data: Path, name: str, buckets: list[str]) -> None:
    items = load_set(name, data)
    assert [one.question.bucket for one in items] == buckets
    assert all(one.question.documents[0] for one in items)


def test_no_question_holds_its_answer(data: Path) -> None:
    for name, gold in (("squality", "A tale is told."), ("qmsum", "Too dear.")):
        assert not any(gold in repr(one.question) for one in load_set(name, data))


def test_files_that_are_missing_are_told(tmp_path: Path) -> None:
    for name in SETS:
        if name not in {"examples", "contradictions"}:
            with pytest.raises(Missing, match="is not there") as caught:
                load_set(name, tmp_path)
            assert "--data" in caught.value.hint


def test_a_line_of_another_form_is_told_with_its_place(data: Path) -> None:
    write_lines(data / "babilong" / PART / "items.jsonl", {"id": "b-0"})
    with pytest.raises(Missing, match=r"items\.jsonl, line 1: task"):
        load_set("babilong", data)


def test_a_set_without_items_is_told(data: Path) -> None:
    write_lines(data / "babilong" / PART / "items.jsonl")
    with pytest.raises(Missing, match="no items"):
        load_set("babilong", data)


def test_a_set_that_is_not_known_is_told_with_those_that_are() -> None:
    with pytest.raises(Unknown, match="'nope'") as caught:
        load_set("nope", Path())
    assert "squality" in caught.value.hint


def test_squality_takes_the_best_reference(data: Path) -> None:
    item = load_set("squality", data)[0]
    assert item.grade(answered("A tale is told.")).value == pytest.approx(1.0)
    assert item.grade(answered(None, status="failed")).value == 0


def test_qmsum_counts_the_marked_turns_that_are_cited(data: Path) -> None:
    general, specific = load_set("qmsum", data)
    place = MEETING.index("lamp")
    cited = answered("Too dear.", citations=(Cited(document=0, start=place, end=place + 4),))
    assert specific.grade(cited).parts["evidence"] == 0.5
    assert "evidence" not in general.grade(cited).parts


def test_a_citation_touches_every_turn_it_reaches_into() -> None:
    whole = Cited(document=0, start=0, end=len(MEETING))
    assert qmsum.cited_turns(MEETING, [whole]) == {0, 1, 2}
    first = Cited(document=0, start=0, end=MEETING.index("[1]"))
    assert qmsum.cited_turns(MEETING, [first]) == {0}
    assert qmsum.cited_turns(MEETING, [Cited(document=1, start=0, end=5)]) == frozenset()
    assert qmsum.cited_turns(MEETING, [Cited(document=0, start=5, end=5)]) == frozenset()


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("Answer: 12", 1.0),
        ("Answer: **[12]**", 1.0),
        ("12", 1.0),
        ("Answer: 10", 0.75**2),
        ("There are, I think, 13", 0.75),
        ("Answer: a dozen", 0.0),
        ("", 0.0),
    ],
)
def test_oolong_numbers_lose_a_quarter_with_each_one_they_are_off(
    output: str, value: float
) -> None:
    score = oolong_style.grade(answered(output), gold="12", answer_type="NUMERIC")
    assert score.value == pytest.approx(value)
    assert score.parts["exact"] == float(value == 1.0)


def test_oolong_labels_must_be_the_very_label() -> None:
    def value(output: str) -> float:
        return oolong_style.grade(answered(output), gold="human being", answer_type="LABEL").value

    assert value("Label: human being") == 1
    assert value("Label: [human being]") == 1
    assert value("Label: human") == 0
    assert value("I counted. Label: location") == 0


def test_oolong_comparisons_may_be_said_in_a_sentence() -> None:
    def value(output: str) -> float:
        score = oolong_style.grade(
            answered(output), gold="less common than", answer_type="COMPARISON"
        )
        return score.value

    assert value("Answer: numeric value is less common than location") == 1
    assert value("Answer: less common than") == 1
    assert value("Answer: numeric value is more common than location") == 0


@pytest.mark.parametrize(
    ("output", "value", "as_set"),
    [
        ("The Hallway", 1.0, 1.0),
        ("She is in the hallway. Or the garden.", 1.0, 1.0),
        ("She was in the garden. Now the hallway.", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_babilong_looks_for_the_answer_in_the_first_sentence(
    output: str, value: float, as_set: float
) -> None:
    score = babilong.grade(answered(output), gold="hallway")
    assert (score.value, score.parts["set"]) == (value, as_set)


def test_babilong_tells_a_list_in_another_order() -> None:
    score = babilong.grade(answered("milk, apple"), gold="apple,milk")
    assert (score.value, score.parts["set"]) == (0.0, 1.0)
