"""An operator's redaction, as a worker loads it by its name."""

from __future__ import annotations

import msgspec

from banyan.trajectory import LoggedNode


def hide(node: LoggedNode) -> LoggedNode | None:
    """The record without its goal."""
    return msgspec.structs.replace(node, goal="hidden")
