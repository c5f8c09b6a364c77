"""Texts of any length, for documents that are far longer than a window."""

from __future__ import annotations

from collections.abc import Iterator

_CHUNK_BYTES = 250_000


def entries(num_bytes: int, separator: str = "\n") -> Iterator[bytes]:
    """Sentences that can be told apart, in ASCII, chunk by chunk."""
    left, number = num_bytes, 0
    while left > 0:
        lines = []
        size = 0
        while size < _CHUNK_BYTES:
            lines.append(f"Entry {number} says that item {number % 977} was moved.{separator}")
            size += len(lines[-1])
            number += 1
        chunk = "".join(lines).encode()[:left]
        left -= len(chunk)
        yield chunk
