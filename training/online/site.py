"""Site: connects a run to the service, to its folders, and to the server that it evaluates on.

What workers know by `BANYAN_` variables (traits of the policy, window, folders) is read from the
same ones here, so that a version is measured as it will be served.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import make_replicas, make_weights
from banyan.adapters.policy_file import listed
from banyan.client.async_sdk import AsyncClient
from banyan.client.policy_admin import PolicyAdmin
from banyan.settings import TraitSettings
from training.online.evaluating import Evaluator
from training.online.loop import Site
from training.online.plan import Plan


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is. `eval_engine` is the URL of a vLLM server that serves nobody else."""

    url: str
    eval_engine: str
    log: Path
    policies: Path
    model: Path
    base: str
    max_gap: float = 0.2


@asynccontextmanager
async def open_site(places: Places, plan: Plan, settings: TraitSettings) -> AsyncIterator[Site]:
    """Connected until the block ends. Raises EngineUnavailable where no server is to measure on."""
    spec = EngineSpec(
        "vllm",
        (places.eval_engine.rstrip("/"),),
        model=settings.engine_model,
        window=settings.engine_window,
        api_key=settings.engine_api_key,
        timeout_s=settings.engine_timeout_s,
    )
    engine, [replica] = make_replicas(spec), make_weights(spec).values()
    try:
        await replica.ping()
        evaluator = Evaluator(
            engine,
            replica,
            kind="full" if "--full" in plan.update else "adapter",
            limits=plan.limits,
            num_parallel=plan.num_parallel,
            max_gap=places.max_gap,
        )
        with PolicyAdmin(places.url) as registry:
            async with AsyncClient(places.url) as client:
                yield Site(
                    client=client,
                    registry=registry,
                    evaluator=evaluator,
                    listed=listed(settings, settings.traits).policies.resolve(plan.policy),
                    log=places.log,
                    policies=places.policies,
                    model=places.model,
                    base=places.base,
                )
    finally:
        await replica.close()
        await engine.close()
