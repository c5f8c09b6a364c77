"""Verdict: what the demo claims about a result, checked against the document itself."""

from __future__ import annotations

from banyan.client.results import SolveResult
from banyan.notices import NOT_ALL_READ


def judge(result: SolveResult, text: str) -> list[tuple[str, bool]]:
    """Claims, and whether each one holds: the status, the citations, the coverage."""
    standing = sum(text[one.start : one.end] == one.quote != "" for one in result.citations)
    share = 0.0 if result.coverage is None else result.coverage.share
    total = len(result.citations)
    looked = NOT_ALL_READ in result.notices
    return [
        (f"the solve is {result.status}", result.status == "completed"),
        (f"{standing} of {total} citations stand in the document", standing == total > 0),
        (_reading(share, looked=looked), share >= 1.0 or looked),
    ]


def _reading(share: float, *, looked: bool) -> str:
    read = f"{share:.1%} of the document was read"
    return f"{read}: the gate chose to look where the goal's words stand" if looked else read
