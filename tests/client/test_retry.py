from __future__ import annotations

import pytest

from banyan.client.errors import ClientError, ServiceProblem, ServiceUnreachable
from banyan.client.retry import FIRST_ATTEMPTS, LATER_ATTEMPTS, MAX_DELAY_S, Attempts, Retry


def problem(status: int, retry_after_s: float | None = None) -> ServiceProblem:
    return ServiceProblem("no", status=status, code="x", retry_after_s=retry_after_s)


def at_most() -> float:
    """No spread."""
    return 0.0


def test_delays_are_spread_over_their_upper_half() -> None:
    failure = ServiceUnreachable("no answer")
    drawn = [0.999, 0.5, 0.0]

    delays = [Retry(Attempts(4), drawn.pop).delay_s(failure) for _ in range(3)]

    assert delays == pytest.approx([0.25, 0.1875, 0.125], abs=1e-3)
    assert 0.125 <= Retry(Attempts(4)).delay_s(failure) <= 0.25


def test_delays_double_until_the_attempts_are_used_up() -> None:
    retry = Retry(Attempts(4), at_most)
    failure = ServiceUnreachable("no answer")

    assert [retry.delay_s(failure) for _ in range(3)] == [0.25, 0.5, 1.0]
    with pytest.raises(ServiceUnreachable, match="no answer"):
        retry.delay_s(failure)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 500])
def test_what_would_fail_again_is_not_tried_again(status: int) -> None:
    with pytest.raises(ServiceProblem):
        Retry(Attempts(4), at_most).delay_s(problem(status))


def test_a_reply_that_nobody_understands_is_not_asked_for_again() -> None:
    with pytest.raises(ClientError):
        Retry(Attempts(4), at_most).delay_s(ClientError("not Banyan"))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_service_may_ask_for_more_patience_within_bounds(status: int) -> None:
    assert Retry(Attempts(4), at_most).delay_s(problem(status, retry_after_s=2.0)) == 2.0
    assert (
        Retry(Attempts(4), at_most).delay_s(problem(status, retry_after_s=3_600.0)) == MAX_DELAY_S
    )


def test_progress_forgets_what_failed_before() -> None:
    retry = Retry(Attempts(2), at_most)
    failure = ServiceUnreachable("no answer")
    for _ in range(10):
        assert retry.delay_s(failure) == 0.25
        retry.progress()


def test_a_service_that_has_answered_before_is_waited_for_longer() -> None:
    attempts = Attempts(None)
    assert attempts.max == FIRST_ATTEMPTS
    attempts.answered()
    assert attempts.max == LATER_ATTEMPTS


def test_the_callers_own_number_of_attempts_stays() -> None:
    attempts = Attempts(2)
    attempts.answered()
    assert attempts.max == 2
