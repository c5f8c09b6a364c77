"""Language source: text whose best possible prediction is known, for bits per token.

A text begins with its rules: each rule is a name and, for every letter, the letter that follows it.
Then come sections. A section names its rule, and its letters follow that rule with probability
`1 - noise`, else any letter comes. Who does not see the rules any more cannot predict better than
what the section itself has shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.environments.environment import Words, rng

LETTERS = tuple("abcdefghijklmnop")
RULES = tuple(f"rule{number}" for number in range(8))
SECTION = "section"


@dataclass(frozen=True, slots=True)
class Text:
    """`words[N]`; `probabilities[N]` are those of the source itself for each word."""

    words: Words
    probabilities: tuple[float, ...]

    @property
    def ideal_bits(self) -> float:
        """Bits per token of a reader that knows the source and remembers everything."""
        return bits_per_token([math.log(value) for value in self.probabilities])


def bits_per_token(logprobs: Sequence[float]) -> float:
    """The mean of `-log2 p` of what stood there; `logprobs[N]` in nats."""
    return -sum(logprobs) / len(logprobs) / math.log(2)


@dataclass(frozen=True, slots=True)
class LanguageSource:
    """`num_letters` of `LETTERS` are used."""

    num_rules: int = 4
    num_section_letters: int = 30
    noise: float = 0.1
    num_letters: int = len(LETTERS)

    @property
    def num_rule_tokens(self) -> int:
        """At the beginning of a text, before its sections."""
        return self.num_rules * (1 + self.num_letters)

    @property
    def vocabulary(self) -> Words:
        """All words of its texts."""
        return (SECTION, *RULES[: self.num_rules], *LETTERS[: self.num_letters])

    def text(self, seed: int, num_tokens: int) -> Text:
        """The same text for the same arguments, cut off at `num_tokens`."""
        words, probabilities = [], []
        for word, probability in self._written(seed):
            words.append(word)
            probabilities.append(probability)
            if len(words) == num_tokens:
                break
        return Text(tuple(words), tuple(probabilities))

    def _written(self, seed: int) -> Iterator[tuple[str, float]]:
        random = rng("language_source", seed, self.num_rules)
        rules: dict[str, dict[str, str]] = {}
        letters = LETTERS[: self.num_letters]
        for name in RULES[: self.num_rules]:
            yield name, 1.0
            following = random.sample(letters, len(letters))
            rules[name] = dict(zip(letters, following, strict=True))
            for place, letter in enumerate(following):
                yield letter, 1.0 / (len(letters) - place)
        while True:
            yield SECTION, 1.0
            name = random.choice(list(rules))
            yield name, 1.0 / self.num_rules
            letter = random.choice(letters)
            yield letter, 1.0 / len(letters)
            for _ in range(self.num_section_letters - 1):
                likely = rules[name][letter]
                letter = random.choice(letters) if random.random() < self.noise else likely
                by_chance = self.noise / len(letters)
                yield letter, by_chance + (1.0 - self.noise if letter == likely else 0.0)
