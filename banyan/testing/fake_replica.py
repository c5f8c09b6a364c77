"""A fake replica: a model server inside the process whose weights are files, and can be changed.

What it computes follows from the bytes of the weights and the token, so that every log-probability
tells which weights it came from, and a completion that mixed two versions would show it. It has a
prefix cache too, which keeps what was computed for a prompt under its salt.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from banyan.errors import EngineRefused, EngineUnavailable, NotLoaded
from banyan.manifest import Probe
from banyan.ports import (
    OWN_WEIGHTS,
    Abilities,
    CallOptions,
    Choice,
    Completion,
    Message,
    OnDelta,
    Prompt,
)
from banyan.testing.scripted import ScriptedEngine

OWN = b"the weights that the server was started with"


def weights_in(folder: Path) -> bytes:
    """The bytes of all safetensors files. Raises OSError where there are none."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"no weights in {folder}")
    return b"".join(file.read_bytes() for file in files)


def logprob_of(weights: bytes, token_id: int) -> float:
    """Between -2 and 0 nats; another one for other weights."""
    digest = hashlib.blake2b(weights + token_id.to_bytes(8, "little"), digest_size=4).digest()
    return -2.0 * int.from_bytes(digest, "big") / 2**32


async def _no_hold() -> None:
    """Nothing to wait for."""


@dataclass(slots=True)
class FakeReplica:
    """Satisfies `banyan.ports.Engine` and `banyan.ports.Weights`.

    `hold` is awaited before each token; `is_down`: nothing answers; `cannot_load`: adapters that it
    refuses; `is_deaf`: it says that it has loaded weights and goes on with those that it has.
    """

    hold: Callable[[], Awaitable[None]] = _no_hold
    is_down: bool = False
    cannot_load: set[str] = field(default_factory=set)
    is_deaf: bool = False
    own: bytes = OWN
    loaded: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    num_aborted: int = 0
    _calls: set[asyncio.Task[Any]] = field(default_factory=set)
    _cache: dict[tuple[str, tuple[int, ...]], bytes] = field(default_factory=dict)
    _may_run: asyncio.Event = field(default_factory=asyncio.Event)
    _texts: ScriptedEngine = field(default_factory=ScriptedEngine)

    def __post_init__(self) -> None:
        self._may_run.set()

    # --- Engine --------------------------------------------------------------------------------

    async def abilities(self) -> Abilities:
        return await self._texts.abilities()

    async def count(self, text: str) -> int:
        return await self._texts.count(text)

    async def render(self, messages: Sequence[Message]) -> Prompt:
        return await self._texts.render(messages)

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        await self._abortable(self._begin(options))
        return await self._texts.choose(prompt, letters, options)

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        """A scripted reply, token by token, each with the log-probability of its weights."""
        reply = await self._texts.complete(
            prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
        )
        logprobs, cached = await self._abortable(self._generate(prompt, reply, options))
        return Completion(
            text=reply.text,
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cached_tokens=prompt.num_tokens if cached else 0,
            token_ids=reply.token_ids,
            logprobs=logprobs,
            engine="fake",
        )

    # --- Weights -------------------------------------------------------------------------------

    async def ping(self) -> None:
        self._answer("ping")

    async def adapters(self) -> frozenset[str]:
        self._answer("adapters")
        return frozenset(self.loaded)

    async def load_adapter(self, name: str, folder: Path) -> None:
        self._answer(f"load {name}")
        if name in self.cannot_load:
            raise EngineUnavailable(f"500: cannot load {name}")
        self.loaded[name] = self.own if self.is_deaf else _read(folder)

    async def unload_adapter(self, name: str) -> None:
        self._answer(f"unload {name}")
        self.loaded.pop(name, None)

    async def num_calls(self) -> int:
        return len(self._calls)

    async def pause(self) -> None:
        self._answer("pause")
        self._may_run.clear()
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def reload(self, folder: Path | None) -> None:
        self._answer(f"reload {folder.name if folder else 'own'}")
        if not self.is_deaf:
            self.own = _read(folder) if folder else OWN
        self._cache.clear()

    async def resume(self) -> None:
        self._answer("resume")
        self._may_run.set()

    async def probe(self, probe: Probe, adapter: str | None) -> tuple[float, ...]:
        self._answer("probe")
        weights = self._weights(adapter)
        return tuple(logprob_of(weights, token) for token in probe.token_ids)

    async def close(self) -> None:
        self.log.append("close")

    def restart(self) -> None:
        """As after a crash: its own weights, no adapters, nothing cached."""
        self.is_down, self.own = False, OWN
        self.loaded.clear()
        self._cache.clear()

    # --- Inside --------------------------------------------------------------------------------

    def _answer(self, call: str) -> None:
        self.log.append(call)
        if self.is_down:
            raise EngineUnavailable("the fake is down")

    def _weights(self, adapter: str | None) -> bytes:
        if adapter is None:
            return self.own
        if adapter not in self.loaded:
            raise NotLoaded(f"the fake has not loaded {adapter}")
        return self.loaded[adapter]

    async def _abortable(self, work: Awaitable[Any]) -> Any:
        """Run a call so that `pause` can abort it, as a server does: its caller learns of it."""
        self._answer("call")
        call = asyncio.ensure_future(work)
        self._calls.add(call)
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            if not call.cancelled():  # the caller hung up
                call.cancel()
                raise
            self.num_aborted += 1
            raise EngineUnavailable("the fake ended a completion with 'abort'") from None
        finally:
            self._calls.discard(call)

    async def _begin(self, options: CallOptions) -> bytes:
        """The weights for the next token."""
        await self._may_run.wait()
        await self.hold()
        return self._weights(_adapter(options))

    async def _generate(
        self, prompt: Prompt, reply: Completion, options: CallOptions
    ) -> tuple[tuple[float, ...], bool]:
        """Weights are read anew for each token: only the swap's order keeps them the same.

        What is cached of a prompt decides the first token, as stale keys and values would.
        """
        logprobs: list[float] = []
        key = (options.salt, prompt.token_ids or ())
        was_cached = key in self._cache
        for token_id in reply.token_ids or ():
            weights = await self._begin(options)
            if not logprobs:
                weights = self._cache.setdefault(key, weights)
            logprobs.append(logprob_of(weights, token_id))
        return tuple(logprobs), was_cached


def _adapter(options: CallOptions) -> str | None:
    return None if options.policy == OWN_WEIGHTS else options.policy


def _read(folder: Path) -> bytes:
    try:
        return weights_in(folder)
    except OSError as error:
        raise EngineRefused(f"400: {error}") from error
