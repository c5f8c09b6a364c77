"""Prompts: every word that the baselines say to a model. Pure: texts to messages.

A task stands behind its text, where small models keep to it best. One call over a text reads the
same in every baseline, so that they differ in their method alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from banyan.ports import Message

Schema = Mapping[str, Any]
Messages = tuple[Message, ...]

GAP = "\n[...]\n"
"""Stands where text was left out."""

NOTHING = "NOTHING"
"""What a reader of one part is told to say where the part has nothing on the task."""

_SYSTEM = "You do one task with the text that you are given. You are exact and brief."


def single(text: str, goal: str, schema: Schema | None) -> Messages:
    """The task over one text; the whole of it or what was chosen from it. No text: the task."""
    if not text:
        return _ask(*_task(goal, schema))
    return _ask(_quoted("text", text), *_task(goal, schema))


def part(text: str, goal: str) -> Messages:
    """The task over one part of a longer text, for a result that will be combined with others."""
    return _ask(
        _quoted("text", text),
        "This is one part of a longer text. Do the following for this part alone, with the "
        "facts, names and numbers that it gives. If this part has nothing on it, say "
        f"{NOTHING}.",
        goal,
    )


def collapse(results: Sequence[str], goal: str) -> Messages:
    """Some of the parts' results into one that takes their place."""
    return _ask(
        _quoted("results", _numbered(results)),
        "These are results for neighbouring parts of a longer text, in order. Keep the facts, "
        "names and numbers; where parts were counted, add up. Combine them into one result for "
        "this task:",
        goal,
    )


def combine(results: Sequence[str], goal: str, schema: Schema | None) -> Messages:
    """All parts' results into the answer."""
    return _ask(
        _quoted("results", _numbered(results)),
        "These are results for the parts of one long text, in order. Where parts were counted, "
        "add up. Combine them into one final answer to this task:",
        *_task(goal, schema),
    )


def refine(notes: str, text: str, goal: str) -> Messages:
    """The running answer, made to hold the next part too. `notes` is empty at the first part."""
    if not notes:
        return _ask(
            _quoted("text", text),
            "This is the beginning of a longer text. Do the following as far as this part goes, "
            "with the facts, names and numbers that it gives.",
            goal,
        )
    return _ask(
        _quoted("answer_so_far", notes),
        _quoted("text", text),
        "The text is the next part of a longer text; the answer so far is about all that came "
        "before. Write the answer anew, so that it holds this part too: keep what is right, "
        "correct it and add to it. If this part has nothing on it, repeat the answer so far.",
        goal,
    )


def finish(notes: str, text: str, goal: str, schema: Schema | None) -> Messages:
    """The last part and the running answer into the answer."""
    return _ask(
        _quoted("answer_so_far", notes),
        _quoted("text", text),
        "The text is the last part of a longer text; the answer so far is about all that came "
        "before. Answer for the whole text.",
        *_task(goal, schema),
    )


def _ask(*lines: str) -> Messages:
    return (Message("system", _SYSTEM), Message("user", "\n".join(lines)))


def _task(goal: str, schema: Schema | None) -> list[str]:
    if schema is None:
        return [goal]
    described = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return [goal, "", f"Reply with JSON that fits this schema: {described}"]


def _quoted(name: str, text: str) -> str:
    return f"<{name}>\n{text}\n</{name}>\n"


def _numbered(results: Sequence[str]) -> str:
    return "\n".join(f"[{number}] {result}" for number, result in enumerate(results, 1))
