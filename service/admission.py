"""Admission: a request that is checked as a whole, and only then stored.

Order is the point: shape, values, schema and the ids of documents are checked before the first
text is put away, and the tree comes last.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence

import structlog

from banyan.admission import admission as start_of
from banyan.errors import BanyanError, Conflict, InvalidDocument, InvalidInput, NotFound
from banyan.json_values import canonical, check_storable, check_text
from banyan.ports import Admitted, DocumentInfo, Hint, Library, Queue
from banyan.spans import Span
from banyan.task import Task
from banyan.tree import TreeRecord, tree_id
from service.dependencies import Ports
from service.inline import Texts, texts_of
from service.policies import Chosen
from service.problems import Refused
from service.quota.meter import Meter
from service.schemas import MAX_METADATA_BYTES, SolveRequest

MAX_KEY_CHARS = 255

_QUICK_CHARS = 64 * 1024
"""Of texts in a request: what is checked at once, and not in a thread."""

log = structlog.get_logger("banyan.service")


async def admit(
    request: SolveRequest, *, idempotency_key: str | None, meter: Meter, ports: Ports
) -> TreeRecord:
    """Start a tree for `request`, or find the one that the key started before.

    Raises InvalidInput (of several kinds) before anything is stored, and Refused where a quota of
    the meter's tenant is used up, or the key was used for another request.
    """
    await check(request)
    if request.profile == "rollout" and not ports.settings.logs_trajectories:
        raise log_is_off()
    key = checked_key(idempotency_key)
    if request.webhook is not None:
        await ports.destinations.check(request.webhook.url)
    known = await known_documents(request, meter.tenant, ports.library)
    new_id = tree_id(meter.tenant, key, ports.settings.num_shards)
    async with texts_of(request.documents, ports.uploads) as texts:
        await meter.reserve(new_id, request.limits)
        try:
            admitted = await _store(
                request,
                known,
                texts,
                tenant=meter.tenant,
                new_id=new_id,
                repeatable=idempotency_key is not None,
                ports=ports,
            )
        except BanyanError:
            await meter.give_up(new_id)
            raise
    await meter.keep(new_id, deadline_s=request.limits.deadline_s)
    await send_hints(ports.queue, admitted.hints, new_id)
    return admitted.tree


async def _store(
    request: SolveRequest,
    known: dict[str, DocumentInfo],
    texts: Texts,
    *,
    tenant: str,
    new_id: str,
    repeatable: bool,
    ports: Ports,
) -> Admitted:
    """Texts, then the tree. Where the request is `repeatable`, another one is a conflict."""
    chosen = await Chosen.of(request, ports.versions, new_id)
    inputs = await _inputs(request, known, texts, tenant, ports.library)
    task = _task(request, inputs, tenant, chosen)
    fingerprint = _fingerprint(task, request) if repeatable else ""
    try:
        admitted = await ports.store.admit(start_of(task, new_id, fingerprint=fingerprint))
    except Conflict as error:
        raise Refused(
            "This Idempotency-Key was used for another request.",
            code="idempotency_key_reused",
            hint="Send a new key with a new request, or the very same request again.",
        ) from error
    log.info("solve.admitted", tree_id=new_id, created=admitted.created, inputs=len(inputs))
    return admitted


def log_is_off() -> Refused:
    """What is there for training alone is refused where nothing is logged for it."""
    return Refused(
        "This service keeps no trajectory log.",
        code="log_off",
        hint="Set BANYAN_TRAJECTORY_DIR or BANYAN_TRAJECTORY_URL for the service and the workers.",
        status=409,
    )


async def check(request: SolveRequest) -> None:
    """Everything about a request that can be known without asking anyone. Raises InvalidInput.

    A large schema takes a second: whoever else is served shall not wait for it. What takes
    microseconds is done at once, since handing it to a thread would cost more.
    """
    if _is_quick(request):
        _check(request)
    else:
        await asyncio.to_thread(_check, request)


def _is_quick(request: SolveRequest) -> bool:
    num_chars = sum(len(document.text or "") for document in request.documents)
    return request.answer_schema is None and not request.metadata and num_chars <= _QUICK_CHARS


def _check(request: SolveRequest) -> None:
    check_text(request.goal, "goal")
    check_storable(request.gate.threshold, "gate.threshold")
    check_storable(request.metadata, "metadata")
    if len(canonical(request.metadata)) > MAX_METADATA_BYTES:
        raise InvalidInput(f"metadata: larger than {MAX_METADATA_BYTES} bytes as JSON")
    if request.answer_schema is not None:
        from service import answer_schema  # noqa: PLC0415 - jsonschema is slow to import

        answer_schema.check(request.answer_schema)
    for index, document in enumerate(request.documents):
        if document.text is not None:
            try:
                check_text(document.text, f"documents.{index}.text")
            except InvalidInput as error:
                raise InvalidDocument(str(error)) from error


def checked_key(key: str | None) -> str:
    """The caller's key, or a random one that nobody can repeat."""
    if key is None:
        return secrets.token_hex(32)
    if not 1 <= len(key) <= MAX_KEY_CHARS or not key.isascii() or not key.isprintable():
        raise Refused(
            f"Idempotency-Key must be 1 to {MAX_KEY_CHARS} printable ASCII characters.",
            code="invalid_header",
            hint="Send for example a UUID.",
            status=400,
        )
    return key


async def known_documents(
    request: SolveRequest, tenant: str, library: Library
) -> dict[str, DocumentInfo]:
    """Those that the request refers to by id. Raises Refused for what the tenant does not have."""
    known: dict[str, DocumentInfo] = {}
    for index, document in enumerate(request.documents):
        if document.id is None or document.id in known:
            continue
        try:
            info = await library.info(tenant, document.id)
        except NotFound:
            info = None
        # What a tree derives is its own working material, and no one else's document.
        if info is None or info.derived:
            raise Refused(
                f"documents.{index}: there is no document with this id.",
                code="unknown_document",
                hint="Upload it with POST /documents and use the id of the reply.",
                field=f"documents.{index}.id",
            )
        known[document.id] = info
    return known


async def _inputs(
    request: SolveRequest,
    known: dict[str, DocumentInfo],
    texts: Texts,
    tenant: str,
    library: Library,
) -> tuple[Span, ...]:
    """Whole documents in the order of the request; texts are stored on the way."""
    inputs = []
    for index, document in enumerate(request.documents):
        if document.id is not None:
            info = known[document.id]
        else:
            info = await library.put(tenant, texts[index])
        inputs.append(Span(document=info.id, start=0, end=info.num_chars))
    return tuple(inputs)


def _task(request: SolveRequest, inputs: tuple[Span, ...], tenant: str, chosen: Chosen) -> Task:
    return Task(
        tenant=tenant,
        goal=request.goal,
        inputs=inputs,
        answer_schema=request.answer_schema,
        limits=request.limits,
        gate=request.gate,
        state=request.state,
        policy=chosen.policy,
        policies=chosen.policies,
        leaves=chosen.leaves,
        metadata=request.metadata,
        profile=request.profile,
        group_id=request.group_id,
        train=request.train,
        webhook=request.webhook,
    )


def _fingerprint(task: Task, request: SolveRequest) -> str:
    """Policies as they were asked for: a repeated request stays the same when `live` moves on."""
    names = request.model_dump(include={"policy", "policies", "leaves"})
    asked = {**task.model_dump(mode="json"), **names}
    return hashlib.sha256(canonical(asked)).hexdigest()


async def send_hints(queue: Queue, hints: Sequence[Hint], new_id: str) -> None:
    """A hint that is lost costs time, not the tree: the reaper finds what nobody was told of."""
    try:
        await queue.send(hints)
    except Exception as error:  # noqa: BLE001  # whatever the broker's library raises
        log.warning("hint.lost", tree_id=new_id, error=type(error).__name__)
