"""Curriculum: difficulties open one after another, the next where the hardest open one is learned.

By what the rollouts of training themselves achieve, not by a clock, so that a run that goes on to
more steps does what a longer one would have done.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from training.tiny.nodes import Tree

ENOUGH = 0.7
"""Success of sampled rollouts; what is served, the likeliest words, does better."""
NUM_LAST = 64
"""Rollouts of the hardest open difficulty that are looked back on."""


class Curriculum(msgspec.Struct):
    """`num_open` of the difficulties, the easiest first; `last` are successes at the hardest."""

    num_open: int
    last: list[float] = msgspec.field(default_factory=list)

    def open_of(self, difficulties: Sequence[int]) -> list[int]:
        return sorted(difficulties)[: self.num_open]

    def see(self, trees: Sequence[Tree], difficulties: Sequence[int]) -> None:
        """Take up a batch of rollouts; open one more where that is due."""
        if self.num_open >= len(difficulties):
            return
        hardest = self.open_of(difficulties)[-1]
        seen = [tree.root.success for tree in trees if tree.difficulty == hardest]
        self.last = [*self.last, *seen][-NUM_LAST:]
        if len(self.last) == NUM_LAST and sum(self.last) / NUM_LAST >= ENOUGH:
            self.num_open += 1
            self.last = []
