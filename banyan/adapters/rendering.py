"""Rendering: dialogues to token ids with the tokenizer of the server, each text tokenised once.

What a server has to offer is a `Tokenizer`; how prompts are put together is in `chat_format.py`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from banyan.adapters.chat_format import Affixes, Content, Guard, Run, Sampled, assemble
from banyan.errors import AbilityMissing
from banyan.ports import Message, Prompt

MAX_CACHED_TOKENS = 500_000
"""Token ids of runs that are kept, so that a node's next turn does not tokenise its documents
again; about 36 bytes each, 18 MB in all."""


@dataclass(frozen=True, slots=True)
class Format:
    """A model's template, its guard, and the tokens that every prompt begins with (BOS)."""

    affixes: Affixes
    guard: Guard
    begin: tuple[int, ...] = ()


class Tokenizer(Protocol):
    """What a model server tells about its tokens."""

    async def chat_format(self) -> Format:
        """Asked once."""
        ...

    async def tokenize(self, run: Run) -> list[int]:
        """Token ids of a run, in one call, without BOS; control tokens in markup alone."""
        ...


class Renderer:
    """Renders dialogues for one model server."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._format: Format | None = None
        self._asking = asyncio.Lock()
        self._runs: OrderedDict[Run, tuple[int, ...]] = OrderedDict()
        self._num_cached = 0
        self._letters: dict[str, int] = {}

    async def format(self) -> Format:
        """The model's template, asked of the server the first time."""
        if self._format is None:
            async with self._asking:
                if self._format is None:
                    self._format = await self._tokenizer.chat_format()
        return self._format

    async def render(self, messages: Sequence[Message]) -> Prompt:
        """Apply the template. Raises EngineRefused where the order of roles is not a dialogue."""
        form = await self.format()
        begins = not messages or messages[0].role != "prefix"  # a prefix has begun already
        token_ids = list(form.begin) if begins else []
        previous: Run | Sampled = ()
        for part in assemble(messages, form.affixes, form.guard):
            if isinstance(part, Sampled):
                token_ids += part.token_ids
            else:
                run = await self._tokens(part)
                # The end of a turn is the first token of what follows a reply; where the model
                # sampled it, it is there already.
                repeats = isinstance(previous, Sampled) and token_ids[-1:] == list(run[:1])
                token_ids += run[1:] if repeats else run
            previous = part
        return Prompt(tuple(messages), tuple(token_ids), len(token_ids))

    async def count(self, text: str) -> int:
        """Tokens of `text` as content."""
        if not text:
            return 0
        form = await self.format()
        return len(await self._tokenizer.tokenize((Content(form.guard(text)),)))

    async def letter(self, letter: str) -> int:
        """The one token that is `letter`. Raises AbilityMissing where it is not one token."""
        known = self._letters.get(letter)
        if known is not None:
            return known
        token_ids = await self._tokenizer.tokenize((Content(letter),))
        if len(token_ids) != 1:
            raise AbilityMissing(
                f"{letter!r} is {len(token_ids)} tokens of this model, so that the choice of a "
                "kind has no single log-probability"
            )
        self._letters[letter] = token_ids[0]
        return token_ids[0]

    async def _tokens(self, run: Run) -> tuple[int, ...]:
        found = self._runs.get(run)
        if found is not None:
            self._runs.move_to_end(run)
            return found
        token_ids = tuple(await self._tokenizer.tokenize(run))
        if run not in self._runs:
            self._runs[run] = token_ids
            self._num_cached += len(token_ids)
        while self._num_cached > MAX_CACHED_TOKENS:
            _, dropped = self._runs.popitem(last=False)
            self._num_cached -= len(dropped)
        return token_ids
