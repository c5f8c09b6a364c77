"""View: what a node sees in one turn, and which of it is numbered. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from banyan import aggregates
from banyan.aggregates import Rule
from banyan.documents import quote
from banyan.node import Node, Outcome, Passage
from banyan.ports import Nearest
from banyan.selection import Named
from banyan.spans import merge


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One input as the prompt shows it: whole, as passages, or only how it begins."""

    num_chars: int
    num_tokens: int
    preview: str
    passages: tuple[Passage, ...] | None


@dataclass(frozen=True, slots=True)
class View:
    """What a node sees in this turn: its inputs, or its children's results."""

    documents: tuple[DocumentView, ...] = ()
    nearest: Nearest | None = None
    """Of inputs that are too long to show: the places that are nearest to the goal."""
    named: tuple[Named, ...] = ()
    """Of such inputs, where they are records with fields: what the goal names of these."""
    results: tuple[Outcome, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """By which the results merge exactly, outside the model; empty where they do not."""
    retold: bool = False
    """Whether the results stand as one text to be read, not as results to be combined."""
    previews: bool = True
    """Whether inputs that are too long to show say how long they are and how they begin."""
    numbers: bool = True
    """Whether passages show their numbers: where the agent is to cite them."""
    context: tuple[Passage, ...] = ()
    """What stands beside the inputs, for context only (`banyan/surroundings.py`)."""
    cites_context: bool = True
    """Whether it is numbered with the passages; not where each of these is a record to label."""

    @property
    def counted(self) -> bool:
        """Whether the results are merged already."""
        return bool(self.rules)

    @property
    def shows_all(self) -> bool:
        return all(document.passages is not None for document in self.documents)


def passages_of(node: Node, view: View) -> tuple[Passage, ...]:
    """The numbered passages of a prompt in order: number n is at index n - 1."""
    shown = [passage for document in view.documents for passage in document.passages or ()]
    nearest = view.nearest.passages if view.nearest else ()
    return (*numbered_context(view), *shown, *nearest, *result_passages(view), *node.seen)


def previews(view: View) -> tuple[str, ...]:
    """How the inputs begin that are too long to show."""
    return tuple(document.preview for document in view.documents if document.passages is None)


def numbered_context(view: View) -> tuple[Passage, ...]:
    """The passages that come first in `passages_of` and are not of the inputs."""
    return view.context if view.cites_context else ()


def result_passages(view: View) -> list[Passage]:
    """Results as passages. Those without an answer are left out: no error text becomes one.

    Those that merge exactly are one passage.
    """
    there = [outcome for outcome in view.results if outcome.answer is not None]
    merged = aggregates.merge((outcome.answer for outcome in there), view.rules)
    if merged is not None:
        sources = merge([span for outcome in there for span in outcome.citations])
        covered = merge([span for outcome in there for span in outcome.covered])
        line = aggregates.as_line(merged, view.rules)
        return [Passage(text=line, sources=sources, covered=covered)]
    return [
        Passage(text=as_text(outcome.answer), sources=outcome.citations, covered=outcome.covered)
        for outcome in there
    ]


def as_text(answer: JsonValue) -> str:
    """An answer as text; objects as compact JSON."""
    if isinstance(answer, str):
        return answer.strip()
    return json.dumps(answer, ensure_ascii=False, separators=(", ", ": "))


def numbered(passages: Sequence[Passage], first: int) -> str:
    """Passages as a prompt shows them, from number `first` on."""
    return "\n".join(
        f"[{number}] {quote(passage.text.strip())}"
        for number, passage in enumerate(passages, start=first)
    )
