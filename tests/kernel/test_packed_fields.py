"""A release that adds fields to packed state says so, since older workers fail on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from banyan import state
from tests.kernel.packed_fields import KINDS, WORDS, kept, now, unsaid

ROOT = Path(__file__).resolve().parents[2]

NOT_YET = "## [Unreleased]\n\n- Something else.\n"
FIRST = "\n## [0.1.0] - 2027-01-01\n\n- All of it.\n"
BEFORE = {"Node 1": ["Node.goal", "Node.kind=read"]}
AFTER = {"Node 1": ["Node.colour", "Node.goal", "Node.kind=read"]}


def test_this_change_log_says_what_it_has_to() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert unsaid(changelog, kept(), now()) is None


def test_every_kind_of_packed_state_is_looked_at() -> None:
    assert {kind.__name__ for kind in KINDS} == set(state._KINDS)


def test_fields_of_what_is_inside_and_values_are_found_too() -> None:
    found = now()
    assert {"Exchange.reply", "Divided.child_rules=sum"} <= {*found["Node 1"]}
    assert {"Gate.mode", "Gate.mode=never"} <= {*found["Task 1"]}


def test_before_the_first_release_nothing_has_to_be_said() -> None:
    assert unsaid(NOT_YET, {}, AFTER) is None


def test_what_a_release_packs_has_to_be_written_down() -> None:
    missing = unsaid(NOT_YET + FIRST, {}, BEFORE)
    assert missing == "write down what 0.1.0 packs: python -m tests.kernel.packed_fields 0.1.0"


@pytest.mark.parametrize("fields", [BEFORE, {"Node 1": ["Node.goal"]}, {"Node 2": ["Node.age"]}])
def test_what_an_older_worker_takes_or_leaves_to_others_has_not_to_be_said(
    fields: dict[str, list[str]],
) -> None:
    assert unsaid(NOT_YET + FIRST, {"0.1.0": BEFORE}, fields) is None


@pytest.mark.parametrize("fields", [AFTER, {"Node 1": [*BEFORE["Node 1"], "Node.kind=sing"]}])
def test_what_an_older_worker_does_not_take_has_to_be_said(fields: dict[str, list[str]]) -> None:
    released = {"0.1.0": BEFORE}
    assert WORDS in (unsaid(NOT_YET + FIRST, released, fields) or "")
    assert unsaid(f"## [Unreleased]\n\n- It {WORDS}.\n{FIRST}", released, fields) is None
    elsewhere = NOT_YET + FIRST + f"- It {WORDS}.\n"
    assert unsaid(elsewhere, released, fields), "it has to be said of the next one"
