"""The service as a system: each document is uploaded once, each question is one solve."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress

from pydantic import JsonValue

from banyan.citations import Citation, quoted
from banyan.client.async_sdk import AsyncClient
from banyan.client.calls import SolveOptions
from banyan.client.results import SolveResult
from banyan.errors import BanyanError
from banyan.evaluation.question import Answered, Cited, Question
from banyan.limits import Limits
from banyan.policy import Policy
from banyan.prompts import PROMPT_VERSION
from banyan.spans import Span
from banyan.task import Gate

LIMITS = Limits(max_nodes=5_000, max_tokens=20_000_000, deadline_s=3_600)
"""Ample: an evaluation measures what a solve costs, it does not cut it off."""


class ServiceSystem:
    """Solves through the API. `options` hold the gate and the form of state.

    `policy` is what the workers run, as far as it is known: its traits decide what agents do.
    """

    def __init__(
        self,
        client: AsyncClient,
        options: SolveOptions,
        *,
        name: str = "banyan",
        policy: Policy | None = None,
    ) -> None:
        self.name = name
        gate = Gate.model_validate(options["gate"]) if "gate" in options else None
        self.settings: Mapping[str, JsonValue] = {
            "prompts": PROMPT_VERSION,
            "gate": gate.mode if gate else None,
            "threshold": gate.threshold if gate else None,
            "state": options.get("state"),
            "policy": _as_known(policy),
        }
        self._client = client
        self._options = options
        self._uploads: dict[str, asyncio.Task[str]] = {}

    async def answer(self, question: Question) -> Answered:
        """What the service answers; what it refuses is a failure with its words."""
        began = time.monotonic()
        try:
            ids = [await self._upload(text) for text in question.documents]
            result = await self._solve(question, ids)
        except BanyanError as error:
            return Answered(
                status="failed",
                error=f"{error.code}: {error}",
                seconds=time.monotonic() - began,
            )
        return answered(result, dict(zip(ids, question.documents, strict=True)))

    async def close(self) -> None:
        """Give the connection back."""
        await self._client.close()

    async def _solve(self, question: Question, ids: list[str]) -> SolveResult:
        options = SolveOptions(**self._options)
        wanted = LIMITS.model_copy(update={"max_answer_tokens": question.answer_tokens})
        options.setdefault("limits", wanted)
        if question.answer_schema is not None:
            options["answer_schema"] = question.answer_schema
        submitting = asyncio.create_task(
            self._client.submit(question.goal, documents=list(dict.fromkeys(ids)), **options)
        )
        try:
            return await self._client.wait((await asyncio.shield(submitting)).id)
        except asyncio.CancelledError:  # the user stops: the tree must not go on by itself
            await asyncio.shield(self._withdraw(submitting))
            raise

    async def _withdraw(self, submitting: asyncio.Task[SolveResult]) -> None:
        with suppress(BanyanError):
            await self._client.cancel((await submitting).id)

    async def _upload(self, text: str) -> str:
        """The id of `text`; several questions about it wait for the same upload."""
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._uploads:
            self._uploads[key] = asyncio.create_task(self._store(text))
        try:
            return await asyncio.shield(self._uploads[key])
        except BanyanError:
            self._uploads.pop(key, None)
            raise

    async def _store(self, text: str) -> str:
        return (await self._client.upload(text)).id


def _as_known(policy: Policy | None) -> JsonValue:
    """What decides how agents act; prices and what others are told of it do not."""
    return policy.model_dump(mode="json", exclude={"prices", "about"}) if policy else None


def answered(result: SolveResult, texts: dict[str, str]) -> Answered:
    """A finished result, with its citations looked up in `texts` (by the documents' ids)."""
    order = list(texts)
    known = [one for one in result.citations if one.document in texts]
    usage = result.usage
    return Answered(
        status=result.status,
        answer=result.answer,
        error=f"{result.error.code}: {result.error.message}" if result.error else None,
        citations=tuple(
            Cited(document=order.index(one.document), start=one.start, end=one.end) for one in known
        ),
        resolved=sum(stands(one, texts[one.document]) for one in known),
        coverage=result.coverage.share if result.coverage else None,
        llm_calls=usage.llm_calls,
        nodes=usage.nodes,
        depth=usage.max_depth,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        actions=usage.actions,
        invalid_actions=usage.invalid_actions,
        retries=usage.retries,
        determined_actions=usage.determined_actions,
        seconds=result.timing.wall_s or 0.0,
        notices=result.notices,
    )


def stands(citation: Citation, text: str) -> bool:
    """Whether the quote is what `text` says at that place."""
    place = quoted(Span(document=citation.document, start=citation.start, end=citation.end))
    return citation.quote != "" and citation.quote == text[place.start : place.end]
