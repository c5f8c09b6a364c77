"""Selection: which items of a set are run, and in which order.

A small sample is spread evenly over the strata of a bucket and over its documents. A larger limit
keeps what a smaller one chose, so that an evaluation can grow.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import zip_longest

from banyan.evaluation.errors import Unknown
from banyan.evaluation.item import Item


def select(
    items: Sequence[Item],
    *,
    limit: int | None = None,
    buckets: Sequence[str] = (),
    seed: int = 0,
) -> list[Item]:
    """At most `limit` items of each bucket, the buckets taking turns. Raises Unknown.

    `buckets`: only these; all where none is named.
    """
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        grouped[item.question.bucket].append(item)
    for name in buckets:
        if name not in grouped:
            raise Unknown(f"there is no bucket {name!r}", hint=f"Buckets: {', '.join(grouped)}.")
    chosen = [
        _spread(group, limit or len(group), seed)
        for name, group in grouped.items()
        if not buckets or name in buckets
    ]
    return [item for turn in zip_longest(*chosen) for item in turn if item is not None]


def _spread(items: Sequence[Item], limit: int, seed: int) -> list[Item]:
    """The next one is always of the stratum, then of the document, that was taken least often."""
    left = {item.question.id: item for item in sorted(items, key=lambda one: _rank(one, seed))}
    strata: Counter[str] = Counter()
    documents: Counter[int] = Counter()
    taken: list[Item] = []
    while left and len(taken) < limit:
        best = min(
            left.values(),
            key=lambda one: (strata[one.stratum], documents[hash(one.question.documents)]),
        )
        taken.append(left.pop(best.question.id))
        strata[best.stratum] += 1
        documents[hash(best.question.documents)] += 1
    return taken


def _rank(item: Item, seed: int) -> bytes:
    """An order that depends on the seed and the item alone, not on what else there is."""
    return hashlib.sha256(f"{seed}:{item.question.id}".encode()).digest()
