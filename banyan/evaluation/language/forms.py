"""Forms: what stands before a text that is scored, in place of all that the window cannot hold.

`nothing`, `truncation` and `head_tail` cost no model call. The forms of packed state are in
`states.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from banyan.evaluation.baselines.prompts import GAP
from banyan.evaluation.language.frame import Frame, Measured
from banyan.evaluation.question import Answered, Question


@dataclass(frozen=True, slots=True)
class Made:
    """How likely the text was, and what making its state cost.

    `measured` is None where a state was paid for and cannot be used; the cost has the error then.
    """

    measured: Measured | None
    cost: Answered = field(default_factory=lambda: Answered(status="completed", nodes=0))


Form = Callable[[Frame, Question], Awaitable[Made]]
"""Scores the question's continuation in its frame. Raises BanyanError."""


async def nothing(frame: Frame, question: Question) -> Made:
    """The text alone."""
    del question
    return Made(await frame.score("", (), 0))


async def truncation(frame: Frame, question: Question) -> Made:
    """The last tokens that fit."""
    del question
    return Made(await frame.score("", (), frame.beside(())))


async def head_tail(frame: Frame, question: Question) -> Made:
    """The first tokens and the last ones, half of the room each, and a line between them."""
    del question
    gap = await frame.scorer.tokenize(GAP)
    half = (frame.room - len(gap)) // 2
    state = (*frame.before[:half], *gap)
    return Made(await frame.score("(the beginning)", state, frame.beside(state)))


BASELINES: dict[str, Form] = {
    "nothing": nothing,
    "truncation": truncation,
    "head_tail": head_tail,
}
