"""Sample: citations drawn from the answers of a run, and control pairs made of their quotes.

An answer names its citations as a whole, not sentence by sentence. The sentence that a citation
stands by is therefore the one that shares the most telling words with the quote, the first of
equals. This favours the citation: what has no support there has none anywhere in the answer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from banyan.attribution import sentences
from banyan.citations import MAX_QUOTE_CHARS
from banyan.evaluation.item import text_of
from banyan.evaluation.question import Question
from banyan.evaluation.records import Record
from banyan.words import asked, telling

PairKind = Literal["cited", "control_true", "control_false"]

_LEAST_WORDS = 4
"""Telling words of a sentence that can be a control."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and a quote. `item` and `place` say where the quote is from."""

    kind: PairKind
    item: str
    place: tuple[int, int, int]
    """Document of the question, and the code points `[start, end)` of it."""
    question: str
    sentence: str
    quote: str

    @property
    def lexical(self) -> float | None:
        """Share of the sentence's telling words that stand in the quote; None without any."""
        words = set(telling(self.sentence))
        return len(words & set(telling(self.quote))) / len(words) if words else None


def cited_pairs(records: Sequence[Record], questions: Mapping[str, Question]) -> list[Pair]:
    """Every citation of every answer to a question that is known, with its sentence."""
    pairs = []
    for record in records:
        question = questions.get(record.item)
        spoken = [one.strip() for one in sentences(text_of(record.answered)) if one.strip()]
        if question is None or not spoken:
            continue
        for citation in record.answered.citations:
            end = min(citation.end, citation.start + MAX_QUOTE_CHARS)
            quote = question.documents[citation.document][citation.start : end]
            pairs.append(
                Pair(
                    kind="cited",
                    item=record.item,
                    place=(citation.document, citation.start, citation.end),
                    question=asked(question.goal),
                    sentence=_stands_by(spoken, quote),
                    quote=quote,
                )
            )
    return pairs


def draw(pairs: Sequence[Pair], num_pairs: int, seed: int) -> list[Pair]:
    """At most so many of them, each as likely as any other."""
    chosen = list(pairs)
    random.Random(seed).shuffle(chosen)  # noqa: S311 - a sample, not a secret
    return chosen[:num_pairs]


def controls(drawn: Sequence[Pair], pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """Of each drawn quote a sentence of its own, beside it and beside another item's quote.

    The quote supports it and the other one does not. A quote without a sentence that says something
    makes no control.
    """
    generator = random.Random(seed)  # noqa: S311
    found = []
    for pair in drawn:
        own = [one.strip() for one in sentences(pair.quote) if len(telling(one)) >= _LEAST_WORDS]
        others = [one for one in pairs if one.item != pair.item]
        if not own:
            continue
        sentence = generator.choice(own)
        found.append(_control("control_true", pair, sentence))
        strangers = [one for one in others if sentence not in one.quote]
        if strangers:
            found.append(_control("control_false", generator.choice(strangers), sentence))
    return found


def _control(kind: PairKind, source: Pair, sentence: str) -> Pair:
    return Pair(kind, source.item, source.place, source.question, sentence, source.quote)


def _stands_by(spoken: Sequence[str], quote: str) -> str:
    words = set(telling(quote))
    return max(spoken, key=lambda sentence: len(words & set(telling(sentence))))
