"""POST /solve/{id}/resume: open a finished solve again; what is complete stays."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from banyan.budget import Budget
from banyan.client.results import SolveResult
from banyan.errors import BanyanError, Conflict, NotFound, UnknownPolicy
from banyan.prices import MAX_USD, NANO
from banyan.state import unpack
from banyan.task import Task
from service.admission import checked_key, send_hints
from service.dependencies import MeterOf, OwnedTree, Ports, PortsOf
from service.preferences import parse_prefer
from service.problems import Refused, documented, still_running
from service.replies import reply_under_way
from service.waiting import wait_finished

router = APIRouter(prefix="/solve/{id}", tags=["solve"])


class Extra(BaseModel):
    """What is added to what is left of the budget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(0, ge=0, le=10_000_000_000)
    nodes: int = Field(0, ge=0, le=1_000_000)
    cost_usd: float = Field(
        0.0, ge=0, le=MAX_USD, allow_inf_nan=False, description="Where the solve has a limit."
    )

    @property
    def budget(self) -> Budget:
        """The same as the store counts it."""
        return Budget(tokens=self.tokens, nodes=self.nodes, nano_usd=round(self.cost_usd * NANO))


class ResumeRequest(BaseModel):
    """How much more a solve may take."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [{"extra": {"tokens": 100_000, "nodes": 50}, "deadline_s": 600}]
        },
    )

    extra: Extra = Extra()
    deadline_s: float | None = Field(
        None, ge=1.0, le=86_400.0, description="From now on; null: as the solve was given at first."
    )


@router.post(
    "/resume",
    summary="Run again what failed",
    response_model=SolveResult,
    responses={
        200: {"description": "Finished, or complete before."},
        202: {"model": SolveResult, "description": "Under way; see Location."},
        **documented(400, 404, 409, 422, 429, 503),
    },
)
async def resume(
    *,
    tree: OwnedTree,
    request: Request,
    ports: PortsOf,
    meter: MeterOf,
    body: ResumeRequest | None = None,
    prefer: Annotated[
        str | None, Header(description="`wait=N`: up to N seconds for the result.")
    ] = None,
    idempotency_key: Annotated[
        str | None, Header(description="A resume with the key of the one before counts once.")
    ] = None,
) -> Response:
    """Nodes that finished well keep their results; the others run again, and what merges them.

    Repeating it while the solve runs changes nothing.
    """
    body = body or ResumeRequest()
    preference = parse_prefer(prefer, default_s=0.0, settings=ports.settings)
    key = None if idempotency_key is None else _hashed(checked_key(idempotency_key))
    task = unpack(tree.task, Task)
    if body.extra.cost_usd and not task.limits.has_price:
        raise Refused(
            "extra.cost_usd: money is not limited in this solve.",
            code="invalid_input",
            hint="Leave it out; extra.tokens and extra.nodes are what can be added.",
            field="extra.cost_usd",
        )
    deadline_s = body.deadline_s or task.limits.deadline_s
    await meter.reserve(tree.id, task.limits, reopens=True)
    try:
        await _keep_loaded(task, tree.id, deadline_s, ports)
        _, hints = await ports.store.resume(
            tree.id, extra=body.extra.budget, deadline_s=deadline_s, key=key
        )
    except Conflict as error:
        if body.extra != Extra():
            raise still_running(
                "Wait until it has finished, or cancel it, to add to it."
            ) from error
    except BanyanError:
        await meter.give_up(tree.id)
        raise
    else:
        await meter.keep(tree.id, deadline_s=deadline_s)
        await send_hints(ports.queue, hints, tree.id)
    record = await ports.store.get_tree(tree.id)
    record = await wait_finished(record, preference.wait_s, request=request, ports=ports)
    return await reply_under_way(record, preference=preference, ports=ports)


async def _keep_loaded(task: Task, tree_id: str, deadline_s: float, ports: Ports) -> None:
    """A solve goes on with the versions that it began with."""
    names = dict.fromkeys((task.policy, *task.policies, *filter(None, [task.leaves])))
    for name in names:
        try:
            await ports.versions.of_tree(name, tree_id, left_s=deadline_s)
        except (UnknownPolicy, NotFound) as error:
            raise Refused(
                f"The solve ran on {name}, which is not served any more.",
                code="unknown_policy",
                hint="Send it again as a new solve.",
                status=409,
            ) from error


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
