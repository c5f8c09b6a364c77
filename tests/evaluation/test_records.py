"""Records are on the disk at once, and found again, also behind a line that was cut off."""

from __future__ import annotations

from pathlib import Path

from banyan.evaluation.question import Question
from banyan.evaluation.records import Journal, Record, fingerprint
from tests.evaluation.makers import answered, record

QUESTION = Question(id="q1", bucket="one", goal="Why?", documents=("text",))


def test_a_record_is_in_the_file_before_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "out" / "set.jsonl"
    with Journal(path) as journal:
        journal.add(record("q1", "banyan", 1.0))
        assert Record.model_validate_json(path.read_text()).item == "q1"


def test_records_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    with Journal(path) as journal:
        journal.add(record("q1", "banyan", 1.0))
    with Journal(path) as journal:
        assert journal.find("banyan", "q1-mark") == record("q1", "banyan", 1.0)
        assert journal.find("head", "q1-mark") is None


def test_the_latest_record_counts(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    with Journal(path) as journal:
        journal.add(record("q1", "banyan", 0.0))
        journal.add(record("q1", "banyan", 1.0))
    with Journal(path) as journal:
        found = journal.find("banyan", "q1-mark")
    assert found is not None
    assert found.score == 1.0


def test_a_torn_line_is_passed_over_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    whole = record("q1", "banyan", 1.0).model_dump_json()
    path.write_text(f"{whole}\n{whole[:40]}")
    with Journal(path) as journal:
        journal.add(record("q2", "banyan", 1.0))
    with Journal(path) as journal:
        assert journal.find("banyan", "q1-mark") is not None
        assert journal.find("banyan", "q2-mark") is not None


def test_what_failed_does_not_stand() -> None:
    assert record("q1", "banyan", 0.0, answered=answered("no")).stands
    assert not record("q1", "banyan", 0.0, answered=answered(None, status="failed")).stands


def test_the_fingerprint_names_settings_and_question() -> None:
    mark = fingerprint({"window": 2_048, "gate": None}, QUESTION)
    assert mark == fingerprint({"gate": None, "window": 2_048}, QUESTION)
    assert mark != fingerprint({"window": 4_096, "gate": None}, QUESTION)
    other = Question(id="q1", bucket="one", goal="How?", documents=("text",))
    assert mark != fingerprint({"window": 2_048, "gate": None}, other)
