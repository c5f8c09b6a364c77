"""Joining: the results of parts as one text, in their order, where an agent cannot combine them.

Nothing is lost and nothing is invented: each result stands as its reader wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence

from banyan import sizes
from banyan.node import Node, Outcome

_BETWEEN = "\n\n"
_SLACK = 1.15
"""Results are bounded in tokens when they are written; here their length is an estimate."""


def joined(node: Node, results: Sequence[Outcome]) -> str | None:
    """The results' texts, one paragraph each.

    None where one of them is no text, or where together they are longer than the answer may be.
    """
    answers = [outcome.answer for outcome in results if outcome.answer is not None]
    texts = [answer.strip() for answer in answers if isinstance(answer, str)]
    if not texts or len(texts) < len(answers):
        return None
    text = _BETWEEN.join(texts)
    return text if len(text) * sizes.density(node) <= _SLACK * node.answer_tokens else None
