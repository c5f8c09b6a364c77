"""Notices: stable codes that travel with an outcome, so that nothing falls back in silence."""

from __future__ import annotations

GATE_WITHOUT_SCORES = "gate_without_scores"
"""The engine tells no log-probabilities: what fits was answered, what does not was delegated."""

ANSWER_CUT = "answer_cut"
"""An answer reached its token limit; what was generated until then was kept."""

RESULTS_LEFT_OUT = "results_left_out"
"""Children's results did not fit the window and could not be divided further."""

BUDGET_RAN_OUT = "budget_ran_out"
"""A node had no tokens or time left to combine results; they are listed as they came."""

CHILD_FAILED = "child_failed"
"""At least one part has no result; coverage says what is missing."""


def union(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """All codes once, sorted."""
    return tuple(sorted({code for group in groups for code in group}))
