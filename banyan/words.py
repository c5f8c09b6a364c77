"""Words: what a text is about, for finding and for attributing it. Pure, and no language's rules.

A word is a run of letters and digits in lower case, without a plural's `s`. How much a word says is
its inverse document frequency: what stands in every passage says nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[^.!?:\n\u3002\uff01\uff1f]++[?\uff1f]?+")
_ASKS = ("?", "\uff1f")
_SHORTEST = 2
_FUNCTION = frozenset({
    "a", "about", "above", "after", "all", "also", "among", "an", "and", "any", "are", "as",
    "at", "be", "been", "before", "but", "by", "can", "could", "did", "do", "does", "each",
    "every", "for", "form", "from", "give", "had", "has", "have", "he", "her", "him", "his",
    "how", "if", "in", "into", "is", "it", "its", "many", "may", "me", "most", "much", "my",
    "no", "not", "of", "on", "only", "or", "other", "our", "over", "question", "she",
    "should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there",
    "these", "they", "this", "those", "to", "under", "up", "us", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "would",
    "you", "your",
})  # fmt: skip
"""English words that say nothing about what is asked; in other languages the weights alone tell."""
_OF_TEXTS = frozenset({
    "article", "book", "chapter", "contain", "content", "conversation", "cover", "describe",
    "detail", "discuss", "discussed", "document", "explain", "file", "important", "material",
    "meeting", "mention", "page", "paper", "paragraph", "part", "passage", "plot", "point",
    "reference", "report", "said", "say", "section", "story", "tell", "text", "thing", "topic",
    "transcript",
})  # fmt: skip
"""Stems of words for a text and for what one does with it. Wherever they stand in it, a goal of
these alone ("What does this document say?") asks for all of it."""
_OF_WHOLES = frozenset({
    "gist", "main", "outline", "overview", "summarise", "summarize", "summary", "whole",
})  # fmt: skip
"""Stems of words that ask for more than a place: they are sought, and found nowhere."""


def words(text: str) -> list[str]:
    """The words of `text` in order."""
    return [_stem(word) for word in _WORD.findall(text.casefold()) if len(word) >= _SHORTEST]


def asked(goal: str) -> str:
    """The questions in `goal`, without the instructions around them; all of it where it has none.

    How an answer should look says nothing about where it stands.
    """
    asking = [sentence for sentence in _SENTENCE.findall(goal) if sentence.endswith(_ASKS)]
    return " ".join(asking) or goal


def telling(text: str) -> list[str]:
    """The words of `text` that say what it is about, in order."""
    spoken = [word for word in _WORD.findall(text.casefold()) if len(word) >= _SHORTEST]
    return [_stem(word) for word in spoken if word not in _FUNCTION]


def sought(goal: str) -> tuple[list[str], int]:
    """The words whose places in a text tell where to look for what `goal` asks, in order.

    And how many more it has that ask for more than a place ("Summarise what is said of ...").
    """
    known = [word for word in telling(asked(goal)) if word not in _OF_TEXTS]
    words = [word for word in known if word not in _OF_WHOLES]
    return words, len(known) - len(words)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def weight(num_passages: int, num_with_word: int) -> float:
    """Inverse document frequency of a word, in nats, as Okapi BM25 has it; above 0."""
    return math.log(1 + (num_passages - num_with_word + 0.5) / (num_with_word + 0.5))


def weights(passages: Iterable[Iterable[str]]) -> dict[str, float]:
    """The weight of every word of `passages`, each given as its words."""
    counts: Counter[str] = Counter()
    total = 0
    for passage in passages:
        total += 1
        counts.update(set(passage))
    return {word: weight(total, count) for word, count in counts.items()}
