"""What the kernel is told (events) and what it wants done (effects): the vocabulary of `step`.

An effect that is answered later travels inside its event, so that `step` keeps nothing in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from banyan.action import Delegate, Kind, SplitBy
from banyan.aggregates import Rule
from banyan.budget import Budget
from banyan.node import Decision, Node, Outcome, Passage
from banyan.packed_state import PackedState, SharedState
from banyan.policy import Policy
from banyan.ports import Abilities, Message, Part
from banyan.prompts import View
from banyan.selection import Query, Selection
from banyan.spans import Place, Span
from banyan.specialists import Specialist, Team
from banyan.task import Task


@dataclass(frozen=True, slots=True)
class Context:
    """Facts that hold during one step. Times are seconds on the store's clock."""

    task: Task
    policy: Policy
    abilities: Abilities
    budget: Budget
    now: float
    deadline_at: float
    tools: tuple[str, ...] = ()
    team: Team = field(default_factory=dict)
    """The policies that the task's nodes may run on; empty: this node's own alone."""

    def member(self, name: str) -> Specialist:
        """A policy of the task, with its window."""
        own = Specialist(self.policy, self.abilities.window)
        return self.team[name] if self.team else own


@dataclass(frozen=True, slots=True)
class Handover:
    """How one spawn hands over: what each child's node says, and what is stored for all of them.

    `shared` is None where nothing new is stored: a summary, or what the node itself inherited.
    """

    state: PackedState
    shared: SharedState | None = None


# --- Effects -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """Load the inputs: all of their text as passages if `whole`, else how they begin.

    `nearest_chars` above 0: and about as much of the places that are nearest to the node's goal.
    `fields`: and what the goal names of the fields of records.
    """

    spans: tuple[Span, ...]
    whole: bool
    nearest_chars: int = 0
    fields: bool = False


@dataclass(frozen=True, slots=True)
class Generate:
    """Let the engine write the action. `decision.kind` is None where it also chooses the kind.

    `schema` is None where the reply itself is the answer.
    """

    messages: tuple[Message, ...]
    request: str
    decision: Decision
    schema: Mapping[str, Any] | None
    max_tokens: int
    passages: tuple[Passage, ...]
    previews: tuple[str, ...] = ()
    """How inputs begin that are too long to show."""
    fixed: str | None = None
    """The action where only one is possible: the engine is not asked."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Ask for the log-probabilities of the kinds' letters, then decide."""

    messages: tuple[Message, ...]
    kinds: tuple[Kind, ...]
    view: View
    threshold: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Divide the inputs into parts for children that all get the same sub-goal."""

    spans: tuple[Span, ...]
    parts: int
    by: SplitBy | None
    goal: str
    brief: str
    expects: Mapping[str, Any] | None
    handover: Handover
    places: tuple[Place, ...] = ()
    """Where to cut, and nowhere else: records that were shown are never cut in two."""
    labels: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    context: tuple[Span, ...] = ()
    """What the node itself was shown beside its inputs, and may pass on."""
    overlap_chars: int = 0
    max_header_chars: int = 0
    policy: str | None = None
    """Of the children, where the agent named one."""


@dataclass(frozen=True, slots=True)
class Select:
    """Choose, or count, the records of the inputs by their fields, before these are divided."""

    spans: tuple[Span, ...]
    query: Query
    action: Delegate
    reply: Generated


@dataclass(frozen=True, slots=True)
class Derive:
    """Make a document of the children's results, which together exceed the window."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class ReadOn:
    """Read one span; the text becomes an observation."""

    span: Span
    document: int
    reply: Generated


@dataclass(frozen=True, slots=True)
class Find:
    """Search in spans; matching passages become an observation."""

    spans: tuple[Span, ...]
    query: str
    regex: bool
    reply: Generated


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a tool that the task declares; its reply becomes an observation."""

    tool: str
    arguments: Mapping[str, JsonValue]
    reply: Generated


@dataclass(frozen=True, slots=True)
class Spawn:
    """Create children and suspend; the node goes on when the last of them has finished."""

    children: tuple[Node, ...]
    budgets: tuple[Budget, ...]
    kept: Budget
    goal: str
    shared_name: str = ""
    shared: bytes | None = None
    """A packed `SharedState` that is stored with them under that name."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Turn `shared.token_ids` into vectors before the children are created."""

    spawn: Spawn
    shared: SharedState


@dataclass(frozen=True, slots=True)
class Finish:
    """End the node with this outcome."""

    outcome: Outcome


Effect = (
    Look
    | Choose
    | Generate
    | Select
    | Cut
    | Derive
    | ReadOn
    | Find
    | CallTool
    | Pack
    | Spawn
    | Finish
)


# --- Events --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Woken:
    """The node was claimed; with the outcomes of all of its children where it was suspended."""

    outcomes: tuple[Outcome, ...]
    generation: int = 1


@dataclass(frozen=True, slots=True)
class Looked:
    """The inputs as the prompt may show them, and their measured tokens per character."""

    view: View
    tokens_per_char: float


@dataclass(frozen=True, slots=True)
class TooLong:
    """The rendered prompt does not fit the window."""


@dataclass(frozen=True, slots=True)
class TooExpensive:
    """The turn would cost more tokens or time than there are left."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Log-probabilities of the kinds, and a uniform draw for the mode `sampled`."""

    effect: Choose
    logprobs: Mapping[Kind, float]
    draw: float


@dataclass(frozen=True, slots=True)
class Generated:
    """What the engine wrote, and for how many seconds this turn's calls took."""

    effect: Generate
    text: str
    cut: bool
    seconds: float
    token_ids: tuple[int, ...] | None
    prompt_ids: tuple[int, ...] | None = None
    """The whole prompt as the engine had it; None where no token ids say what it was."""
    affinity: str = ""
    replica: str = ""
    """The server that has the prompt's keys and values, where one of several is known to."""
    weights: str | None = None
    """The version that wrote it, where it is another than the tree was started on."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The vectors of a `Pack`, as safetensors."""

    effect: Pack
    vectors: bytes


@dataclass(frozen=True, slots=True)
class Selected:
    """What was found, and where the document lies that was made of the chosen records."""

    effect: Select
    found: Selection
    span: Span | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The inputs, divided."""

    effect: Cut
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """Where the derived document lies."""

    span: Span


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of looking around: passages, or a sentence where there is nothing to show."""

    reply: Generated
    passages: tuple[Passage, ...] = ()
    text: str = ""
    read: tuple[int, int] | None = None
    """Number of the document that was read, and the code point it was read to."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The engine or the library refused for good."""

    code: str
    message: str


Event = (
    Woken
    | Looked
    | TooLong
    | TooExpensive
    | Chosen
    | Generated
    | Packed
    | Selected
    | Parts
    | Derived
    | Observed
    | Failed
)
