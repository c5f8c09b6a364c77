"""Crafting: recipes, and the exact replay of a plan against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

TAG = "tag:"
"""Begins an ingredient that any one item of a list can be."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`count` items are made of the ingredients."""

    item: str
    count: int
    ingredients: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a plan: `count` of the item in all, made of all of the ingredients, or got."""

    action: Literal["craft", "get"]
    item: str
    count: int
    ingredients: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Book:
    """The recipes of a task. `gettable`: what is not made may be got for nothing."""

    recipes: tuple[Recipe, ...]
    tags: Mapping[str, frozenset[str]]
    gettable: bool = False

    def makes(self, item: str) -> bool:
        """Whether some recipe has the item as its result."""
        return any(recipe.item == item for recipe in self.recipes)

    def allows(self, step: Step) -> bool:
        """Whether a recipe, taken a whole number of times, is exactly this step."""
        if step.count < 1:
            return False
        if step.action == "get":
            return self.gettable and not self.makes(step.item) and not self.tags.get(step.item)
        return any(
            recipe.item == step.item
            and step.count % recipe.count == 0
            and self._match(recipe, step.count // recipe.count, step.ingredients)
            for recipe in self.recipes
        )

    def _match(self, recipe: Recipe, times: int, given: Mapping[str, int]) -> bool:
        """Each ingredient is one item, the named one or any one of its tag's."""
        if len(given) != len(recipe.ingredients):
            return False
        left = dict(given)
        for name, count in recipe.ingredients.items():
            choices = self.tags.get(name.removeprefix(TAG), frozenset()) or {name}
            wanted = count * times
            found = next((i for i in sorted(choices) if left.get(i) == wanted), None)
            if found is None:
                return False
            del left[found]
        return True


def replay(
    steps: Sequence[Step], book: Book, inventory: Mapping[str, int], *, max_steps: int | None = None
) -> tuple[Counter[str], int]:
    """The inventory after the plan, and how many of its steps worked.

    A step that is not allowed, or lacks ingredients, changes nothing, but counts as a step.
    """
    have = Counter(inventory)
    worked = 0
    for step in steps[:max_steps]:
        enough = all(have[name] >= count for name, count in step.ingredients.items())
        if not book.allows(step) or (step.action == "craft" and not enough):
            continue
        if step.action == "craft":
            have.subtract(step.ingredients)
        have[step.item] += step.count
        worked += 1
    return have, worked


def needed(book: Book, targets: Iterable[str]) -> tuple[tuple[Recipe, ...], frozenset[str]]:
    """All recipes that can play a part in making the targets, and the tags these name."""
    seen: set[str] = set()
    tags: set[str] = set()
    waiting = list(targets)
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        for recipe in book.recipes:
            if recipe.item != item:
                continue
            for name in recipe.ingredients:
                if name.startswith(TAG):
                    tags.add(name.removeprefix(TAG))
                    waiting += sorted(book.tags.get(name.removeprefix(TAG), ()))
                else:
                    waiting.append(name)
    return tuple(recipe for recipe in book.recipes if recipe.item in seen), frozenset(tags)
