"""Job: one question in work: its text, its calls, and how long replies may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from banyan.evaluation.baselines.calls import Calls
from banyan.evaluation.baselines.prompts import single
from banyan.evaluation.baselines.source import Range, Source
from banyan.evaluation.question import Question
from banyan.ports import Message

JSON_TOKENS = 48
"""What a reply under a schema needs beside its values; the service reserves as much."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A method's last reply, and which ranges of the source's text stood in a prompt."""

    text: str
    read: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One question in work."""

    question: Question
    source: Source
    calls: Calls

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def goal(self) -> str:
        return self.question.goal

    @property
    def final_tokens(self) -> int:
        """Length of the last reply."""
        extra = JSON_TOKENS if self.question.answer_schema is not None else 0
        return self.question.answer_tokens + extra

    def single(self, text: str) -> Sequence[Message]:
        """The prompt of the one call over `text`."""
        return single(text, self.goal, self.question.answer_schema)

    async def left(self, messages: Sequence[Message]) -> int:
        """Tokens left free by this prompt and the last reply."""
        return await self.calls.left(messages, self.final_tokens)

    async def answer(self, messages: Sequence[Message]) -> str:
        """The last reply: under the question's schema where it has one."""
        return await self.calls.ask(
            messages, max_tokens=self.final_tokens, schema=self.question.answer_schema
        )


Method = Callable[[Job], Awaitable[Reply]]
"""How a baseline comes to its answer. Raises BanyanError."""
