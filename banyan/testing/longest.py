"""A rule that writes as much as it may: what a tree costs at the most."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from banyan.ports import Message
from banyan.testing.rules import default_rule
from banyan.testing.schema_values import Schema

_TOLD = re.compile(r"in at most (\d+) words")
_MATERIAL = re.compile(r"<(document|results)>\n(.*?)\n</\1>", re.DOTALL)
_MOST_WORDS = 2_000
"""Where a request names no number of words; the tokens end the reply then."""
_MOST_CHARS = 20_000


def longest_rule(messages: Sequence[Message], schema: Schema | None) -> str:
    """Act as `default_rule` does, with an answer or a brief as long as request and schema allow.

    They are made of words of the material, so that their tokens are as long as those. A split does
    not say into how many parts.
    """
    prompt = "\n".join(message.content for message in messages)
    words = " ".join(found[2] for found in _MATERIAL.finditer(prompt)).split() or ["word"]
    told = [*_TOLD.finditer(prompt)]
    num_words = int(told[-1][1]) if told else _MOST_WORDS
    if schema is None:
        return _text(words, num_words, _MOST_CHARS)
    value = json.loads(default_rule(messages, schema))
    value.get("split", {}).pop("parts", None)
    for option in schema.get("anyOf", [schema]):
        for name, bound in _bounded_texts(option):
            if isinstance(value.get(name), str):
                value[name] = _text(words, num_words if name == "answer" else _MOST_WORDS, bound)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bounded_texts(schema: Schema) -> Iterator[tuple[str, int]]:
    """The texts of some length that an action may have at its top, with their most characters."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    for name in ("answer", "brief"):
        if (bound := properties.get(name, {}).get("maxLength")) is not None:
            yield name, int(bound)


def _text(words: Sequence[str], num_words: int, max_chars: int) -> str:
    """As many of the words as fit, again and again from the first on."""
    written: list[str] = []
    left = max_chars
    for word in cycle(words):
        left -= len(word) + 1
        if left < -1 or len(written) >= num_words:
            return " ".join(written)
        written.append(word)
    return ""
