"""Cursors: where the next page begins, as a string that callers pass back and do not look into."""

from __future__ import annotations

import base64
import binascii
import re

from service.problems import Refused

LIST_PLACE = re.compile(r"\d{15}\|solve_[0-9a-f]{28}")
OFFSET = re.compile(r"[1-9]\d{0,7}")


def encode(place: str) -> str:
    """`place` as a cursor."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode(cursor: str, form: re.Pattern[str]) -> str:
    """The place, which has this form. Raises Refused for what is no cursor of this list."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        place = ""
    if not form.fullmatch(place):
        raise Refused(
            "query.cursor: this is no cursor of this list.",
            code="invalid_input",
            hint="Send `next` of the page before, or leave it out to begin with the first page.",
            field="query.cursor",
        )
    return place
