"""Conditional requests: whether a caller has already what it asks for, by `If-None-Match`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

IfNoneMatch = Annotated[str | None, Header()]
"""Tags of what the caller keeps, with their quotation marks, separated by commas."""


def is_kept(etag: str, if_none_match: str | None) -> bool:
    """Whether the caller keeps what has this tag: then 304 is the answer."""
    return if_none_match is not None and etag in if_none_match
