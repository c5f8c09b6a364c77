"""A modelled prefix cache: which beginning of a prompt a model server would not compute again.

As vLLM keeps them: whole blocks of tokens, each named by itself and all before it, apart by salt,
a bounded number of them, and those that were not used for the longest time go first. A prompt's
blocks are there for others as soon as it is scheduled, so that equal prompts at one time share.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence

BLOCK_TOKENS = 16
"""vLLM's on GPUs."""


class PrefixCache:
    """What one server keeps: up to `num_blocks` blocks of `block_tokens` tokens."""

    def __init__(self, num_blocks: int, block_tokens: int = BLOCK_TOKENS) -> None:
        self._num_blocks = num_blocks
        self._block_tokens = block_tokens
        self._kept: OrderedDict[int, None] = OrderedDict()
        self.num_asked = 0
        self.num_found = 0

    def find(self, salt: str, tokens: Sequence[Hashable]) -> int:
        """Tokens of the prompt's beginning that are there; never all: one has to be computed."""
        num_blocks = 0
        for block in self._blocks(salt, tokens[:-1]):
            if block not in self._kept:
                break
            num_blocks += 1
        found = num_blocks * self._block_tokens
        self.num_asked += len(tokens)
        self.num_found += found
        return found

    def keep(self, salt: str, tokens: Sequence[Hashable]) -> None:
        """Keep a prompt and what was generated after it. Its end is given up before its start."""
        for block in reversed([*self._blocks(salt, tokens)]):
            self._kept[block] = None
            self._kept.move_to_end(block)
        while len(self._kept) > self._num_blocks:
            self._kept.popitem(last=False)

    def _blocks(self, salt: str, tokens: Sequence[Hashable]) -> Iterator[int]:
        """The names of all whole blocks, in order."""
        size, name = self._block_tokens, hash(salt)
        for end in range(size, len(tokens) + 1, size):
            name = hash((name, *tokens[end - size : end]))
            yield name
