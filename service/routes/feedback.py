"""POST /solve/{id}/feedback: how well a solve did, for training."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from banyan.adapters.trajectory_log import open_log
from banyan.client.results import Received
from banyan.feedback import Feedback, derived_key
from banyan.feedback_source import Source
from banyan.json_values import check_text
from banyan.node import ROOT_PATH
from banyan.state import unpack
from banyan.task import Task
from service.admission import checked_key, log_is_off
from service.dependencies import OwnedTree, PortsOf
from service.problems import Refused, documented

MAX_COMMENT_CHARS = 2_000
NODE_PATTERN = r"^0(\.(0|[1-9][0-9]{0,5})){0,64}$"

router = APIRouter(prefix="/solve/{id}", tags=["feedback"])


class FeedbackRequest(BaseModel):
    """How well a node did. The root is the solve as a whole."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"value": 1.0, "comment": "All of it is right."}]},
    )

    value: float = Field(ge=0, le=1, allow_inf_nan=False, description="0: wrong, 1: right.")
    source: Source = Field(
        "user", description="Who says so. A verifier outweighs a judge, and a judge a user."
    )
    comment: str | None = Field(None, max_length=MAX_COMMENT_CHARS)
    node: str = Field("0", pattern=NODE_PATTERN, description="Its path; `0` is the root.")


@router.post(
    "/feedback",
    summary="Say how well a solve did",
    responses=documented(400, 404, 409, 422, 503),
)
async def give(
    body: FeedbackRequest,
    tree: OwnedTree,
    ports: PortsOf,
    idempotency_key: Annotated[
        str | None, Header(description="Feedback with the same key counts once.")
    ] = None,
) -> Received:
    """Appended to the trajectory log and joined when it is read; repeating it changes nothing."""
    check_text(body.comment or "", "comment")
    place = open_log(ports.settings)
    if place is None:
        raise log_is_off()
    task = unpack(tree.task, Task)
    if not task.train:
        raise Refused(
            "This solve was sent with train: false, and is not in the trajectory log.",
            code="not_logged",
            hint="Give feedback on solves that may be trained on.",
            status=409,
        )
    await ports.store.get_node(tree.id, body.node)
    key = (
        derived_key(tree.id, body.node, body.value, body.source, body.comment or "")
        if idempotency_key is None
        else checked_key(idempotency_key)
    )
    feedback = Feedback(
        tree_id=tree.id,
        node_id=body.node,
        value=body.value,
        source=body.source,
        comment=body.comment,
        key=key,
        at=time.time(),
    )
    await asyncio.to_thread(place.append, feedback)
    if body.node == ROOT_PATH:
        await ports.versions.rewarded(task.policy, tree.id, body.value)
    return Received(id=tree.id, node=body.node, value=body.value, source=body.source, key=key)
