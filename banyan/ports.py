"""Ports: the four seams between the kernel and the world.

`Store` keeps the durable tree, `Queue` carries hints, `Library` holds documents, `Engine` is the
model. Each has a real adapter and an official twin without a network in `banyan/adapters/` or
`banyan/testing.py`, and one contract suite that runs against both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from banyan.action import Kind
from banyan.budget import Budget
from banyan.node import Outcome, Passage
from banyan.spans import Span
from banyan.tree import Event, NodeRecord, TreeRecord

# --- Store ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Admission:
    """A tree to start. `root` is the root's packed state; repeated admissions change nothing."""

    tree_id: str
    tenant: str
    task: bytes
    root: bytes
    budget: Budget
    max_parallel: int
    deadline_s: float
    fingerprint: str
    """Hash of the request; the same key with another fingerprint is a Conflict."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one node until it expires. `epoch` fences off every earlier owner."""

    tree_id: str
    path: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A node that this worker now owns, with all that it needs to go on."""

    lease: Lease
    packed: bytes
    budget: Budget
    deadline_at: float
    now: float
    generation: int
    attempts: int
    queued_at: float
    outcomes: tuple[Outcome, ...]
    """Of its children, in order, where it was suspended; else empty."""


@dataclass(frozen=True, slots=True)
class ChildNode:
    """A child to create: its packed state and its share of the budget."""

    packed: bytes
    budget: Budget


@dataclass(frozen=True, slots=True)
class Spent:
    """What one model call used. `tokens` counts against the budget."""

    llm_calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class TurnLog:
    """A turn's record (packed, opaque to the store), what it spent, and what its event says.

    The record is empty where calls were paid for that led to no turn; it is not kept then.
    """

    record: bytes
    spent: Spent
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hint:
    """«Look at these nodes of this tree»: all that a message ever says."""

    tree_id: str
    paths: tuple[str, ...]
    continuation: bool = False


@dataclass(frozen=True, slots=True)
class Renewal:
    """Leases that are lost: taken over by another worker, or their tree was cancelled.

    A lease that its owner has just ended by `spawn` or `finish` is not among them.
    """

    lost: tuple[Lease, ...]


class Store(Protocol):
    """The durable tree. Every method is one atomic transition on the store's own clock.

    Writers pass their lease; a write under an old epoch raises StaleLease and changes nothing.
    Methods that make nodes ready return hints to send; a hint that is lost is found by `reap`.
    """

    async def admit(self, admission: Admission) -> tuple[bool, list[Hint]]:
        """Create the tree; False where it was there before. Conflict: another fingerprint."""
        ...

    async def claim(
        self, tree_id: str, paths: Sequence[str], *, worker: str, lease_s: float, reserve: int
    ) -> list[Claimed]:
        """Lease those of `paths` that are ready; an expiring lease charges `reserve` tokens."""
        ...

    async def renew(self, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        """Extend many leases at once and learn which are lost."""
        ...

    async def turn(self, lease: Lease, log: TurnLog, packed: bytes) -> Budget:
        """Record a turn and the node's new state before the turn takes effect. Budget left."""
        ...

    async def spawn(
        self,
        lease: Lease,
        children: Sequence[ChildNode],
        *,
        packed: bytes,
        kept: Budget,
        log: TurnLog | None,
        event: Mapping[str, Any],
    ) -> list[Hint]:
        """Create the children and suspend the node, with the turn that decided it, atomically.

        The budgets of the children and `kept` must add up to what the node has after the turn.
        """
        ...

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        """End the node: unspent budget to its parent; the last child makes the parent ready."""
        ...

    async def release(self, leases: Sequence[Lease]) -> list[Hint]:
        """Hand leases back unharmed, so that other workers can claim the nodes at once."""
        ...

    async def delta(self, lease: Lease, data: Mapping[str, Any]) -> None:
        """Append an `answer.delta` event of the root's answer while it is generated."""
        ...

    async def cancel(self, tree_id: str) -> bool:
        """Cancel every unfinished node, deepest first. False where the tree was finished."""
        ...

    async def resume(
        self, tree_id: str, *, extra: Budget, deadline_s: float
    ) -> tuple[bool, list[Hint]]:
        """Re-open a finished tree: incomplete nodes run again as a new generation.

        False where there is nothing to run again. Conflict: the tree is still running.
        """
        ...

    async def reap(self, *, limit: int = 256) -> list[Hint]:
        """Find overdue queued and overdue running nodes; return hints to send again."""
        ...

    async def get_tree(self, tree_id: str) -> TreeRecord:
        """Raises NotFound."""
        ...

    async def get_node(self, tree_id: str, path: str) -> NodeRecord:
        """With packed state and turns. Raises NotFound."""
        ...

    async def list_nodes(
        self, tree_id: str, *, offset: int, limit: int
    ) -> tuple[list[NodeRecord], int]:
        """Nodes in the order of creation, and how many there are in all."""
        ...

    def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """Events with `seq > after`, then new ones as they happen; ends after `tree.finished`."""
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable."""
        ...

    async def close(self) -> None: ...


class Queue(Protocol):
    """Carries hints to workers. May lose, repeat and reorder them."""

    async def send(self, hints: Sequence[Hint]) -> None: ...

    async def close(self) -> None: ...


# --- Library -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A stored document. `derived` ones were made of children's outcomes in some tree."""

    id: str
    num_chars: int
    num_bytes: int
    derived: bool = False
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """The places of the inputs that are nearest to a goal, in order.

    `share` in [0, 1]: how much of what the goal's words weigh stands in these passages.
    """

    passages: tuple[Passage, ...]
    share: float


class Library(Protocol):
    """Documents by id, read by span; each tenant sees its own alone."""

    async def put(
        self, tenant: str, chunks: AsyncIterator[bytes], *, title: str | None = None
    ) -> DocumentInfo:
        """Store UTF-8 text once per tenant and content. Raises InvalidDocument."""
        ...

    async def info(self, tenant: str, document: str) -> DocumentInfo:
        """Raises NotFound."""
        ...

    async def text(self, tenant: str, span: Span) -> str: ...

    async def passages(self, tenant: str, span: Span) -> tuple[Passage, ...]:
        """The text of `span` as numbered pieces that know where they come from."""
        ...

    async def split(
        self, tenant: str, inputs: Sequence[Span], parts: int, by: str | None
    ) -> list[tuple[Span, ...]]:
        """Cut the inputs into at most `parts` balanced parts on structural boundaries.

        Together the parts cover the inputs once, without gap or overlap.
        """
        ...

    async def search(
        self, tenant: str, inputs: Sequence[Span], query: str, *, regex: bool, limit: int
    ) -> tuple[Passage, ...]:
        """Passages that match, in order. Raises InvalidInput for a bad expression."""
        ...

    async def nearest(
        self, tenant: str, inputs: Sequence[Span], goal: str, max_chars: int
    ) -> Nearest:
        """The passages that share the most telling words with `goal`, about `max_chars` long."""
        ...

    async def derive(self, tenant: str, name: str, passages: Sequence[Passage]) -> Span:
        """Store passages as a derived document under a deterministic name; repeatable."""
        ...

    async def close(self) -> None: ...


# --- Engine --------------------------------------------------------------------------------------

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a dialogue. `token_ids`: of a reply, exactly as the engine sampled them.

    A last message of the assistant is a prefill: generation goes on right behind it.
    """

    role: Role
    content: str
    token_ids: tuple[int, ...] | None = None


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


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What travels with every call. `salt` keeps prefix caches of tenants and policies apart."""

    salt: str
    policy: str = "base"
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
        self, prompt: Prompt, letters: Mapping[Kind, str], options: CallOptions
    ) -> tuple[dict[Kind, float], Completion]:
        """Raw log-probabilities (nats) of each kind's letter as the next token, in one call.

        They are not normalised over the kinds. Raises AbilityMissing without `scores`.
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
