"""reasoning-gym's scorers, and what is let through to those that evaluate formulas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from banyan.evaluation import scorers
from banyan.evaluation.data import PART
from banyan.evaluation.expressions import is_plain
from banyan.evaluation.item import Item
from banyan.evaluation.sets import load_set
from tests.evaluation.makers import answered, write_lines


def load(tmp_path: Path, dataset: str, **config: Any) -> Item:
    """One item, made anew by the library."""
    made = scorers.library().create_dataset(dataset, size=1, seed=5, **config)[0]
    line = {
        "id": "rg-0",
        "task": dataset,
        "dataset": dataset,
        "config": config,
        "question": made["question"],
        "answer": made["answer"],
        "metadata": made["metadata"],
    }
    write_lines(tmp_path / "reasoning_gym" / PART / "items.jsonl", line)
    item = load_set("reasoning_gym", tmp_path)[0]
    assert item.grade(answered(f" {made['answer']}\n")).value == 1.0
    return item


def test_a_needle_is_asked_for_over_its_haystack(tmp_path: Path) -> None:
    item = load(tmp_path, "needle_haystack", min_num_statements=9, max_num_statements=9)
    assert item.question.goal.startswith("Who ")
    assert "Who " not in item.question.documents[0]
    assert item.grade(answered("Nobody")).value == 0


def test_a_wrong_answer_and_none_are_worth_nothing(tmp_path: Path) -> None:
    item = load(tmp_path, "simple_equations")
    assert item.question.documents == ()
    assert item.grade(answered("no idea")).value == 0
    assert item.grade(answered(None, status="failed")).value == 0


def test_a_near_answer_has_credit_but_is_not_right(tmp_path: Path) -> None:
    item = load(tmp_path, "complex_arithmetic")
    real, imaginary = (int(part) for part in item.grade.keywords["row"].metadata["result"])  # type: ignore[attr-defined]  # a partial
    near = item.grade(answered(f"{real} + {imaginary + 1}i"))
    assert near.value == 0
    assert 0 < near.parts["credit"] < 1


def test_a_formula_may_be_written_in_another_way(tmp_path: Path) -> None:
    item = load(tmp_path, "intermediate_integration")
    gold = item.grade.keywords["row"].answer  # type: ignore[attr-defined]  # a partial
    assert item.grade(answered(f"7 + {gold}")).value == 1.0
    assert item.grade(answered("3")).value == 0


@pytest.mark.parametrize(
    "text",
    [
        "-133*z**3 + 441*z**2 + 969*z - 3213",
        "exp(x**2 + 4*x - 6) + C",
        "4*(7*x + 7)**(3/2)/3 + C",
        "X*log(X) - 0.5*sin(2*X)",
    ],
)
def test_plain_formulas_are_let_through(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "__import__('os')",
        "open(x)",
        "x.real",
        "(x).real",
        "lambda x",
        "9**9**9",
        "9**(9**9)",
        "9**999999",
        "(((9**99)**99)**99)**99",
        "x = 3",
        "[1]",
        "1 + " * 400 + "1",
    ],
)
def test_what_could_run_or_never_end_is_not(text: str) -> None:
    assert not is_plain(text)
