"""Stops: an answer ends before the first of the caller's stop sequences, also while it streams."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stops:
    """None of `sequences` is empty."""

    sequences: tuple[str, ...] = ()

    def cut(self, text: str) -> str:
        """`text` up to the first of the sequences."""
        places = [at for one in self.sequences if (at := text.find(one)) >= 0]
        return text[: min(places)] if places else text

    def certain(self, text: str) -> str:
        """What of a text that still grows will stand, whatever comes: no begun sequence."""
        held = max(
            (
                length
                for one in self.sequences
                for length in range(1, len(one))
                if text.endswith(one[:length])
            ),
            default=0,
        )
        return text[: min(len(self.cut(text)), len(text) - held)]
