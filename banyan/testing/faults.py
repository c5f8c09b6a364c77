"""Faults of a model server: in how many ways a call can go wrong, for the fake one to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Fault = Literal[
    "400", "500", "503", "empty", "cut_reply", "cut_json", "wrong_schema", "prose", "late"
]
"""A status; a reply without text, cut in the middle of its bytes, or whose text is JSON that was
cut off, of another schema, or a sentence about an error; and one that comes `late_s` later."""

ALL: tuple[Fault, ...] = get_args(Fault)

TEXTS: dict[Fault, str] = {
    "empty": "",
    "cut_json": '{"answer": "It beg',
    "wrong_schema": '{"verdict": 7}',
    "prose": "Error: the model is overloaded, try again later.",
}
"""What is written in place of the rule's text."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Every `every`-th completion shows the next of `kinds`, in turn; 0: none does."""

    every: int = 0
    kinds: Sequence[Fault] = ("503",)
    late_s: float = 60.0

    def of_call(self, number: int) -> Fault | None:
        """What is wrong with the call of this number, counted from 1."""
        if not self.every or number % self.every:
            return None
        return self.kinds[(number // self.every - 1) % len(self.kinds)]


def parse(names: str) -> tuple[Fault, ...]:
    """Names separated by commas. Raises ValueError for what is none."""
    by_name = {str(fault): fault for fault in ALL}
    unknown = [name for name in names.split(",") if name not in by_name]
    if unknown:
        raise ValueError(f"no faults: {', '.join(unknown)}; there are {', '.join(ALL)}")
    return tuple(by_name[name] for name in names.split(","))
