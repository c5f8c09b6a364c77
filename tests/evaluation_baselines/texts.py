"""Texts with numbered sentences, and what the calls of a scripted engine showed of them."""

from __future__ import annotations

import re

from banyan.evaluation.question import Question
from banyan.testing import Call, ScriptedEngine

_SENTENCE = re.compile(r"Fact (\d+) ")


def facts(number: int, *, words: int = 6) -> str:
    """`number` sentences, `Fact 0 ...` and so on, three to a paragraph."""
    sentences = [f"Fact {index} says {'so ' * words}here." for index in range(number)]
    paragraphs = [" ".join(sentences[i : i + 3]) for i in range(0, number, 3)]
    return "\n\n".join(paragraphs)


def shown(call: Call) -> list[int]:
    """Numbers of the facts inside `<text>` of a call's prompt, in order."""
    content = call.prompt.messages[-1].content
    quoted = content.partition("<text>\n")[2].partition("\n</text>")[0]
    return [int(number) for number in _SENTENCE.findall(quoted)]


def quoted(call: Call) -> str:
    """What stands inside `<text>`."""
    content = call.prompt.messages[-1].content
    return content.partition("<text>\n")[2].partition("\n</text>")[0]


def assert_within_window(engine: ScriptedEngine, window: int) -> None:
    """Prompt and reply of every call stayed inside the window."""
    assert engine.calls
    for call in engine.calls:
        assert call.prompt.num_tokens + call.max_tokens <= window


def ask(*documents: str, answer_tokens: int = 32, goal: str = "What do the facts say?") -> Question:
    return Question(id="q", bucket="b", goal=goal, documents=documents, answer_tokens=answer_tokens)
