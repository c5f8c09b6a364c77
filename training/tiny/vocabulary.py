"""Vocabulary: an environment's words, and the kinds of action, as token ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from banyan.action import Kind
from training.environments.environment import Words

Ids = tuple[int, ...]

KINDS: tuple[Kind, ...] = ("answer", "delegate", "read", "note", "use")
PAD, START = 0, 1
_NUM_SPECIAL = 2


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Ids: padding, start, the kinds in the order of `KINDS`, then the words."""

    words: Words
    _id_of: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        first = _NUM_SPECIAL + len(KINDS)
        ids = {word: first + place for place, word in enumerate(self.words)}
        object.__setattr__(self, "_id_of", ids)

    def __len__(self) -> int:
        return _NUM_SPECIAL + len(KINDS) + len(self.words)

    def prompt(self, view: Words) -> Ids:
        """What stands before the kind of a turn's action."""
        return (START, *self.ids(view))

    def ids(self, words: Iterable[str]) -> Ids:
        """Raises KeyError for words that the environment did not declare."""
        return tuple([self._id_of[word] for word in words])

    def word(self, token_id: int) -> str:
        return self.words[token_id - _NUM_SPECIAL - len(KINDS)]


def kind_id(kind: Kind) -> int:
    return _NUM_SPECIAL + KINDS.index(kind)


def kind_of(token_id: int) -> Kind:
    return KINDS[token_id - _NUM_SPECIAL]


KIND_IDS: Ids = tuple(kind_id(kind) for kind in KINDS)
