"""Source: the documents of a question as one text, and how much of them was placed in prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Range = tuple[int, int]
"""Code points `[start, end)` of a source's text."""


class Source:
    """Documents joined in order; each has a title line where there are several.

    Title lines are not part of the input: coverage does not count them.
    """

    def __init__(self, documents: Sequence[str]) -> None:
        pieces: list[str] = []
        self._documents: list[Range] = []
        position = 0
        for number, document in enumerate(documents, 1):
            title = f"Document {number} of {len(documents)}:\n" if len(documents) > 1 else ""
            start = position + len(title)
            piece = f"{title}{document}"
            if number < len(documents):
                piece += "\n\n"
            pieces.append(piece)
            self._documents.append((start, start + len(document)))
            position += len(piece)
        self.text = "".join(pieces)

    def coverage(self, read: Iterable[Range]) -> float | None:
        """Share of the documents' characters in `read`, which may overlap. None without any."""
        total = sum(end - start for start, end in self._documents)
        if not total:
            return None
        merged = _merged(read)
        covered = sum(
            max(0, min(end, stop) - max(start, begin))
            for start, end in self._documents
            for begin, stop in merged
        )
        return covered / total


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
