"""Actions: the closed set of things an agent can do in one turn.

Each kind is a frozen model; `parse` turns the model's output into exactly one of them or raises
`InvalidAction`. The JSON Schemas that constrain generation are made in `banyan/schemas.py`.
Documents, passages and results are named by the numbers that the prompt shows, never by id.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from banyan.errors import InvalidAction, InvalidInput
from banyan.json_values import check_storable

Kind = Literal["answer", "delegate", "read", "search", "note", "use"]

LETTERS: dict[Kind, str] = {
    "answer": "A",
    "delegate": "B",
    "read": "C",
    "search": "D",
    "note": "E",
    "use": "F",
}
"""One token each, so that the choice of a kind is one position with one log-probability a kind."""

MOST_LABELS = 32
"""That records can be given in one tree."""

SplitBy = Literal["section", "speaker", "record", "paragraph", "sentence", "line"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Model):
    """The node's result, with the numbers of the passages or results that support it."""

    kind: Literal["answer"] = "answer"
    answer: JsonValue
    citations: tuple[int, ...] = ()


class ChildInput(_Model):
    """A document by its number: the whole of it, or `[start, end)` in its code points."""

    document: int = Field(ge=1)
    start: int | None = Field(None, ge=0)
    end: int | None = Field(None, ge=0)


class Child(_Model):
    """A sub-goal for one copy. `expects` is a JSON Schema for what comes back; null means text.

    `policy` names one of those that the task allows.
    """

    goal: str = Field(min_length=1)
    inputs: tuple[ChildInput, ...] = ()
    expects: dict[str, Any] | None = None
    policy: str | None = None


class Split(_Model):
    """The same sub-goal for every part of the inputs, which the service cuts on its structure.

    With `labels` the inputs are records (`structure.records`): each gets one label, and what comes
    back is how often each label was given, added up over all parts; `only` says which records
    count, and the goal is not passed on. `where` selects records by the values of their fields
    and `count_by` counts the values of one, exactly and without a reader (`banyan/selection.py`).
    `overlap` is in tokens: text before a part that its reader sees for context; null takes what the
    policy was published with.
    """

    goal: str = Field(min_length=1)
    parts: int | None = Field(None, ge=2)
    by: SplitBy | None = None
    overlap: int | None = Field(None, ge=0)
    labels: tuple[str, ...] = Field((), max_length=MOST_LABELS)
    only: str | None = None
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict, max_length=16)
    count_by: str | None = None
    expects: dict[str, Any] | None = None
    policy: str | None = None


class Delegate(_Model):
    """Hand sub-goals to copies. `brief` is what the agent writes for all of its children."""

    kind: Literal["delegate"] = "delegate"
    brief: str
    children: tuple[Child, ...] | None = None
    split: Split | None = None


class Read(_Model):
    """Read a document on from `start` (default: where the last read ended) to `end`."""

    kind: Literal["read"] = "read"
    document: int = Field(1, ge=1)
    start: int | None = Field(None, ge=0)
    end: int | None = Field(None, ge=0)


class Search(_Model):
    """Find a literal, or with `regex` a linear-time expression; no document: in all of them."""

    kind: Literal["search"] = "search"
    document: int | None = Field(None, ge=1)
    query: str = Field(min_length=1)
    regex: bool = False


class Note(_Model):
    """Working memory: survives suspension and is found again by `search`."""

    kind: Literal["note"] = "note"
    text: str = Field(min_length=1)


class Use(_Model):
    """Call a tool that the task declares."""

    kind: Literal["use"] = "use"
    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


Action = Answer | Delegate | Read | Search | Note | Use

_ADAPTER: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="kind")])


def parse(text: str, kind: Kind | None = None) -> Action:
    """Read one action from `text`, a JSON object.

    `kind` is given where it was decided before the object was generated; else the object names it.
    Raises InvalidAction with what is wrong, in words that fit into a prompt.
    """
    try:
        value = json.loads(text)
        check_storable(value, "the reply")
    except InvalidInput as error:
        raise InvalidAction(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise InvalidAction("the reply is not JSON, or nested too deeply") from error
    if not isinstance(value, dict):
        raise InvalidAction("the reply is not a JSON object")
    if kind is not None:
        value = {**value, "kind": kind}
    try:
        action = _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidAction(f"{where}: {first['msg']}") from error
    if isinstance(action, Delegate) and (action.children is None) == (action.split is None):
        raise InvalidAction("delegate needs either children or split")
    if isinstance(action, Delegate) and action.children == ():
        raise InvalidAction("delegate without children")
    return action


def parse_plain(text: str) -> Answer:
    """An answer from a reply that is the answer itself. Raises InvalidAction."""
    answer = text.strip()
    if not answer:
        raise InvalidAction("the reply is empty")
    try:
        check_storable(answer, "the reply")
    except InvalidInput as error:
        raise InvalidAction(str(error)) from error
    return Answer(answer=answer)
