"""Textcraft: craft an item; the difficulty is the depth of its recipe.

Recipes are made for the task: two ingredients, one of them as deep as it can be. All nodes of a
tree share one inventory. A goal shows what was gathered since it was begun, crafts from that alone,
and succeeds if just what it wants was added to the inventory: what is taken and not used is waste,
and cannot be put back. It divides into its ingredients.

At difficulty 0 nothing is left to divide: an ingredient is to be taken, or all ingredients of a
recipe are at hand, as they are once its parts are done. Every recipe is made of these two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from banyan.action import Kind
from training.environments.environment import HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty

NOTHING_TO_DIVIDE = 0
"""The difficulty at which a goal has no parts, or none that are not done."""
MAX_RECIPE_DEPTH = 6
NUM_BASE = 8
NUM_CRAFTED = 2**MAX_RECIPE_DEPTH
BASE = tuple(f"base{number}" for number in range(NUM_BASE))
CRAFTED = tuple(f"item{number}" for number in range(NUM_CRAFTED))
MAX_COUNT = 99
COUNTS = tuple(str(number) for number in range(MAX_COUNT + 1))
WANT, FROM, HAVE, GET, CRAFT = "want", "from", "have", "get", "craft"
_REUSE_SHARE = 0.3
_NUM_USELESS = 2
"""Recipes that a task has beside those that are needed, as far as there are names for them."""
_NUM_HEAD = 3 + 5
_MAX_DEPTH_UNDIVIDED = 3
_TAKEN_SHARE = 0.3

Needs = tuple[tuple[str, int], ...]


class World:
    """`recipes` names what one piece of an item takes; `inventory` is shared by all nodes."""

    def __init__(
        self, recipes: dict[str, Needs], base: Words = BASE, counts: Words = COUNTS
    ) -> None:
        self.recipes = recipes
        self.base = base
        self.counts = counts
        self.inventory: Counter[str] = Counter()

    def get(self, item: str) -> None:
        self.inventory[item] += 1

    def craft(self, item: str) -> None:
        """Nothing happens where an ingredient is missing."""
        needs = self.recipes[item]
        if all(self.inventory[name] >= count for name, count in needs):
            self.inventory.subtract(dict(needs))
            self.inventory[item] += 1

    def plan(self, item: str, count: int, stock: Counter[str]) -> list[Words]:
        """What it takes to get `count` of an item; what is of use is taken out of `stock`."""
        num_there = min(stock[item], count)
        stock[item] -= num_there
        count -= num_there
        if item not in self.recipes:
            return [(GET, item)] * count
        needs = self.recipes[item]
        steps = [step for name, needed in needs for step in self.plan(name, needed * count, stock)]
        return [*steps, *[(CRAFT, item)] * count]


class TextcraftGoal:
    def __init__(self, world: World, item: str, count: int) -> None:
        self.world = world
        self.item = item
        self.count = count
        self.is_merged = False
        self._before: Counter[str] | None = None

    def observe(self, num_tokens: int) -> Words:
        if num_tokens < _NUM_HEAD + 1:
            raise WindowTooSmall(f"a recipe needs {_NUM_HEAD + 1} tokens, not {num_tokens}")
        gathered = self._gathered()
        words = [WANT, self.item, self._number(self.count)]
        needs = self._needs()
        if needs:
            words.append(FROM)
            words += [word for name, count in needs for word in (name, self._number(count))]
        related = [self.item, *(name for name, _ in needs)]
        others = sorted(name for name in gathered if name not in related)
        words.append(HAVE)
        for name in (*related, *others):
            if gathered[name] <= 0:
                continue
            if len(words) + 3 > num_tokens:
                words.append(HIDDEN)
                break
            words += [name, self._number(gathered[name])]
        return tuple(words)

    def kinds(self) -> tuple[Kind, ...]:
        if self.is_merged or not self._needs():
            return ("answer", "use")
        return ("answer", "delegate", "use")

    def choices(self, kind: Kind, written: Words) -> Words:
        if kind != "use" or len(written) == 2:
            return ()
        if not written:
            return (GET, CRAFT) if self._craftable() else (GET,)
        return self.world.base if written == (GET,) else self._craftable()

    def use(self, words: Words) -> None:
        self._begin()
        verb, item = words
        if verb == GET:
            self.world.get(item)
        else:
            self.world.craft(item)

    def parts(self, words: Words) -> Sequence[TextcraftGoal]:  # noqa: ARG002 - one way to divide
        return [
            TextcraftGoal(self.world, name, count * self.count) for name, count in self._needs()
        ]

    def merge(self, answers: Sequence[Words | None]) -> None:  # noqa: ARG002 - the world knows
        self.is_merged = True

    def finish_parts(self) -> None:
        """Have what its parts would have made."""
        self._begin()
        for name, count in self._needs():
            self.world.inventory[name] += count * self.count
        self.is_merged = True

    def verify(self, answer: Words) -> float:
        return float(answer == () and self._gathered() == {self.item: self.count})

    def solve(self) -> tuple[Move, ...]:
        steps = self.world.plan(self.item, self.count, self._gathered())
        return (*(Move("use", step) for step in steps), Move("answer"))

    def _number(self, count: int) -> str:
        return self.world.counts[min(count, len(self.world.counts) - 1)]

    def _needs(self) -> Needs:
        return self.world.recipes.get(self.item, ())

    def _begin(self) -> Counter[str]:
        """What was there when the goal was begun."""
        if self._before is None:
            self._before = self.world.inventory.copy()
        return self._before

    def _gathered(self) -> Counter[str]:
        """What was added to the inventory since then; without what was added and used up."""
        before = self._begin()
        return Counter(
            {
                name: count - before[name]
                for name, count in self.world.inventory.items()
                if count != before[name]
            }
        )

    def _craftable(self) -> Words:
        """Items whose ingredients were gathered."""
        gathered = self._gathered()
        return tuple(
            item
            for item, needs in self.world.recipes.items()
            if all(gathered[name] >= count for name, count in needs)
        )


class Textcraft:
    """`num_items`, `num_base` and `max_count` make ones with a smaller vocabulary.

    An item's number says nothing: the numbers are dealt out anew for each task.
    """

    name = "textcraft"
    num_view_tokens = 32
    shares_state = True

    def __init__(
        self, *, num_items: int = NUM_CRAFTED, num_base: int = NUM_BASE, max_count: int = MAX_COUNT
    ) -> None:
        self.items = CRAFTED[:num_items]
        self.base = BASE[:num_base]
        self.counts = COUNTS[: max_count + 1]

    @property
    def words(self) -> Words:
        return (*self.base, *self.items, *self.counts, WANT, FROM, HAVE, GET, CRAFT, HIDDEN)

    def generate(self, seed: int, difficulty: int) -> TextcraftGoal:
        check_difficulty(self.name, difficulty, NOTHING_TO_DIVIDE, MAX_RECIPE_DEPTH)
        random = rng(self.name, seed, difficulty)
        if difficulty == NOTHING_TO_DIVIDE:
            return self._undivided(random)
        world, item = self._task(random, difficulty)
        return TextcraftGoal(world, item, 1)

    def _task(self, random: Random, levels: int) -> tuple[World, str]:
        """What there is to craft from, and the item that is wanted."""
        book = _Book(random, random.sample(self.items, len(self.items)), self.base)
        item = book.made(levels)
        for _ in range(min(_NUM_USELESS, len(self.items) - len(book.recipes))):
            book.made(1, is_new=True)
        return World(book.recipes, self.base, self.counts), item

    def _undivided(self, random: Random) -> TextcraftGoal:
        """An ingredient to take, or a recipe whose parts are done, and another that they allow."""
        world, _ = self._task(random, random.randint(1, _MAX_DEPTH_UNDIVIDED))
        if random.random() < _TAKEN_SHARE:
            return TextcraftGoal(world, random.choice(world.base), random.randint(1, 2))
        item = random.choice(list(world.recipes))
        unused = [name for name in self.items if name not in world.recipes]
        if unused:
            world.recipes[random.choice(unused)] = tuple(
                (name, 1) for name, _ in world.recipes[item]
            )
        goal = TextcraftGoal(world, item, 1)
        goal.finish_parts()
        return goal

    def max_steps(self, difficulty: int) -> int:
        """At least twice what the largest recipe takes, with every ingredient delegated."""
        return 12 << (2 * max(0, difficulty - 1))


def recipe_depth(recipes: dict[str, Needs], item: str) -> int:
    """0 for what is there to be taken."""
    if item not in recipes:
        return 0
    return 1 + max(recipe_depth(recipes, name) for name, _ in recipes[item])


class _Book:
    """Recipes as they are made; `items` are named one after another."""

    def __init__(self, random: Random, items: list[str], base: Words) -> None:
        self.random = random
        self.items = items
        self.base = base
        self.recipes: dict[str, Needs] = {}
        self._made: dict[int, list[str]] = {}

    def made(self, levels: int, *, is_new: bool = False) -> str:
        """An item whose recipe has so many levels, and all that it needs; some are used again."""
        random = self.random
        if levels == 0:
            return random.choice(self.base)
        known = self._made.setdefault(levels, [])
        if known and not is_new and random.random() < _REUSE_SHARE:
            return random.choice(known)
        deep = self.made(levels - 1)
        other = self.made(random.randrange(levels))
        while other == deep:
            other = random.choice(self.base)
        needs = tuple(
            (name, random.randint(1, 2) if name in self.base else 1)
            for name in random.sample((deep, other), 2)
        )
        item = self.items[len(self.recipes)]
        self.recipes[item] = needs
        known.append(item)
        return item
