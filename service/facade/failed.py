"""Failed: a solve without an answer, as an error that OpenAI's clients do not try again."""

from __future__ import annotations

from banyan.client.results import SolveResult
from service.problems import Refused


def unanswered(result: SolveResult | None) -> Refused:
    """Why there is no answer; None: the service stops before there is one."""
    if result is None:
        return Refused(
            "The service stops.", code="stopping", hint="Ask again in a moment.", status=503
        )
    never_again = {"X-Should-Retry": "false"}
    if result.status == "cancelled":
        return Refused(
            f"{result.id} was cancelled.",
            code="solve_cancelled",
            hint="Ask again if that was a mistake.",
            status=500,
            headers=never_again,
        )
    error = result.error
    return Refused(
        f"{result.id} failed: {error.message if error else 'there is no answer'}.",
        code=error.code if error else "solve_failed",
        hint="GET /solve/{id}/tree shows where.",
        status=500,
        headers=never_again,
    )
