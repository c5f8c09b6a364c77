"""Notices: stable codes that travel with an outcome, so that nothing falls back in silence."""

from __future__ import annotations

GATE_WITHOUT_SCORES = "gate_without_scores"
ANSWER_CUT = "answer_cut"
ANSWER_BOUNDED = "answer_bounded"
ANSWER_IN_TEXT = "answer_in_text"
LIST_BOUNDED = "list_bounded"
RESULTS_LEFT_OUT = "results_left_out"
BUDGET_RAN_OUT = "budget_ran_out"
CHILD_FAILED = "child_failed"
WEIGHTS_MOVED = "weights_moved"
NOT_ALL_READ = "not_all_read"
HEADER_LEFT_OUT = "header_left_out"
DIVIDED_WITHOUT_BRIEF = "divided_without_brief"
RECORDS_SELECTED = "records_selected"
PREFIX_UNAVAILABLE = "prefix_unavailable"
PREFIX_TOO_LONG = "prefix_too_long"
HIDDEN_UNAVAILABLE = "hidden_unavailable"
SUMMARY_FOR_SPECIALISTS = "summary_for_specialists"

MEANING: dict[str, str] = {
    GATE_WITHOUT_SCORES: "the engine tells no log-probabilities: what fitted the window was "
    "answered, what did not was delegated",
    ANSWER_CUT: "an answer reached its token limit; what was generated until then was kept, of a "
    "list its whole items",
    ANSWER_BOUNDED: "limits.max_answer_tokens is more than a quarter of the window, which was the "
    "limit then",
    ANSWER_IN_TEXT: "a part's answer is text, since its agent wrote no object as it had been asked "
    "for; models that small are spared such requests with BANYAN_STRUCTURED_CHILDREN=false",
    LIST_BOUNDED: "a list in an answer has as many items as its tokens have room for, since its "
    "schema sets no maxItems: there may be more; set it, or raise limits.max_answer_tokens",
    RESULTS_LEFT_OUT: "results of parts did not fit the window and could not be divided further",
    BUDGET_RAN_OUT: "a node had no tokens, money or time left to combine results; they are listed",
    NOT_ALL_READ: "the answer rests on the places that were searched or read, as the gate decided; "
    "coverage says how much that is, and the gate mode `always` reads all",
    RECORDS_SELECTED: "only those records were read or counted whose fields have the values that "
    "the goal names; the node's turn says which values these are",
    DIVIDED_WITHOUT_BRIEF: "an agent wrote no valid delegation as often as it may try, so its "
    "inputs were divided with its own goal and no brief; models that small are spared briefs with "
    "BANYAN_BRIEFS=false",
    HEADER_LEFT_OUT: "the header of a table, or what stands before lines that begin alike, was too "
    "long to be shown with each part",
    PREFIX_UNAVAILABLE: "children were given a summary: the engine takes no token ids, which a "
    "prefix is made of",
    PREFIX_TOO_LONG: "children were given a summary: the prefix would have taken more than a third "
    "of their window",
    SUMMARY_FOR_SPECIALISTS: "children were given a summary: they run on another policy, which "
    "cannot read the state of these weights",
    HIDDEN_UNAVAILABLE: "children were given a summary: the engine takes no prompt embeddings, or "
    "there is no packer (BANYAN_PACKER_URL)",
    WEIGHTS_MOVED: "the only model server took newer weights while this ran; turns tell which",
    CHILD_FAILED: "at least one part has no result; coverage says what is missing",
}
"""What each code says to people."""


OF_RESULTS = frozenset(
    {RESULTS_LEFT_OUT, BUDGET_RAN_OUT, CHILD_FAILED, ANSWER_CUT, LIST_BOUNDED, NOT_ALL_READ}
)
"""Void once a tree is opened again: results and answers are new then. All others stay true."""


def union(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """All codes once, sorted."""
    return tuple(sorted({code for group in groups for code in group}))
