"""TextCraft: plans of crafts with real and made-up recipes, in three families of tasks.

The plan form: the system reads the recipes that can play a part and answers with the ordered list
of all actions, which is replayed exactly. Metric: success, the target items are gained within the
task's steps. `valid`: the share of actions that worked. (arXiv 2311.05772 for ADaPT's tasks.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from banyan.evaluation.craft_plan import plan_of, plan_schema
from banyan.evaluation.crafting import TAG, Book, Recipe, needed, replay
from banyan.evaluation.data import HOW, PART, Row, rows
from banyan.evaluation.item import Item, object_of
from banyan.evaluation.question import Answered, Question, Score
from banyan.local.errors import Missing

ANSWER_TOKENS = 768
_COMMAND = re.compile(r"craft (\d+) (.+) using (.+)")
_AMOUNT = re.compile(r"(\d+) (.+)")

_GOAL = (
    "{goal} The document lists the recipes. {start} Plan every action, in order, with nothing "
    "left out. A craft names the item, how many come out, and all that goes in; these must be a "
    "recipe's own numbers or a whole multiple of them. {tags}{steps}"
)
_TAGS = "Where a recipe names a tag, put in one of the tag's items. "


class _Misc(Row):
    target_items: dict[str, int]
    initial_inventory: dict[str, int]


class _Task(Row):
    id: str
    goal: str
    max_steps: int
    misc: _Misc
    gold_depth: int


class _Adapt(Row):
    id: str
    goal: str
    commands: tuple[str, ...]
    target: str
    min_depth: int


class _Recipe(Row):
    item: str
    count: int
    ingredients: dict[str, int]


class _Recipes(Row):
    recipes: tuple[_Recipe, ...]
    tags: dict[str, tuple[str, ...]]


def load(data: Path) -> list[Item]:
    """Buckets: `adapt-3`, `minecraft-2`, `synth-10`: the family and the depth of the task."""
    folder = data / "textcraft"
    minecraft = _book(folder / "shared" / "recipes_minecraft.json")
    synth = _book(folder / "shared" / "recipes_synth.json")
    items = [_adapt(task, minecraft) for task in rows(folder / PART / "adapt_tasks.jsonl", _Adapt)]
    for family, book in (("minecraft", minecraft), ("synth", synth)):
        tasks = rows(folder / PART / f"{family}_tasks.jsonl", _Task)
        items += [_crafted(task, family, book) for task in tasks]
    return items


def grade(
    answered: Answered,
    book: Book,
    inventory: Mapping[str, int],
    targets: Mapping[str, int],
    max_steps: int | None,
) -> Score:
    """The plan, replayed."""
    steps = plan_of(object_of(answered))
    have, worked = replay(steps, book, inventory, max_steps=max_steps)
    gained = all(have[item] - inventory.get(item, 0) >= count for item, count in targets.items())
    parts = {"valid": worked / len(steps) if steps else 0.0, "steps": float(len(steps))}
    return Score(float(gained), parts)


def recipe_of(command: str) -> Recipe:
    """`craft 2 diorite using 2 quartz, 2 cobblestone`. Raises ValueError."""
    found = _COMMAND.fullmatch(command)
    amounts = [_AMOUNT.fullmatch(part) for part in found[3].split(", ")] if found else []
    if found is None or None in amounts:
        raise ValueError(f"{command!r} is no command")
    return Recipe(found[2], int(found[1]), {one[2]: int(one[1]) for one in amounts if one})


def _adapt(task: _Adapt, minecraft: Book) -> Item:
    tags = {name.replace("_", " "): _spaced(items) for name, items in minecraft.tags.items()}
    book = Book(tuple(map(recipe_of, task.commands)), tags, gettable=True)
    named = sorted(
        {name for recipe in book.recipes for name in recipe.ingredients if tags.get(name)}
    )
    lines = [*task.commands, *(f"{name}: any of {', '.join(sorted(tags[name]))}" for name in named)]
    goal = _GOAL.format(
        goal=f"Your goal: {task.goal}",
        start="You have nothing. Whatever no recipe makes, you can get by the action get, with no "
        "ingredients.",
        tags="Where a recipe names a group of items, put in one of the group's. " if named else "",
        steps="",
    )
    question = Question(
        id=task.id,
        bucket=f"adapt-{task.min_depth}",
        goal=goal.strip(),
        documents=("\n".join(lines),),
        answer_schema=plan_schema("craft", "get"),
        answer_tokens=ANSWER_TOKENS,
    )
    targets = {task.target: 1}
    return Item(
        question,
        partial(grade, book=book, inventory={}, targets=targets, max_steps=None),
        stratum=question.bucket,
    )


def _crafted(task: _Task, family: str, book: Book) -> Item:
    recipes, tags = needed(book, task.misc.target_items)
    lines = [_line(recipe) for recipe in recipes]
    lines += [
        f"{TAG}{name}: any of {', '.join(sorted(book.tags.get(name, ())))}" for name in sorted(tags)
    ]
    have = ", ".join(f"{n} {item}" for item, n in task.misc.initial_inventory.items())
    goal = _GOAL.format(
        goal=f"{task.goal}.",
        start=f"You have {have}.",
        tags=_TAGS if tags else "",
        steps=f"At most {task.max_steps} actions.",
    )
    question = Question(
        id=task.id,
        bucket=f"{family}-{task.gold_depth}",
        goal=goal,
        documents=("\n".join(lines),),
        answer_schema=plan_schema("craft"),
        answer_tokens=ANSWER_TOKENS,
    )
    grading = partial(
        grade,
        book=replace(book, recipes=recipes),
        inventory=task.misc.initial_inventory,
        targets=task.misc.target_items,
        max_steps=task.max_steps,
    )
    return Item(question, grading)


def _line(recipe: Recipe) -> str:
    given = ", ".join(f"{count} {name}" for name, count in recipe.ingredients.items())
    return f"craft {recipe.count} {recipe.item} using {given}"


def _spaced(items: frozenset[str]) -> frozenset[str]:
    return frozenset(item.replace("_", " ") for item in items)


def _book(path: Path) -> Book:
    if not path.is_file():
        raise Missing(f"{path} is not there", hint=HOW)
    content = _Recipes.model_validate(json.loads(path.read_text(encoding="utf-8")))
    recipes = tuple(Recipe(one.item, one.count, one.ingredients) for one in content.recipes)
    return Book(recipes, {name: frozenset(items) for name, items in content.tags.items()})
