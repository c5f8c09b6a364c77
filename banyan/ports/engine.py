"""The engine port: the model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

Role = Literal["system", "user", "assistant", "prefix"]

Choice = TypeVar("Choice", bound=str)
"""What a letter stands for: the kinds of an action, or a judge's verdicts."""

OWN_WEIGHTS = "base"
"""In place of an adapter's name."""


@dataclass(frozen=True, slots=True)
class Embeds:
    """Vectors in the text form in which an engine takes them; `num` positions of the prompt."""

    data: str
    num: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue. `token_ids`: of a reply, exactly as the engine sampled them.

    A last message of the assistant is a prefill: generation goes on right behind it. A first
    message `prefix` is another dialogue up to and with its last reply, as `token_ids` that the
    prompt begins with; its `content` is that dialogue's affinity, and `replica` the server that
    computed it, where one is known. `embeds` are vectors that stand before the content.
    """

    role: Role
    content: str
    token_ids: tuple[int, ...] | None = None
    embeds: Embeds | None = None
    replica: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered dialogue. `token_ids` is None for engines that only take messages."""

    messages: tuple[Message, ...]
    token_ids: tuple[int, ...] | None
    num_tokens: int
    """Exact where `token_ids` is given, else an estimate."""


@dataclass(frozen=True, slots=True)
class Sampling:
    temperature: float = 0.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What an engine generated. `logprobs` are of `token_ids`, in nats, as sampled."""

    text: str
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    seconds: float = 0.0
    engine: str = ""
    replica: str = ""
    """Which of several servers computed it; empty where there is one."""
    weights: str | None = None
    """The version that computed it, where it is another than the one that was asked for."""
    coalesced: bool = False
    """Made for another who asked the same; here it cost nothing."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an engine can do. Nothing falls back in silence: a request for more is refused."""

    name: str
    model: str
    window: int
    """Tokens of prompt and completion together."""
    token_ids: bool = False
    """Takes and returns token ids, and prefills; else messages in, text out."""
    structured: bool = True
    """JSON Schema is enforced while generating."""
    scores: bool = False
    """`choose` works: log-probabilities of given tokens."""
    logprobs: Literal["raw", "masked"] | None = None
    """The distribution that completions' log-probabilities belong to under a schema."""
    cache_salt: bool = False
    adapters: bool = False
    embeds: bool = False
    """Takes prompt embeddings, and there is a packer that makes them."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What travels with every call. `salt` keeps prefix caches of tenants and policies apart.

    `policy` is the name of an adapter on the engine, or OWN_WEIGHTS. `weights` is the version of
    full weights that the replica must have; none: those that it was started with.
    """

    salt: str
    policy: str = OWN_WEIGHTS
    weights: str | None = None
    sampling: Sampling = field(default_factory=Sampling)


OnDelta = Callable[[str], Awaitable[None]]


class Engine(Protocol):
    """A model server. Errors: EngineUnavailable (retry), EngineRefused, PromptTooLong."""

    async def abilities(self) -> Abilities:
        """Asked of the server once, then remembered."""
        ...

    async def count(self, text: str) -> int:
        """Tokens of `text`; an estimate where the engine has no tokenizer to ask."""
        ...

    async def render(self, messages: Sequence[Message]) -> Prompt:
        """Apply the model's own chat template. Replies keep the token ids that were sampled."""
        ...

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        """Raw log-probabilities (nats) of each choice's letter as the next token, in one call.

        They are not normalised over the choices. Raises AbilityMissing without `scores`.
        """
        ...

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        """Generate at most `max_tokens`; `on_delta` is called with each piece of text."""
        ...

    async def ping(self) -> None:
        """Raises EngineUnavailable."""
        ...

    async def close(self) -> None: ...
