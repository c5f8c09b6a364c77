"""Rules: what a fake model writes, given the messages and the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from banyan.ports import Message
from banyan.testing.schema_values import Schema, minimal

Rule = Callable[[Sequence[Message], Schema | None], str]
"""Returns the reply: JSON of the schema where one is given, else text."""

_FAN_OUT = re.compile(r"fan-out (\d+)((?:\.\d+)*)")
_RESULTS = re.compile(r"<results>\n(.*?)\n</results>", re.DOTALL)
_RESULT_NUMBER = re.compile(r"^\[\d+\] ", re.MULTILINE)
DEFAULT_FAN_OUT = 2
ANSWER = "The fake model says that it is ok."


def default_rule(messages: Sequence[Message], schema: Schema | None) -> str:
    """Answer `ANSWER`, or delegate where there is no other choice or the prompt says `fan-out N`.

    A delegation splits into N parts (default 2) and hands its goal on, or lists N children whose
    goals are `fan-out N.1`, `fan-out N.2`. Where results of children are shown, it answers.
    """
    return _act(messages, schema, ANSWER)


def counting_rule(messages: Sequence[Message], schema: Schema | None) -> str:
    """Delegate as `default_rule` does, and answer with the number of leaves below.

    A leaf answers `1`, and whoever has results answers their sum: a root that names all leaves has
    the answer of each of them, once.
    """
    shown = _RESULTS.search("\n".join(message.content for message in messages))
    if shown is None:
        return _act(messages, schema, "1")
    found = re.findall(r"\d+", _RESULT_NUMBER.sub("", shown[1]))
    return _act(messages, schema, str(sum(map(int, found))))


def _act(messages: Sequence[Message], schema: Schema | None, answer: str) -> str:
    if schema is None:
        return answer
    prompt = "\n".join(message.content for message in messages)
    found = next(reversed([*_FAN_OUT.finditer(prompt)]), None)  # a node's own goal comes last
    options = [option for option in schema.get("anyOf", [schema]) if isinstance(option, Mapping)]
    delegates = [option for option in options if _splits(option) or _lists_children(option)]
    others = [option for option in options if option not in delegates]
    if delegates and (not others or (found and "<results>" not in prompt)):
        return _dump(_delegate(delegates[0], *_wanted(found)))
    return _dump(_answer({**schema, **(others[0] if "anyOf" in schema else {})}, answer))


def _properties(schema: Schema) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    return properties


def _splits(schema: Schema) -> bool:
    return "split" in _properties(schema)


def _lists_children(schema: Schema) -> bool:
    return "children" in _properties(schema)


def _wanted(found: re.Match[str] | None) -> tuple[int, str]:
    """How many parts, and which goal to give them; listed children add their number to it."""
    return (int(found[1]), found[0]) if found else (DEFAULT_FAN_OUT, f"fan-out {DEFAULT_FAN_OUT}")


def _delegate(schema: Schema, num_parts: int, goal: str) -> JsonValue:
    value = minimal(schema)
    if not isinstance(value, dict):
        return value
    if _splits(schema):
        bounds = _properties(_properties(schema)["split"]).get("parts", {})
        split: JsonValue = minimal(_properties(schema)["split"])
        if isinstance(split, dict):
            split |= {"goal": goal, "parts": min(num_parts, bounds.get("maximum", num_parts))}
        value["split"] = split
    else:
        children = _properties(schema)["children"]
        child = minimal(children["items"])
        if isinstance(child, dict):
            num_children = min(num_parts, children.get("maxItems", num_parts))
            value["children"] = [
                {**child, "goal": f"{goal}.{index}"} for index in range(1, num_children + 1)
            ]
    return value


def _answer(schema: Schema, text: str) -> JsonValue:
    """The least value, with `text` and a citation where they have a place."""
    value = minimal({name: part for name, part in schema.items() if name != "anyOf"})
    properties = _properties(schema)
    if not isinstance(value, dict):
        return value
    if properties.get("answer", {}).get("type") == "string":
        value["answer"] = text
    citations = properties.get("citations")
    if citations is not None and not value.get("citations"):
        value["citations"] = [minimal(citations.get("items", {}))]
    return value


def _dump(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
