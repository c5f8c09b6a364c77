"""Results: what the service says, typed. The service makes its replies from these same models.

The SDK reads them with `extra="ignore"`, so that an older client understands a newer service.
Times are seconds; those ending in `_at` count from the epoch on the store's clock.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from banyan.budget import Budget
from banyan.citations import Citation, Coverage
from banyan.feedback_source import Source
from banyan.node import Decision, Failure, OutcomeStatus
from banyan.spans import Span
from banyan.task import StateForm
from banyan.tree import FINAL, NodeStatus, TreeStatus


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Document(_Model):
    """A stored document. Refer to it by `id`."""

    id: str
    num_chars: int = Field(description="Code points of the text.")
    num_bytes: int = Field(description="Bytes of the text in UTF-8.")
    title: str | None = None


class Uploaded(Document):
    """A document as it has just been uploaded, and what it was sent as."""

    media_type: str | None = Field(None, description="Of what was sent, as it was read.")
    encoding: str | None = Field(None, description="Of a text or a page: named, or told from it.")
    num_pages: int | None = Field(None, description="Of a PDF.")
    num_pages_without_text: int | None = Field(
        None, description="Pages of a PDF that gave none, such as scanned ones."
    )


class Spent(_Model):
    """What model calls used."""

    llm_calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = Field(0, description="Among the prompt tokens.")
    completion_tokens: int = 0
    actions: int = Field(0, description="That a model wrote, each counted once.")
    invalid_actions: int = Field(0, description="Of these, not valid as first written.")
    retries: int = Field(0, description="Turns in which an action was written again.")
    determined_actions: int = Field(0, description="That no model had to write.")
    coalesced_calls: int = Field(
        0, description="Not made and not paid: another node asked the same at that time."
    )
    cost_usd: float = Field(0.0, description="By the prices of the policies; to 1e-9 USD.")


class Usage(Spent):
    """What a tree has spent so far, in all and by policy."""

    nodes: int = 0
    max_depth: int = 0
    lost_tokens: int = Field(
        0, description="At most: charged for turns whose worker died, not among the others."
    )
    lost_cost_usd: float = Field(0.0, description="The same in money, where it is limited.")
    by_policy: dict[str, Spent] = {}


class Timing(_Model):
    """Null while the tree runs."""

    wall_s: float | None = Field(None, description="From admission to the end.")
    critical_path_s: float | None = Field(None, description="Along the slowest children.")
    sequential_s: float | None = Field(None, description="Sum of the time of all model calls.")
    speed_up: float | None = Field(None, description="sequential_s / wall_s.")


class SolveResult(_Model):
    """One run of a task: running, or finished with its answer."""

    id: str
    status: TreeStatus
    answer: JsonValue = None
    citations: tuple[Citation, ...] = ()
    coverage: Coverage | None = Field(None, description="Null while the tree runs.")
    notices: tuple[str, ...] = Field((), description="What the caller must know: stable codes.")
    usage: Usage = Usage()
    timing: Timing = Timing()
    policy: str = Field(description="The version of the weights that the root is pinned to.")
    error: Failure | None = None

    @property
    def finished(self) -> bool:
        """Whether `status` is final."""
        return self.status in FINAL


class Received(_Model):
    """Feedback that is in the trajectory log. The same `key` counts once."""

    id: str = Field(description="The solve's.")
    node: str
    value: float
    source: Source
    key: str


class NodeSummary(_Model):
    """One node in a page of the tree."""

    path: str = Field(description="`0` is the root, `0.3.1` its fourth child's second child.")
    depth: int
    policy: str = Field(description="The version of the weights that it runs on.")
    status: NodeStatus
    outcome: OutcomeStatus | None = Field(None, description="How it ended; null while it runs.")
    complete: bool | None = Field(None, description="False: something below is missing.")
    notices: tuple[str, ...] = ()
    failure: Failure | None = None
    num_children: int
    generation: int
    attempts: int
    budget: Budget = Field(description="What it and its descendants may still use.")
    spent: Spent = Field(Spent(), description="By the node itself, without its descendants.")
    queued_at: float
    claimed_at: float | None = None
    finished_at: float | None = None


class TreePage(_Model):
    """Nodes `offset` to `offset + len(nodes)` of `total`, in the order of their creation."""

    id: str
    total: int
    offset: int
    limit: int
    nodes: tuple[NodeSummary, ...]
    next: str | None = Field(
        None, description="The `cursor` of the page behind this one; null where there is none yet."
    )


class Turn(_Model):
    """One model call of a node, and the action that came of it."""

    index: int
    generation: int
    decision: Decision
    action: str = Field(description="As JSON; see `valid`.")
    valid: bool
    prompt: str
    completion: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    finish_reason: str
    temperature: float
    seconds: float
    policy: str
    engine: str


class HandedState(_Model):
    """What a node was given of its parent's context, beside goal and brief."""

    form: StateForm
    bytes: int = Field(description="In the store; once for all siblings if `prefix` or `hidden`.")
    tokens: int = Field(description="Of each of the node's prompts.")


class NodeDetail(NodeSummary):
    """One node with what it was asked, what it saw and what it did."""

    goal: str
    brief: str
    packed_state: HandedState | None = Field(
        None, description="In which form its parent handed its context over; null at the root."
    )
    inputs: tuple[Span, ...]
    expects: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    answer: JsonValue = None
    citations: tuple[Span, ...] = ()
    covered: tuple[Span, ...] = ()
    critical_path_s: float | None = None
    sequential_s: float | None = None
    turns: tuple[Turn, ...] = ()


class StreamEvent(_Model):
    """One event of a tree. The last one has the type `result` and carries it; it has no `seq`."""

    type: str
    seq: int | None = Field(None, description="1, 2, 3 ... within a tree, without gaps.")
    at: float | None = None
    data: dict[str, JsonValue] = {}
    result: SolveResult | None = None

    @property
    def text(self) -> str | None:
        """The piece of the root's answer that an `answer.delta` brings, else null."""
        text = self.data.get("text") if self.type == "answer.delta" else None
        return text if isinstance(text, str) else None

    def extend(self, answer: str) -> str:
        """`answer` with this event's piece in its place; as it was where the event brings none.

        A turn that runs again begins its answer anew, at offset 0.
        """
        offset = self.data.get("offset", len(answer))
        if self.text is None or not isinstance(offset, int):
            return answer
        return answer[:offset] + self.text
