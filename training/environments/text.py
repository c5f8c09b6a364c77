"""Text: tasks that the service itself can be asked, with exact verifiers of what it replies.

Other environments speak words to a policy of their own; these have a goal and a document in plain
text, and judge an answer in plain text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TextTask:
    """What is asked over which document; `verify` gives an answer's success in [0, 1]."""

    goal: str
    document: str
    verify: Callable[[str], float]


class TextEnvironment(Protocol):
    """A source of tasks."""

    @property
    def name(self) -> str: ...

    @property
    def max_answer_tokens(self) -> int:
        """Room for an answer, in tokens; the right one takes less."""

    def generate(self, seed: int, difficulty: int) -> TextTask:
        """The same task for the same arguments. Raises BadDifficulty."""
