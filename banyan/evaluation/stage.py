"""Stage: the service and the model server that an evaluation talks to, started where not given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from banyan.evaluation.errors import Unknown
from banyan.evaluation.plan import Plan
from banyan.local import engine_choice
from banyan.local.engine_choice import EnginePlan
from banyan.local.options import Options
from banyan.local.ports import free_port
from banyan.local.stop_signal import StopSignal
from banyan.local.up import AllInOne, Report, Step


@dataclass(frozen=True, slots=True)
class Stage:
    """`check` raises Died where a part that was started here has ended."""

    url: str | None
    engine: EnginePlan | None
    check: Callable[[], None]


@contextmanager
def open_stage(plan: Plan, *, report: Report, stop: StopSignal) -> Iterator[Stage]:
    """What `plan` needs, until the block ends. Raises Unknown, Missing, NotStarted or Died."""
    if plan.url is not None and plan.baselines and plan.engine_url is None:
        raise Unknown(
            "baselines beside a running service need its model server",
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
        yield Stage(plan.url, engine, check=_nothing)
        return
    with AllInOne(options, report=report, stop=stop) as local:
        yield Stage(local.url, local.engine, check=local.check)


def _running(options: Options, report: Report) -> EnginePlan:
    return engine_choice.choose(options, lambda text: report(Step("engine", "starting", text)))


def _nothing() -> None:
    """Nothing was started here."""
