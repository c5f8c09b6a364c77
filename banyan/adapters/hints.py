"""Hints from the nodes that a transition made ready, grouped for sending."""

from __future__ import annotations

from collections.abc import Iterable

from banyan.ports import Hint

Ready = tuple[str, str, bool]
"""Tree, path, and whether the node continues after its children."""


def group(ready: Iterable[Ready]) -> list[Hint]:
    """One hint for each tree and kind, continuations first, paths in the order of dispatch."""
    grouped: dict[tuple[str, bool], list[str]] = {}
    for tree_id, path, continuation in ready:
        grouped.setdefault((tree_id, continuation), []).append(path)
    ordered = sorted(grouped.items(), key=lambda item: not item[0][1])
    return [
        Hint(tree_id, tuple(paths), continuation=continuation)
        for (tree_id, continuation), paths in ordered
    ]
