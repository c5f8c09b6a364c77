"""Preferences: what the headers `Prefer` (RFC 7240) and `Accept` say of how to answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.problems import Refused
from service.settings import ServiceSettings

EVENT_STREAM = "text/event-stream"

_REFUSED = re.compile(r"q=0(\.0*)?")


@dataclass(frozen=True, slots=True)
class Preference:
    """How long to wait for the result, in seconds, and what of the header was applied."""

    wait_s: float
    applied: str | None = None


def parse_prefer(header: str | None, *, default_s: float, settings: ServiceSettings) -> Preference:
    """`wait=N` waits up to N seconds, `respond-async` not at all; both: up to N, then 202.

    Unknown preferences are passed over, as the RFC has it; a wait that is no number is refused.
    """
    wait_s: float | None = None
    respond_async = False
    for part in (header or "").split(","):
        name, _, value = part.partition(";")[0].partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name == "respond-async":
            respond_async = True
        elif name == "wait" and wait_s is None:
            wait_s = min(_seconds(value), settings.max_wait_s)
    applied = ["respond-async"] if respond_async else []
    if wait_s is not None:
        applied.append(f"wait={wait_s:g}")
    elif respond_async:
        wait_s = 0.0
    return Preference(default_s if wait_s is None else wait_s, ", ".join(applied) or None)


def _seconds(value: str) -> float:
    if not value.isascii() or not value.isdigit():
        raise Refused(
            "Prefer: wait must be a whole number of seconds.",
            code="invalid_header",
            hint="Send for example `Prefer: wait=60`, or `Prefer: respond-async`.",
            status=400,
        )
    return float(value)


def wants_events(accept: str | None) -> bool:
    """Whether the client asks for an event stream."""
    for part in (accept or "").split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_type == EVENT_STREAM:
            return not any(_REFUSED.fullmatch(parameter) for parameter in parameters)
    return False
