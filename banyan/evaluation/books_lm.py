"""Language modelling of passages longer than the window: what a state is worth, in bits per byte.

A passage is cut into consecutive blocks. Each block that no longer fits beside all that came
before it is scored given what a form keeps of that: nothing, the last tokens that fit
(truncation), or a summary that the policy wrote and the last tokens that fit beside it. A better
state makes the next block more likely. Bits per byte = -sum(log2 p(token)) / bytes in UTF-8,
which does not depend on the tokenizer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from banyan.errors import InvalidInput
from banyan.evaluation.baselines.calls import Calls
from banyan.evaluation.baselines.chunks import pieces
from banyan.evaluation.baselines.prompts import refine
from banyan.evaluation.prompt_logprobs import PromptScorer
from banyan.ports import Engine, Sampling

Form = Literal["nothing", "truncation", "summary"]
FORMS: tuple[Form, ...] = ("nothing", "truncation", "summary")

BLOCK_TOKENS = 512
SUMMARY_TOKENS = 256
_LABEL = "What happened before: {summary}\n\n[...]\n\n"
_LABEL_TOKENS = 24
"""The most that the label takes."""
_PAUSE_S = 1.0
_BEGINNING = "\n"
"""Stands before everything, so that a block's first token has something before it."""
_SUMMARY_GOAL = (
    "Summarise all of the text so far for someone who reads on from here: who and where, what "
    "happened, and what is going on at the end."
)


@dataclass(frozen=True, slots=True)
class PassageBits:
    """One passage's figures. `bits_per_byte` has one value for each form that was asked for."""

    num_blocks: int
    num_bytes: int
    bits_per_byte: Mapping[Form, float]
    summary_calls: int = 0
    summary_tokens: int = 0
    """Of prompts and replies of the calls that wrote summaries."""


async def bits_per_byte(
    text: str,
    *,
    scorer: PromptScorer,
    engine: Engine,
    window: int,
    forms: Sequence[Form] = FORMS,
    block_tokens: int = BLOCK_TOKENS,
    summary_tokens: int = SUMMARY_TOKENS,
) -> PassageBits:
    """Score one passage under each of `forms`; all forms score the same blocks.

    `scorer` and `engine` are the same model; `engine` writes the summaries. Raises InvalidInput
    where the passage fits the window as a whole, EngineError where the model fails.
    """
    blocks = await _blocks(text, scorer, block_tokens)
    frame = _Frame(tuple(await scorer.tokenize(_BEGINNING, begins=True)), window - 1)
    targets = [index for index in range(1, len(blocks)) if frame.leaves_out(blocks, index)]
    if not targets:
        raise InvalidInput("the passage fits the window: no form of state leaves anything out")
    exact = (await engine.abilities()).token_ids
    calls = Calls(engine, window, Sampling(), exact=exact, pause_s=_PAUSE_S)
    summaries = _Summaries(blocks, calls, scorer, summary_tokens)
    bits: dict[Form, float] = dict.fromkeys(forms, 0.0)
    for index in targets:
        for form in forms:
            match form:
                case "nothing":
                    context = frame.beginning
                case "truncation":
                    context = frame.filled(blocks, index, ())
                case "summary":
                    state = await summaries.before(frame.first_whole(blocks, index, summary_tokens))
                    context = frame.filled(blocks, index, state)
            bits[form] += await _bits(scorer, context, blocks[index])
    num_bytes = sum(blocks[index].num_bytes for index in targets)
    return PassageBits(
        num_blocks=len(targets),
        num_bytes=num_bytes,
        bits_per_byte={form: total / num_bytes for form, total in bits.items()},
        summary_calls=calls.num_calls,
        summary_tokens=calls.prompt_tokens + calls.completion_tokens,
    )


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    token_ids: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        return len(self.text.encode())


async def _blocks(text: str, scorer: PromptScorer, block_tokens: int) -> list[_Block]:
    """Blocks of at most about `block_tokens`, cut between characters, so that bytes are exact."""
    num_tokens = len(await scorer.tokenize(text))
    num_chars = int(block_tokens * len(text) / max(1, num_tokens))
    found: list[_Block] = []
    for start, end in pieces(text, num_chars):
        block = text[start:end]
        found.append(_Block(block, tuple(await scorer.tokenize(block))))
    return found


async def _bits(scorer: PromptScorer, context: Sequence[int], block: _Block) -> float:
    """-sum(log2 p) of the block's tokens."""
    logprobs = await scorer.score([*context, *block.token_ids])
    return -math.fsum(logprobs[-len(block.token_ids) :]) / math.log(2)


@dataclass(frozen=True, slots=True)
class _Frame:
    """How a window of `room` tokens is filled: the beginning, a state, the last tokens, a block."""

    beginning: tuple[int, ...]
    room: int

    def leaves_out(self, blocks: Sequence[_Block], index: int) -> bool:
        """Whether not all that came before the block fits beside it."""
        return sum(len(block.token_ids) for block in blocks[:index]) > self._free(blocks[index])

    def filled(self, blocks: Sequence[_Block], index: int, state: Sequence[int]) -> tuple[int, ...]:
        """What stands before the block: the state, and the last tokens that fit beside both."""
        before = [token for block in blocks[:index] for token in block.token_ids]
        free = self._free(blocks[index]) - len(state)
        if free < 0:
            raise InvalidInput("the window has no room for a block beside the state")
        return (*self.beginning, *state, *before[len(before) - min(free, len(before)) :])

    def first_whole(self, blocks: Sequence[_Block], index: int, state_tokens: int) -> int:
        """The first block that stands whole among the last tokens; a summary ends before it."""
        free = self._free(blocks[index]) - state_tokens - _LABEL_TOKENS
        first = index
        while first and len(blocks[first - 1].token_ids) <= free:
            first -= 1
            free -= len(blocks[first].token_ids)
        return first

    def _free(self, block: _Block) -> int:
        return self.room - len(self.beginning) - len(block.token_ids)


class _Summaries:
    """The running summary after each block, written once by the policy, in order."""

    def __init__(
        self, blocks: Sequence[_Block], calls: Calls, scorer: PromptScorer, max_tokens: int
    ) -> None:
        self._blocks = blocks
        self._calls = calls
        self._scorer = scorer
        self._max_tokens = max_tokens
        self._written = [""]

    async def before(self, index: int) -> list[int]:
        """Tokens of the summary of all blocks before this one, with its label."""
        while len(self._written) <= index:
            block = self._blocks[len(self._written) - 1]
            messages = refine(self._written[-1], block.text, _SUMMARY_GOAL)
            self._written.append(await self._calls.ask(messages, max_tokens=self._max_tokens))
        state = await self._scorer.tokenize(_LABEL.format(summary=self._written[index]))
        return state[: self._max_tokens + _LABEL_TOKENS]
