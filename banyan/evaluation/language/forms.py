"""Forms: what stands before a text that is scored, in place of all that the window cannot hold.

`nothing`, `truncation` and `head_tail` cost no model call. The forms of packed state are written by
the service: FORMS_OF_STATE names all of them, and `STATES` has those that can be scored here. A
form that is added there is run, shown and compared like the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from banyan.errors import InvalidInput
from banyan.evaluation.baselines.prompts import GAP
from banyan.evaluation.item import text_of
from banyan.evaluation.language.frame import Frame, Measured
from banyan.evaluation.question import Answered, Question, System

LABEL = "What happened before: {summary}\n\n[...]\n\n"

FORMS_OF_STATE = ("summary", "prefix", "hidden")
"""Of packed state, see docs/concepts.md."""


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


def summary(service: System) -> Form:
    """What the service answers to the question's goal over all that came before, as it is."""

    async def form(frame: Frame, question: Question) -> Made:
        asked = replace(question, continuation="")
        cost = await service.answer(asked)
        text = text_of(cost).strip()
        if cost.status == "failed" or not text:
            return _unusable(cost, f"the service wrote no summary: {cost.error or 'it is empty'}")
        state = await frame.scorer.tokenize(LABEL.format(summary=text))
        try:
            num_last = frame.beside(state)
        except InvalidInput as error:
            return _unusable(cost, f"{error.code}: {error}")
        return Made(await frame.score(text, state, num_last), cost)

    return form


def _unusable(cost: Answered, why: str) -> Made:
    return Made(None, cost.model_copy(update={"status": "failed", "error": why}))


STATES: dict[str, Callable[[System], Form]] = {"summary": summary}


def not_run(chosen: tuple[str, ...]) -> str:
    """A sentence on which forms of packed state a table holds, and which it does not."""
    others = [name for name in FORMS_OF_STATE if name not in chosen]
    said = [f"{name} ({_why(name)})" for name in others]
    run = f"forms of packed state that were run: {', '.join(chosen) or 'none'}"
    return f"{run}; not run: {', '.join(said)}" if said else run


def _why(name: str) -> str:
    return "left out by the options" if name in STATES else "cannot be scored by this version"
