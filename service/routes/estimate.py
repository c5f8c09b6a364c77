"""POST /solve/estimate: what a solve would take, before anything is spent."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from banyan.errors import NotFound, UnknownPolicy
from banyan.estimate import Estimate, estimate
from banyan.likely import corrected
from banyan.specialists import Specialist
from banyan.task import Task
from service.admission import check, known_documents
from service.dependencies import Ports, PortsOf, Tenant
from service.pace import measured
from service.problems import Refused, documented
from service.schemas import SolveRequest

router = APIRouter(tags=["solve"])


class EstimateRequest(SolveRequest):
    """The request of a solve, and what is not known of it yet."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"goal": "Summarise it.", "more_chars": 500_000, "window": 2_048}]
        }
    )

    more_chars: int = Field(
        0, ge=0, le=10_000_000_000, description="Characters of documents that are not here yet."
    )
    window: int | None = Field(
        None, ge=512, le=100_000_000, description="Tokens; null: as the operator has set it."
    )


@router.post(
    "/solve/estimate", summary="Estimate a solve", responses=documented(400, 413, 422, 503)
)
async def read(body: EstimateRequest, ports: PortsOf, tenant: Tenant) -> Estimate:
    """Calls, nodes, depth, tokens, money and seconds, between one look and reading everything.

    Nothing is stored and no model is asked. Seconds, and what is likely, are by your latest
    completed solves on the same policy, and null where there are none.
    """
    await check(body)
    known = await known_documents(body, tenant, ports.library)
    num_chars = body.more_chars
    for document in body.documents:
        given = document.text or document.data or ""  # a file's bytes count as characters
        num_chars += known[document.id].num_chars if document.id else len(given)
    own = await _specialist(body.policy, "policy", body, ports)
    reader = None
    if body.leaves is not None:
        reader = await _specialist(body.leaves, "leaves", body, ports)
    task = Task(
        tenant=tenant,
        goal=body.goal,
        answer_schema=body.answer_schema,
        limits=body.limits,
        gate=body.gate,
        policy=own.policy.version,
    )
    history = await measured(ports.store, tenant, own, reader)
    planned = estimate(
        task,
        num_chars,
        own=own,
        reader=reader,
        tokens_per_char=history.tokens_per_char,
        pace=history.pace,
    )
    return corrected(planned, history.ratios, body.limits)


async def _specialist(name: str, field: str, body: EstimateRequest, ports: Ports) -> Specialist:
    """The policy, with its window. Raises Refused."""
    try:
        policy = await ports.versions.look_up(name)
    except (UnknownPolicy, NotFound) as error:
        raise Refused(
            f"{field}: {error}", code="unknown_policy", hint=error.hint, field=field
        ) from error
    window = body.window or ports.engines.window(policy.name) or ports.settings.engine_window
    if window is None:
        raise Refused(
            "window: the service does not know how long the model's window is.",
            code="window_unknown",
            hint="Send `window`, in tokens, or have BANYAN_ENGINE_WINDOW set for the service.",
            field="window",
        )
    return Specialist(policy, window)
