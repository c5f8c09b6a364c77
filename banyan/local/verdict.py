"""Verdict: what the demo claims about a result, checked against the document itself."""

from __future__ import annotations

from banyan.client.results import SolveResult


def judge(result: SolveResult, text: str) -> list[tuple[str, bool]]:
    """Claims, and whether each one holds: the status, the citations, the coverage."""
    standing = sum(text[one.start : one.end] == one.quote != "" for one in result.citations)
    share = 0.0 if result.coverage is None else result.coverage.share
    total = len(result.citations)
    return [
        (f"the solve is {result.status}", result.status == "completed"),
        (f"{standing} of {total} citations stand in the document", standing == total > 0),
        (f"{share:.1%} of the document was read", share >= 1.0),
    ]
