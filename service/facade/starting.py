"""Starting: a conversation becomes a solve, admitted as `POST /solve` admits it; how it is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError

from banyan.tree import FINAL, TreeRecord
from service.admission import admit
from service.dependencies import Ports
from service.facade.conversation import Said, ask_of
from service.facade.requests import CommonRequest
from service.problems import Refused
from service.quota.meter import Meter
from service.schemas import SolveRequest
from service.waiting import wait_finished

FACTS = "banyan.facade"
"""The key of a task's metadata under which the facade keeps what a reply repeats."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and through what. With an `idempotency_key`, the same request finds its solve."""

    request: Request
    ports: Ports
    meter: Meter
    idempotency_key: str | None


async def start(
    asked: CommonRequest,
    turns: Sequence[Said],
    caller: Caller,
    *,
    answer_schema: Mapping[str, Any] | None,
    answer_tokens: int | None,
    facts: Mapping[str, JsonValue],
) -> TreeRecord:
    """Admit what is asked. Raises Refused, RequestValidationError and what `admit` raises."""
    solve = _solve(asked, turns, answer_schema, answer_tokens, facts)
    record = await admit(
        solve, idempotency_key=caller.idempotency_key, meter=caller.meter, ports=caller.ports
    )
    caller.request.state.tree_id = record.id
    return record


def _solve(
    asked: CommonRequest,
    turns: Sequence[Said],
    answer_schema: Mapping[str, Any] | None,
    answer_tokens: int | None,
    facts: Mapping[str, JsonValue],
) -> SolveRequest:
    metadata = asked.metadata or {}
    if FACTS in metadata:
        raise Refused(
            f"metadata: the key {FACTS} is the facade's own.",
            code="reserved_key",
            hint="Take another key.",
            field="metadata",
        )
    ask = ask_of(turns, num_given=len(asked.documents))
    limits = asked.limits.model_dump(exclude_unset=True)
    if answer_tokens is not None:
        limits["max_answer_tokens"] = answer_tokens
    try:
        return SolveRequest(
            goal=ask.goal,
            documents=[*asked.documents, *ask.documents],
            answer_schema=None if answer_schema is None else dict(answer_schema),
            limits=limits,
            gate=asked.gate,
            state=asked.state,
            policy=asked.policy,
            policies=asked.policies,
            leaves=asked.leaves,
            train=asked.train,
            metadata={**metadata, FACTS: {"model": asked.model, **asked.told, **facts}},
        )
    except ValidationError as error:
        details = [{**detail, "loc": ("body", *detail["loc"])} for detail in error.errors()]
        raise RequestValidationError(details) from error


async def finished(record: TreeRecord, caller: Caller) -> TreeRecord:
    """Wait for the end. Raises Refused (504) where it takes longer than the service waits.

    A solve that nobody can ask for again is cancelled then, and where the caller hangs up.
    """
    ports = caller.ports
    wait_s = ports.settings.max_wait_s
    record = await wait_finished(record, wait_s, request=caller.request, ports=ports)
    if record.status in FINAL:
        return record
    if caller.idempotency_key is None:
        await ports.store.cancel(record.id)
    raise Refused(
        f"There is no answer within {wait_s:g} s.",
        code="still_running",
        hint="Stream it, or use /v1/responses with `background`.",
        status=504,
        headers={"X-Should-Retry": "false"},
    )
