from __future__ import annotations

import pytest

from service.preferences import Preference, parse_prefer, wants_events
from service.settings import ServiceSettings

SETTINGS = ServiceSettings(max_wait_s=100.0)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Preference(60.0)),
        ("", Preference(60.0)),
        ("return=minimal", Preference(60.0)),
        ("wait=5", Preference(5.0, "wait=5")),
        ('wait = "5"', Preference(5.0, "wait=5")),
        ("wait=0", Preference(0.0, "wait=0")),
        ("wait=999", Preference(100.0, "wait=100")),
        ("wait=3, wait=9", Preference(3.0, "wait=3")),
        ("respond-async", Preference(0.0, "respond-async")),
        ("Respond-Async; foo=1", Preference(0.0, "respond-async")),
        ("respond-async, wait=7", Preference(7.0, "respond-async, wait=7")),
    ],
)
def test_preferences_are_read_as_the_rfc_has_it(header: str | None, expected: Preference) -> None:
    assert parse_prefer(header, default_s=60.0, settings=SETTINGS) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/event-stream", True),
        ("application/json, Text/Event-Stream;q=0.5", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream; q=0.0, application/json", False),
    ],
)
def test_events_are_sent_to_who_accepts_them(header: str | None, *, expected: bool) -> None:
    assert wants_events(header) == expected
