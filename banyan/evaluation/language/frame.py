"""Frame: a window filled with a state, the last tokens that fit, and the text that is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from banyan.errors import InvalidInput
from banyan.evaluation.prompt_logprobs import PromptScorer

BEGINNING = "\n"
"""Stands before everything, so that the first token has something before it."""


class Measured(BaseModel):
    """How likely a text was, and what stood before it.

    `state` is what was kept of the text that is not among the last tokens; "" where nothing was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bits: float
    num_bytes: int
    state: str
    state_tokens: int
    last_tokens: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One passage, cut at one place. Token lists are of the scored model.

    `room`: tokens that the window has for what stands before `target`.
    """

    scorer: PromptScorer
    target_text: str
    beginning: tuple[int, ...]
    before: tuple[int, ...]
    target: tuple[int, ...]
    room: int

    async def score(self, state: str, state_ids: Sequence[int], num_last: int) -> Measured:
        """Score the target after a state and the last `num_last` tokens before it."""
        last = self.before[len(self.before) - num_last :]
        context = (*self.beginning, *state_ids, *last)
        logprobs = await self.scorer.score([*context, *self.target])
        scored = logprobs[-len(self.target) :]
        return self.measured(scored, state, len(state_ids), num_last)

    def measured(
        self, logprobs: Sequence[float], state: str, state_tokens: int, num_last: int
    ) -> Measured:
        """What the target's log-probabilities (nats) say."""
        return Measured(
            bits=-math.fsum(logprobs) / math.log(2),
            num_bytes=len(self.target_text.encode()),
            state=state,
            state_tokens=state_tokens,
            last_tokens=num_last,
        )

    def beside(self, state_ids: Sequence[int]) -> int:
        """How many of the last tokens fit beside a state. Raises InvalidInput where it is too long.

        A state is never cut: what a policy wrote is taken as it is.
        """
        if len(state_ids) > self.room:
            raise InvalidInput(
                f"a state of {len(state_ids)} tokens exceeds the {self.room} tokens that the "
                "window has before the text that is scored"
            )
        return min(self.room - len(state_ids), len(self.before))


async def frame(scorer: PromptScorer, window: int, before: str, target: str) -> Frame:
    """Fill in what is known. Raises InvalidInput where the window leaves nothing out, or no room.

    One token of the window is kept for the reply that the server has to give.
    """
    beginning = await scorer.tokenize(BEGINNING, begins=True)
    before_ids = await scorer.tokenize(before)
    target_ids = await scorer.tokenize(target)
    room = window - 1 - len(beginning) - len(target_ids)
    if room < 0:
        raise InvalidInput(
            f"{len(target_ids)} tokens are to be scored, more than a window of {window} holds",
            hint="Take a larger --window.",
        )
    if len(before_ids) <= room:
        raise InvalidInput(
            f"all {len(before_ids)} tokens before fit the window: no form of state leaves any out",
            hint="Take a smaller --window, or a later --bucket.",
        )
    return Frame(scorer, target, tuple(beginning), tuple(before_ids), tuple(target_ids), room)
