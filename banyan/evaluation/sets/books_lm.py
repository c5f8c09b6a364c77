"""Books: how well a text goes on, given what a form of packed state keeps of all before it.

A passage of about 12,000 tokens is cut at several places; the text right behind a cut is scored.
Metric: bits per byte = -sum(log2 p(token)) / bytes in UTF-8, which does not depend on the
tokenizer: all models score the same bytes. Less is better.
"""

from __future__ import annotations

from pathlib import Path

from banyan.evaluation.baselines.chunks import cut_back
from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item
from banyan.evaluation.language.frame import Measured
from banyan.evaluation.question import Answered, Question, Score

CUTS: dict[str, int] = {"4k": 4_000, "8k": 8_000, "11k": 11_000}
"""Tokens before each cut, counted as the set counts them (cl100k)."""
TARGET_TOKENS = 512
SUMMARY_TOKENS = 256
_REACH_CHARS = 800
"""A quarter of it is how far a cut may move back to the end of a paragraph or a sentence."""

GOAL = (
    "Summarise all of the text so far for someone who reads on from here: who and where, what "
    "happened, and what is going on at the end."
)


class _Passage(Row):
    id: str
    tokens_cl100k: int
    text: str


def load(data: Path) -> list[Item]:
    """One item for each cut of each passage that is long enough for it."""
    items = []
    for passage in rows(data / "books_lm" / PART / "passages.jsonl", _Passage):
        text = passage.text
        chars_per_token = len(text) / max(1, passage.tokens_cl100k)
        for bucket, num_tokens in CUTS.items():
            if num_tokens + TARGET_TOKENS > passage.tokens_cl100k:
                continue
            wanted = int(num_tokens * chars_per_token)
            cut = cut_back(text, max(0, wanted - _REACH_CHARS), wanted)
            end = cut_back(text, cut, cut + int(TARGET_TOKENS * chars_per_token))
            question = Question(
                id=f"{passage.id}@{bucket}",
                bucket=bucket,
                goal=GOAL,
                documents=(text[:cut],),
                answer_tokens=SUMMARY_TOKENS,
                continuation=text[cut:end],
            )
            items.append(Item(question, grade))
    return items


def grade(answered: Answered) -> Score:
    """Bits per byte; the parts are how many tokens stood before the text, and as what."""
    if answered.answer is None:
        return Score(0.0)
    measured = Measured.model_validate(answered.answer)
    return Score(
        measured.bits / measured.num_bytes,
        {"state_tokens": measured.state_tokens, "last_tokens": measured.last_tokens},
    )
