"""Errors of the SDK. Each one is a BanyanError and keeps the code that the service gave.

    BanyanError
    └── ClientError
        ├── ServiceUnreachable   no connection, or it broke and could not be resumed
        ├── ServiceProblem       the service answered with a problem (application/problem+json)
        └── WaitTimedOut         the caller's own patience ended; the solve goes on

A solve that ends as `partial`, `failed` or `cancelled` is a result, not an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from banyan.errors import BanyanError


class FieldProblem(BaseModel):
    """What is wrong with one field of a request; never its value."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: str
    code: str
    message: str


class ClientError(BanyanError):
    code = "client_error"


class ServiceUnreachable(ClientError):
    code = "service_unreachable"
    hint = "Check that the service is up (`banyan up`) and that the URL is right."


class ServiceProblem(ClientError):
    """A reply other than 2xx. `status` is the HTTP status, `code` and `hint` the service's."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        hint: str = "",
        request_id: str | None = None,
        errors: Sequence[FieldProblem] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s


class WaitTimedOut(ClientError):
    """`solve_id` still runs: wait again, or cancel it."""

    code = "wait_timed_out"
    hint = "The solve goes on. Wait for it again, or cancel it."

    def __init__(self, solve_id: str, timeout_s: float) -> None:
        super().__init__(f"{solve_id} is not finished after {timeout_s:g} s")
        self.solve_id = solve_id
