"""Systems: the service and the baselines of a plan, all on the same model server and window."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import connect
from banyan.client.async_sdk import AsyncClient
from banyan.client.calls import SolveOptions
from banyan.evaluation.baselines import BASELINES, PEERS, make_baseline
from banyan.evaluation.errors import Unknown
from banyan.evaluation.language.systems import language_systems
from banyan.evaluation.language.vectors import open_vectors
from banyan.evaluation.plan import BOOKS, SERVICE, Plan
from banyan.evaluation.prompt_logprobs import open_scorer
from banyan.evaluation.question import Question, System
from banyan.evaluation.service_system import ServiceSystem
from banyan.evaluation.stage import Stage
from banyan.local.engine_choice import trait_settings
from banyan.ports import Engine
from banyan.settings import Settings
from banyan.task import Gate

_CHARS_PER_TOKEN = 4
"""For inputs where no model server can be asked."""


class InputTokens:
    """How long a question is, documents and goal, in the engine's tokens."""

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self._known: dict[str, int] = {}

    async def of(self, question: Question) -> int:
        """Tokens; each text is counted once."""
        return sum([await self._count(text) for text in (*question.documents, question.goal)])

    async def _count(self, text: str) -> int:
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._known:
            self._known[key] = (
                await self._engine.count(text)
                if self._engine is not None
                else -(-len(text) // _CHARS_PER_TOKEN)
            )
        return self._known[key]


def _unknown() -> None:
    """No memory is seen."""


@dataclass(frozen=True, slots=True)
class Cast:
    """All systems of a run. `model` is the engine's name for it, or the service's URL.

    `language` are those of language modelling, which has its own. `engine_peak_bytes` is what the
    model server has held at most; None where it was not started here.
    """

    systems: tuple[System, ...]
    model: str
    tokens: InputTokens
    language: tuple[System, ...] = ()
    engine_peak_bytes: Callable[[], int | None] = _unknown

    def of(self, name: str) -> tuple[System, ...]:
        """The systems that a set is run by."""
        return self.language if name == BOOKS else self.systems


def chosen_baselines(names: tuple[str, ...]) -> tuple[str, ...]:
    """The baselines of these names; `all` stands for every one. Raises Unknown."""
    wanted = dict.fromkeys((*BASELINES, *names) if "all" in names else names)
    wanted.pop("all", None)
    for name in wanted:
        if name not in (*BASELINES, *PEERS):
            raise Unknown(
                f"there is no baseline {name!r}",
                hint=f"Baselines: {', '.join((*BASELINES, *PEERS))}; all: those of Banyan.",
            )
    return tuple(wanted)


@asynccontextmanager
async def open_engine(plan: Plan, stage: Stage) -> AsyncIterator[Engine | None]:
    """The model server of `stage`, closed at the end; None where it has none."""
    if stage.engine is None:
        yield None
        return
    settings = Settings(
        engine_kind=stage.engine.kind,
        engine_model=stage.engine.served_model,
        engine_window=plan.window,
    )
    engine = connect(EngineSpec.of(settings), stage.engine.url)
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def open_systems(plan: Plan, stage: Stage) -> AsyncIterator[Cast]:
    """The systems of `plan` on `stage`, closed at the end."""
    async with AsyncExitStack() as opened:
        engine = await opened.enter_async_context(open_engine(plan, stage))
        service = None
        if plan.with_service and stage.url is not None:
            service = ServiceSystem(
                AsyncClient(stage.url), _options(plan), name=SERVICE, policy=stage.policy
            )
            opened.push_async_callback(service.close)
        systems: list[System] = [] if service is None else [service]
        if engine is not None:
            systems += [
                make_baseline(
                    name, engine=engine, window=plan.window, frequency_penalty=_penalty(stage)
                )
                for name in plan.baselines
            ]
        model = (await engine.abilities()).model if engine is not None else str(stage.url)
        language: tuple[System, ...] = ()
        if stage.engine is not None and BOOKS in plan.sets:
            scorer = await opened.enter_async_context(open_scorer(stage.engine.url, model))
            vectors = None
            if stage.packer_url is not None:
                vectors = await opened.enter_async_context(open_vectors(stage.packer_url))
            language = language_systems(plan, scorer, service, vectors)
        yield Cast(tuple(systems), model, InputTokens(engine), language, stage.engine_peak_bytes)


def _penalty(stage: Stage) -> float:
    """The frequency penalty of the policy that the service runs on this model."""
    return trait_settings(stage.engine).frequency_penalty if stage.engine else 0.0


def _options(plan: Plan) -> SolveOptions:
    options = SolveOptions(state=plan.state)
    if plan.gate is not None or plan.threshold is not None:
        options["gate"] = Gate(mode=plan.gate or "threshold", threshold=plan.threshold)
    return options
