"""Lookup: one fact among several, to be answered in the form that is asked for.

The document has `difficulty` lines such as `Nils lives in Vienna.`, each of another person, and
the goal asks for the city of one of them, by its name alone. Success is the F1 of words, as SQuAD
counts it (arXiv 1606.05250, section 6.2): a whole sentence with the right city earns a part.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial

from training.environments.environment import rng
from training.environments.errors import check_difficulty
from training.environments.text import TextTask

NAMES = (
    *("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo"),
    *("Iris", "Jack", "Kira", "Liam", "Mona", "Nils", "Olga", "Paul"),
    *("Rosa", "Sam", "Tina", "Uwe", "Vera", "Walt", "Yuri", "Zoe"),
)
CITIES = (
    *("Paris", "Rome", "Oslo", "Cairo", "Lima", "Delhi", "Tokyo", "Berlin"),
    *("Madrid", "Vienna", "Athens", "Dublin", "Boston", "Quito", "Prague", "Lisbon"),
    *("Havana", "Warsaw", "London", "Geneva", "Sydney", "Denver", "Munich", "Venice"),
)
_WORD = re.compile(r"\w+")


class Lookup:
    name = "lookup"
    max_answer_tokens = 16

    def generate(self, seed: int, difficulty: int) -> TextTask:
        check_difficulty(self.name, difficulty, 1, len(NAMES))
        random = rng(self.name, seed, difficulty)
        names, cities = random.sample(NAMES, difficulty), random.sample(CITIES, difficulty)
        asked = random.randrange(difficulty)
        lines = [f"{name} lives in {city}." for name, city in zip(names, cities, strict=True)]
        return TextTask(
            goal=f"Where does {names[asked]} live? Reply with the name of the city alone.",
            document="\n".join(lines),
            verify=partial(word_f1, cities[asked]),
        )


def word_f1(truth: str, answer: str) -> float:
    """Harmonic mean of precision and recall of the answer's words, without their case."""
    wanted, given = (Counter(_WORD.findall(text.lower())) for text in (truth, answer))
    shared = (wanted & given).total()
    return 2.0 * shared / (wanted.total() + given.total()) if shared else 0.0
