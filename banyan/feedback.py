"""Feedback: how well a node did, said after its tree had finished. Pure.

Kept apart from the trees, in files that only grow; who reads the log joins both. The same `key` is
the same feedback, however often it was sent.
"""

from __future__ import annotations

import hashlib

import msgspec

from banyan.feedback_source import Source

FEEDBACK_FORMAT = "banyan.feedback"
FEEDBACK_VERSION = 1


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A success in [0, 1] of one node, `0` being the root. `at`: seconds since the epoch."""

    format: str = FEEDBACK_FORMAT
    format_version: int = FEEDBACK_VERSION
    tree_id: str
    node_id: str
    value: float
    source: Source
    comment: str | None
    key: str
    at: float


def derived_key(tree_id: str, node_id: str, value: float, source: Source, comment: str) -> str:
    """The key of feedback that was sent without one: the same words are the same feedback."""
    said = msgspec.json.encode([tree_id, node_id, value, source, comment])
    return hashlib.sha256(said).hexdigest()[:32]
