from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.action import LETTERS, Kind
from banyan.gate import (
    Situation,
    allowed,
    decide,
    delegation_score,
    threshold_for,
    without_scores,
)
from banyan.policy import BASE
from banyan.task import Gate, GateMode

KINDS: list[Kind] = list(LETTERS)
FITS = Situation(shows_all=True, has_seen=False, may_delegate=True)
OVERFLOWS = Situation(shows_all=False, has_seen=False, may_delegate=True)

logprobs_of_kinds = st.dictionaries(
    st.sampled_from(KINDS), st.floats(-50, 0), min_size=2, max_size=len(KINDS)
)


def test_the_score_is_the_log_odds_of_delegating() -> None:
    logprobs: dict[Kind, float] = {
        "answer": math.log(0.5),
        "delegate": math.log(0.3),
        "read": math.log(0.2),
    }
    assert delegation_score(logprobs) == pytest.approx(math.log(0.3 / 0.7))


@given(logprobs_of_kinds, st.floats(-30, 30))
def test_the_score_does_not_depend_on_normalisation(
    logprobs: dict[Kind, float], shift: float
) -> None:
    logprobs.setdefault("delegate", -1.0)
    logprobs.setdefault("answer", -1.0)
    shifted = {kind: value + shift for kind, value in logprobs.items()}
    assert delegation_score(shifted) == pytest.approx(delegation_score(logprobs), abs=1e-6)


@given(logprobs_of_kinds, st.floats(-20, 20), st.floats(0, 1, exclude_max=True))
def test_threshold_mode_delegates_exactly_above_the_threshold(
    logprobs: dict[Kind, float], threshold: float, draw: float
) -> None:
    logprobs.setdefault("delegate", -1.0)
    logprobs.setdefault("answer", -1.0)
    decision = decide(logprobs, Gate(mode="threshold"), threshold, draw)
    assert decision.score is not None
    assert (decision.kind == "delegate") == (decision.score > threshold)
    assert decision.threshold == threshold
    assert not decision.forced


def test_sampled_mode_draws_from_the_policys_own_distribution() -> None:
    logprobs: dict[Kind, float] = {"answer": math.log(0.25), "delegate": math.log(0.75)}
    gate = Gate(mode="sampled")
    draws = [index / 1000 for index in range(1000)]
    kinds = [decide(logprobs, gate, 0.0, draw).kind for draw in draws]
    assert kinds.count("delegate") == 750


def test_what_fits_is_answered_or_delegated_but_not_read_again() -> None:
    assert allowed(FITS, Gate(), BASE) == ("answer", "delegate")


def test_what_does_not_fit_cannot_be_answered_before_it_was_looked_at() -> None:
    assert allowed(OVERFLOWS, Gate(), BASE) == ("delegate", "read", "search")


def test_after_reading_a_node_may_answer_and_take_notes() -> None:
    seen = Situation(shows_all=False, has_seen=True, may_delegate=False)
    assert allowed(seen, Gate(), BASE) == ("answer", "read", "search", "note")


def test_always_leaves_only_delegating_where_that_is_possible() -> None:
    assert allowed(FITS, Gate(mode="always"), BASE) == ("delegate",)
    at_the_bottom = Situation(shows_all=True, has_seen=False, may_delegate=False)
    assert allowed(at_the_bottom, Gate(mode="always"), BASE) == ("answer",)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_never_forbids_delegating_and_something_is_always_possible(
    shows_all: bool, has_seen: bool, may_delegate: bool, has_unread: bool, out_of_turns: bool
) -> None:
    situation = Situation(
        shows_all=shows_all,
        has_seen=has_seen,
        may_delegate=may_delegate,
        has_unread=has_unread,
        out_of_turns=out_of_turns,
    )
    kinds = allowed(situation, Gate(mode="never"), BASE)
    assert kinds
    assert "delegate" not in kinds


def test_out_of_turns_leaves_only_the_answer() -> None:
    late = Situation(shows_all=False, has_seen=True, may_delegate=True, out_of_turns=True)
    assert allowed(late, Gate(), BASE) == ("answer",)


def test_recursion_has_to_earn_its_cost_where_the_input_fits() -> None:
    assert threshold_for(FITS, Gate(), BASE) > 0 > threshold_for(OVERFLOWS, Gate(), BASE)
    assert threshold_for(FITS, Gate(threshold=-1.5), BASE) == -1.5


@pytest.mark.parametrize("mode", ["threshold", "sampled"])
def test_without_scores_the_window_decides(mode: GateMode) -> None:
    gate = Gate(mode=mode)
    assert without_scores(("answer", "delegate"), FITS, gate, BASE).kind == "answer"
    overflow = without_scores(("delegate", "read", "search"), OVERFLOWS, gate, BASE)
    assert overflow.kind == "delegate"
    assert overflow.forced
    assert without_scores(("answer", "read"), OVERFLOWS, gate, BASE).kind == "read"
