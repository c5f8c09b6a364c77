"""Stage: the service and the model server that an evaluation talks to, started where not given."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from banyan.adapters.policy_file import listed
from banyan.evaluation.errors import Unknown
from banyan.evaluation.language.states import chosen
from banyan.evaluation.plan import BOOKS, Plan
from banyan.local import engine_choice, packer, programs, vllm_server
from banyan.local.engine_choice import EnginePlan
from banyan.local.errors import Missing
from banyan.local.options import Options
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.processes import Processes
from banyan.local.stop_signal import StopSignal
from banyan.local.up import AllInOne, Report, Step
from banyan.policy import LIVE, Policy


@dataclass(frozen=True, slots=True)
class Stage:
    """`check` raises Died where a part that was started here has ended.

    `engine_peak_bytes`: what the model server has held at most; None where it ran already.
    """

    url: str | None
    engine: EnginePlan | None
    check: Callable[[], None]
    engine_peak_bytes: Callable[[], int | None]
    packer_url: str | None = None
    """A packer that scores, for language modelling with vectors."""
    policy: Policy | None = None
    """What the service's workers know of the policy that they run; None where it ran already."""


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
        small_model=plan.small_model,
        port=free_port(),
        window=plan.window,
    )
    if plan.url is not None or (not plan.with_service and plan.engine_url is not None):
        engine = _running(options, report) if plan.engine_url is not None else None
        yield Stage(plan.url, engine, _nothing, _nothing, plan.packer_url)
        return
    with ExitStack() as opened:
        local = opened.enter_context(AllInOne(options, report=report, stop=stop))
        packer_url = plan.packer_url
        if packer_url is None and BOOKS in plan.sets and "hidden" in chosen(plan):
            packer_url = opened.enter_context(_packer(local.engine, report))
        settings = engine_choice.trait_settings(local.engine)
        yield Stage(
            local.url,
            local.engine,
            local.check,
            local.engine_peak_bytes,
            packer_url,
            listed(settings, settings.traits).policies.resolve(LIVE),
        )


@contextmanager
def _packer(engine: EnginePlan, report: Report) -> Iterator[str]:
    """A packer that scores, of the weights that `engine` serves. Raises Missing, NotStarted."""
    if engine.folder is None or engine.python is None:
        raise Missing(
            "the state hidden needs the model's weights as a folder",
            hint="Give a folder with --model, or leave the form out with --state.",
        )
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    argv = packer.command(engine.python, engine.folder, port, scores=True)
    with (
        tempfile.TemporaryDirectory(prefix="banyan-packer-") as folder,
        Processes(Path(folder)) as processes,
    ):
        child = processes.start("packer", argv, env=programs.environment())
        vllm_server.wait_ready(child, url, lambda text: report(Step("packer", "starting", text)))
        report(Step("packer", "up", f"{url}  pid {child.pid}"))
        yield url


def _running(options: Options, report: Report) -> EnginePlan:
    return engine_choice.choose(options, lambda text: report(Step("engine", "starting", text)))


def _nothing() -> None:
    """Nothing was started here."""
