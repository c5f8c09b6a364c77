"""Log-probabilities of a prompt's own tokens, from vLLM's completions endpoint.

The engine port has none: no agent needs them. Language modelling does. A vLLM with adapters enabled
ends on the CPU when it computes them beside another call (decision 46).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from banyan.errors import AbilityMissing, EngineRefused, EngineUnavailable
from banyan.settings import Settings

_SERVER_ERROR = 500
_TIMEOUT_S = 600.0

T = TypeVar("T", bound=BaseModel)


class PromptScorer(Protocol):
    """A model that tells how likely a given text is."""

    async def tokenize(self, text: str, *, begins: bool = False) -> list[int]:
        """Token ids; `begins` adds what the model expects at the very beginning (BOS)."""
        ...

    async def score(self, token_ids: Sequence[int]) -> list[float]:
        """Log-probability (nats) of each token but the first, given all before it."""
        ...


class _Tokens(BaseModel):
    tokens: list[int]


class _Logprob(BaseModel):
    logprob: float


class _Choice(BaseModel):
    prompt_logprobs: list[dict[str, _Logprob] | None] | None = None


class _Completions(BaseModel):
    choices: list[_Choice]


@asynccontextmanager
async def open_scorer(url: str, model: str) -> AsyncIterator[PromptScorer]:
    """A scorer for the vLLM server at `url`, with the key that the engine's settings name."""
    key = Settings().engine_api_key
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    base_url = url.removesuffix("/v1")
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=_TIMEOUT_S) as client:
        yield VllmScorer(client, model)


class VllmScorer:
    """Satisfies `PromptScorer` over HTTP. `model` is the served model's name.

    `client` has the server's address as its base URL and belongs to the caller.
    """

    def __init__(self, client: httpx.AsyncClient, model: str) -> None:
        self._client = client
        self._model = model

    async def tokenize(self, text: str, *, begins: bool = False) -> list[int]:
        body = {"model": self._model, "prompt": text, "add_special_tokens": begins}
        return _read(_Tokens, await self._post("/tokenize", body)).tokens

    async def score(self, token_ids: Sequence[int]) -> list[float]:
        """Raises AbilityMissing where the server ignores `prompt_logprobs`."""
        body = {
            "model": self._model,
            "prompt": list(token_ids),
            "max_tokens": 1,
            "temperature": 0.0,
            "prompt_logprobs": 0,
        }
        reply = _read(_Completions, await self._post("/v1/completions", body))
        positions = reply.choices[0].prompt_logprobs if reply.choices else None
        if positions is None:
            raise AbilityMissing(
                "the model server gives no log-probabilities of prompts",
                hint="Language modelling needs vLLM, with its own completions endpoint.",
            )
        if len(positions) != len(token_ids):
            raise EngineRefused(
                f"the model server scored {len(positions)} of {len(token_ids)} tokens"
            )
        return [
            _of(token_id, position)
            for token_id, position in zip(token_ids[1:], positions[1:], strict=True)
        ]

    async def _post(self, path: str, body: dict[str, Any]) -> bytes:
        try:
            reply = await self._client.post(path, json=body)
        except httpx.HTTPError as error:
            raise EngineUnavailable(f"{self._client.base_url}: {error!r}") from error
        if reply.status_code >= _SERVER_ERROR:
            raise EngineUnavailable(f"{path} says {reply.status_code}")
        if reply.is_error:
            raise EngineRefused(f"{path} says {reply.status_code}: {reply.text[:200]}")
        return reply.content


def _of(token_id: int, position: dict[str, _Logprob] | None) -> float:
    found = (position or {}).get(str(token_id))
    if found is None:
        raise EngineRefused("the model server did not score the tokens that it was given")
    return found.logprob


def _read(shape: type[T], body: bytes) -> T:
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        raise EngineRefused(
            f"the model server's reply has no {', '.join(shape.model_fields)}"
        ) from error
