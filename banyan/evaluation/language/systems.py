"""Systems of language modelling: each form as a system, so that it is run and kept as any other."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping

from pydantic import JsonValue

from banyan.errors import BanyanError
from banyan.evaluation.baselines.prompts import GAP
from banyan.evaluation.errors import Unknown
from banyan.evaluation.language.forms import BASELINES, Form
from banyan.evaluation.language.frame import BEGINNING, frame
from banyan.evaluation.language.states import LABEL, STATES, Means, chosen, has_packer, said_of
from banyan.evaluation.language.vectors import VectorScorer
from banyan.evaluation.plan import BOOKS, Plan
from banyan.evaluation.prompt_logprobs import PromptScorer
from banyan.evaluation.question import Answered, Question, System
from banyan.local.errors import Missing


class FormSystem:
    """Satisfies `System`. Its answer is a `Measured` as an object.

    Tokens and calls are of the state alone, since scoring costs the same for all forms; `seconds`
    is of both.
    """

    def __init__(
        self,
        name: str,
        form: Form,
        *,
        scorer: PromptScorer,
        window: int,
        settings: Mapping[str, JsonValue],
    ) -> None:
        self.name = name
        self.settings = settings
        self._form = form
        self._scorer = scorer
        self._window = window

    async def answer(self, question: Question) -> Answered:
        """Score the continuation; an error becomes a result with status `failed`."""
        began = time.monotonic()
        try:
            framed = await frame(
                self._scorer, self._window, "".join(question.documents), question.continuation
            )
            made = await self._form(framed, question)
        except BanyanError as error:
            return Answered(
                status="failed",
                error=f"{error.code}: {error}",
                seconds=time.monotonic() - began,
            )
        answer = made.measured.model_dump() if made.measured else None
        return made.cost.model_copy(update={"answer": answer, "seconds": time.monotonic() - began})

    async def close(self) -> None:
        """Nothing is held."""


def language_systems(
    plan: Plan, scorer: PromptScorer, service: System | None, vectors: VectorScorer | None = None
) -> tuple[System, ...]:
    """The baselines, and the forms of state that `plan` asks for; those need the service."""

    def system(name: str, form: Form, settings: Mapping[str, JsonValue]) -> System:
        made_with = {"frame": frame_mark(), **settings}
        return FormSystem(name, form, scorer=scorer, window=plan.window, settings=made_with)

    systems = [system(name, form, {}) for name, form in BASELINES.items()]
    if service is not None:
        means = Means(service, plan.window, vectors)
        systems += [
            system(name, STATES[name](means), service.settings if name == "summary" else {})
            for name in chosen(plan)
        ]
    return tuple(systems)


def frame_mark() -> str:
    """A hash of the fixed words that stand around a state: other words are other scores."""
    return hashlib.sha256(json.dumps([BEGINNING, LABEL, GAP]).encode()).hexdigest()[:12]


def notes(plan: Plan) -> tuple[str, ...]:
    """What a reader of the table must know."""
    forms = said_of(plan)
    if not plan.baselines:
        return (forms,)
    return forms, f"--baseline says nothing here: {', '.join(BASELINES)} were run"


def check(plan: Plan) -> None:
    """Raises Missing or Unknown where `plan` cannot run its language modelling."""
    if BOOKS not in plan.sets:
        return
    if plan.engine_kind != "vllm":
        raise Missing(
            f"{BOOKS} needs log-probabilities of a prompt's tokens, which {plan.engine_kind} does "
            "not give",
            hint="Take --engine-kind vllm.",
        )
    if "hidden" in chosen(plan) and not has_packer(plan):
        raise Missing(
            f"{BOOKS} with the state hidden needs a packer beside the model server that runs",
            hint="Start banyan/local/packer_server.py with --scores, and give its --packer URL.",
        )
    if plan.baselines and set(plan.sets) == {BOOKS}:
        raise Unknown(
            f"{BOOKS} has no baseline of the other sets",
            hint=f"It always runs {', '.join(BASELINES)}; leave --baseline out.",
        )
