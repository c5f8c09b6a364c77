"""States: the forms of packed state as what stands before a text that is scored.

Each takes the place of what the last tokens leave out, and they fill what it leaves of the window.
A form that is added to `STATES` is run, shown and compared like the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from banyan.errors import AbilityMissing, InvalidInput
from banyan.evaluation.baselines.prompts import GAP
from banyan.evaluation.item import text_of
from banyan.evaluation.language.forms import Form, Made
from banyan.evaluation.language.frame import Frame
from banyan.evaluation.language.vectors import VectorScorer
from banyan.evaluation.plan import Plan
from banyan.evaluation.question import Answered, Question, System
from banyan.transfer import MAX_PREFIX_SHARE, NUM_VECTORS

LABEL = "What happened before: {summary}\n\n[...]\n\n"


@dataclass(frozen=True, slots=True)
class Means:
    """What writes and reads states: the service, the window, and what scores behind vectors."""

    service: System
    window: int
    vectors: VectorScorer | None = None


def summary(means: Means) -> Form:
    """What the service answers to the question's goal over all that came before, as it is."""

    async def form(frame: Frame, question: Question) -> Made:
        asked = replace(question, continuation="")
        cost = await means.service.answer(asked)
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


def prefix(means: Means) -> Form:
    """The tokens of a parent that has read the beginning, as many as a prefix may have."""

    async def form(frame: Frame, question: Question) -> Made:
        del question
        gap = await frame.scorer.tokenize(GAP)
        num_kept = int(MAX_PREFIX_SHARE * means.window) - len(frame.beginning)
        state = (*frame.before[:num_kept], *gap)
        return Made(await frame.score("(the parent's prefix)", state, frame.beside(state)))

    return form


def hidden(means: Means) -> Form:
    """Vectors that a packer makes of all that the last tokens leave out."""

    async def form(frame: Frame, question: Question) -> Made:
        del question
        if means.vectors is None:
            raise AbilityMissing("there is no packer that scores", hint="Give it with --packer.")
        num_last = frame.beside((0,) * NUM_VECTORS)
        left_out = frame.before[: len(frame.before) - num_last]
        vectors = await means.vectors.pack(left_out, NUM_VECTORS)
        behind = (*frame.before[len(left_out) :], *frame.target)
        num = len(frame.target)
        logprobs = await means.vectors.score(frame.beginning, vectors, behind, num)
        num_vectors = min(NUM_VECTORS, len(left_out))
        return Made(frame.measured(logprobs, f"({num_vectors} vectors)", num_vectors, num_last))

    return form


def _unusable(cost: Answered, why: str) -> Made:
    return Made(None, cost.model_copy(update={"status": "failed", "error": why}))


STATES: dict[str, Callable[[Means], Form]] = {
    "summary": summary,
    "prefix": prefix,
    "hidden": hidden,
}


def chosen(plan: Plan) -> tuple[str, ...]:
    """The forms that `plan` runs; `auto` stands for all that it has the means for."""
    if not plan.with_service:
        return ()
    if plan.state != "auto":
        return (plan.state,)
    return tuple(name for name in STATES if name != "hidden" or has_packer(plan))


def has_packer(plan: Plan) -> bool:
    """Whether vectors can be scored: by a packer that is named, or beside an engine of our own."""
    return bool(plan.packer_url) or plan.engine_url is None


def said_of(plan: Plan) -> str:
    """A sentence on which forms a table holds, and which it does not."""
    names = chosen(plan)
    others = [f"{name} ({_why(name, plan)})" for name in STATES if name not in names]
    run = f"forms of packed state that were run: {', '.join(names) or 'none'}"
    return f"{run}; not run: {', '.join(others)}" if others else run


def _why(name: str, plan: Plan) -> str:
    is_chosen = plan.with_service and plan.state in ("auto", name)
    if name == "hidden" and is_chosen and not has_packer(plan):
        return "there is no --packer"
    return "left out by the options"
