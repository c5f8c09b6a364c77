"""Stage: the service and the model server that an evaluation talks to, started where not given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from banyan.evaluation.errors import Unknown
from banyan.evaluation.plan import BOOKS, Plan
from banyan.local import engine_choice
from banyan.local.engine_choice import EnginePlan
from banyan.local.options import Options
from banyan.local.ports import free_port
from banyan.local.stop_signal import StopSignal
from banyan.local.up import AllInOne, Report, Step


@dataclass(frozen=True, slots=True)
class Stage:
    """`check` raises Died where a part that was started here has ended.

    `engine_peak_bytes`: what the model server has held at most; None where it ran already.
    """

    url: str | None
    engine: EnginePlan | None
    check: Callable[[], None]
    engine_peak_bytes: Callable[[], int | None]


@contextmanager
def open_stage(plan: Plan, *, report: Report, stop: StopSignal) -> Iterator[Stage]:
    """What `plan` needs, until the block ends. Raises Unknown, Missing, NotStarted or Died."""
    needs_engine = bool(plan.baselines) or BOOKS in plan.sets
    if plan.url is not None and needs_engine and plan.engine_url is None:
        raise Unknown(
            "baselines and language modelling beside a running service need its model server",
            hint="Give the model server's URL with --engine, or leave --url out.",
        )
    options = Options(
        engine=plan.engine_kind,
        engine_url=plan.engine_url,
        model=plan.model,
        port=free_port(),
        window=plan.window,
    )
    if plan.url is not None or (not plan.with_service and plan.engine_url is not None):
        engine = _running(options, report) if plan.engine_url is not None else None
        yield Stage(plan.url, engine, check=_nothing, engine_peak_bytes=_nothing)
        return
    with AllInOne(options, report=report, stop=stop) as local:
        yield Stage(local.url, local.engine, local.check, local.engine_peak_bytes)


def _running(options: Options, report: Report) -> EnginePlan:
    return engine_choice.choose(options, lambda text: report(Step("engine", "starting", text)))


def _nothing() -> None:
    """Nothing was started here."""
