"""Mazes, crafts and service calls: a plan is right where it can be carried out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from banyan.evaluation.craft_plan import plan_of
from banyan.evaluation.crafting import Book, Recipe, Step, needed, replay
from banyan.evaluation.data import PART
from banyan.evaluation.item import Item
from banyan.evaluation.sets import load_set
from banyan.evaluation.sets.textcraft import recipe_of
from tests.evaluation.makers import answered, write_lines

PLANKS = Recipe("planks", 4, {"tag:logs": 1})
STICK = Recipe("stick", 4, {"planks": 2})
BOOK = Book((PLANKS, STICK), {"logs": frozenset({"oak_log", "birch_log"})})


def craft(item: str, count: int, **ingredients: int) -> Step:
    return Step("craft", item, count, ingredients)


def test_a_craft_is_a_whole_multiple_of_its_recipe() -> None:
    assert BOOK.allows(craft("planks", 8, oak_log=2))
    assert not BOOK.allows(craft("planks", 6, oak_log=2))
    assert not BOOK.allows(craft("planks", 8, oak_log=1))
    assert not BOOK.allows(craft("planks", 0))
    assert not BOOK.allows(craft("stick", 4, planks=2, oak_log=1))


def test_a_tag_is_any_one_of_its_items() -> None:
    assert BOOK.allows(craft("planks", 4, birch_log=1))
    assert not BOOK.allows(craft("planks", 4, stone=1))
    assert not BOOK.allows(craft("planks", 8, oak_log=1, birch_log=1))


def test_what_is_made_can_be_used_and_what_is_used_is_gone() -> None:
    steps = [craft("planks", 4, oak_log=1), craft("stick", 4, planks=2)]
    have, worked = replay(steps, BOOK, {"oak_log": 1})
    assert +have == {"planks": 2, "stick": 4}
    assert worked == 2


def test_a_step_that_lacks_something_changes_nothing() -> None:
    have, worked = replay([craft("stick", 4, planks=2)], BOOK, {"planks": 1})
    assert +have == {"planks": 1}
    assert worked == 0


def test_steps_behind_the_last_one_allowed_do_not_count() -> None:
    steps = [craft("stone", 1), craft("planks", 4, oak_log=1)]
    have, _ = replay(steps, BOOK, {"oak_log": 1}, max_steps=1)
    assert have["planks"] == 0


def test_only_what_no_recipe_makes_can_be_got() -> None:
    book = Book(BOOK.recipes, BOOK.tags, gettable=True)
    assert book.allows(Step("get", "oak_log", 3, {}))
    assert not book.allows(Step("get", "stick", 1, {}))
    assert not book.allows(Step("get", "logs", 1, {}))
    assert not BOOK.allows(Step("get", "oak_log", 3, {}))


def test_the_recipes_of_a_task_are_those_its_targets_lead_to() -> None:
    stray = Recipe("anvil", 1, {"iron": 4})
    recipes, tags = needed(Book((*BOOK.recipes, stray), BOOK.tags), ["stick"])
    assert recipes == BOOK.recipes
    assert tags == {"logs"}


def test_a_plan_keeps_a_step_that_has_not_the_form_as_one_that_fails() -> None:
    good = {"action": "craft", "item": "stick", "count": 4}
    twice = [{"item": "planks", "count": 1}, {"item": "planks", "count": 1}]
    steps = plan_of({"actions": [{"action": "jump"}, {**good, "ingredients": twice}]})
    assert steps[0].count == 0
    assert steps[1] == craft("stick", 4, planks=2)
    assert plan_of({}) == plan_of({"actions": "craft"}) == []


def test_a_command_is_read_as_a_recipe() -> None:
    recipe = recipe_of("craft 2 diorite using 2 quartz, 2 stone bricks")
    assert recipe == Recipe("diorite", 2, {"quartz": 2, "stone bricks": 2})
    with pytest.raises(ValueError, match="no command"):
        recipe_of("make it so")


@pytest.fixture
def textcraft(tmp_path: Path) -> list[Item]:
    recipes = {
        "recipes": [
            {"item": "planks", "count": 4, "ingredients": {"tag:logs": 1}},
            {"item": "anvil", "count": 1, "ingredients": {"iron": 4}},
        ],
        "tags": {"logs": ["oak_log"]},
    }
    folder = tmp_path / "textcraft"
    task = {
        "goal": "Craft the following items: 4x planks",
        "max_steps": 5,
        "misc": {"target_items": {"planks": 4}, "initial_inventory": {"oak_log": 2, "planks": 1}},
        "gold_depth": 1,
    }
    write_lines(folder / PART / "minecraft_tasks.jsonl", {"id": "m", **task})
    write_lines(folder / PART / "synth_tasks.jsonl", {"id": "s", **task})
    commands = ["craft 4 planks using 1 logs", "craft 1 lever using 1 stick, 1 planks"]
    adapt = {"goal": "craft planks.", "commands": commands, "target": "planks", "min_depth": 1}
    write_lines(folder / PART / "adapt_tasks.jsonl", {"id": "a", **adapt})
    for family in ("minecraft", "synth"):
        path = folder / "shared" / f"recipes_{family}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(recipes), encoding="utf-8")
    return load_set("textcraft", tmp_path)


def action(kind: str, item: str, count: int, **ingredients: int) -> dict[str, Any]:
    given = [{"item": name, "count": number} for name, number in ingredients.items()]
    return {"action": kind, "item": item, "count": count, "ingredients": given}


def test_textcraft_has_the_recipes_in_its_document(textcraft: list[Item]) -> None:
    adapt, minecraft, synth = textcraft
    assert [one.question.bucket for one in textcraft] == ["adapt-1", "minecraft-1", "synth-1"]
    assert "craft 4 planks using 1 tag:logs" in minecraft.question.documents[0]
    assert "anvil" not in synth.question.documents[0]
    assert "logs: any of oak log" in adapt.question.documents[0]
    assert "2 oak_log" in minecraft.question.goal


def test_textcraft_is_won_by_gaining_the_targets(textcraft: list[Item]) -> None:
    minecraft = textcraft[1]
    won = minecraft.grade(answered({"actions": [action("craft", "planks", 4, oak_log=1)]}))
    assert (won.value, won.parts["valid"]) == (1.0, 1.0)
    assert minecraft.grade(answered({"actions": []})).value == 0
    assert minecraft.grade(answered("no plan at all")).value == 0


def test_the_tasks_of_adapt_begin_with_nothing_and_get_what_they_need(
    textcraft: list[Item],
) -> None:
    craft_it = action("craft", "planks", 4, **{"oak log": 1})
    assert textcraft[0].grade(answered({"actions": [craft_it]})).value == 0
    get_it = action("get", "oak log", 1)
    assert textcraft[0].grade(answered({"actions": [get_it, craft_it]})).value == 1


@pytest.fixture
def maze(tmp_path: Path) -> Item:
    """(0,0) - (0,1) - (1,1), and a blind way to (1,0) from the start."""
    line = {
        "id": "maze-0",
        "grid": 2,
        "start": [0, 0],
        "end": [1, 1],
        "ascii": "#####\n#   #\n# # #\n# # #\n#####",
        "edges": [[[0, 0], [0, 1]], [[0, 1], [1, 1]], [[0, 0], [1, 0]]],
        "solution_len": 2,
    }
    write_lines(tmp_path / "maze" / PART / "items.jsonl", line)
    return load_set("maze", tmp_path)[0]


@pytest.mark.parametrize(
    ("path", "value", "optimal"),
    [
        ([[0, 0], [0, 1], [1, 1]], 1.0, 1.0),
        ([[0, 0], [1, 0], [0, 0], [0, 1], [1, 1]], 1.0, 0.5),
        ([[0, 0], [1, 0], [1, 1]], 0.0, 0.0),
        ([[0, 0], [0, 1]], 0.0, 0.0),
        ([[0, 1], [1, 1]], 0.0, 0.0),
        ([[0, 0], "up", [1, 1]], 0.0, 0.0),
        ([], 0.0, 0.0),
        ("right, down", 0.0, 0.0),
    ],
)
def test_a_path_goes_from_start_to_end_over_open_edges(
    maze: Item, path: Any, value: float, optimal: float
) -> None:
    score = maze.grade(answered({"path": path}))
    assert (score.value, score.parts["optimal"]) == (value, optimal)


CALL = {"service": "Buses_1", "method": "FindBus"}


def called(**parameters: str) -> dict[str, Any]:
    return {**CALL, "parameters": [{"slot": s, "value": v} for s, v in parameters.items()]}


@pytest.fixture
def dialogue(tmp_path: Path) -> Item:
    folder = tmp_path / "sgd_dialog" / PART
    slot = {"description": "A city", "is_categorical": False, "possible_values": []}
    intent = {"name": "FindBus", "description": "Find", "required_slots": ["to"]}
    write_lines(
        folder / "schemas.jsonl",
        {
            "service_name": "Buses_1",
            "description": "Buses",
            "slots": [{"name": "to", **slot}],
            "intents": [{**intent, "optional_slots": {"seats": "1"}}],
        },
    )
    write_lines(
        folder / "dialogues.jsonl",
        {
            "id": "d",
            "services": ["Buses_1"],
            "turns": [{"speaker": "USER", "utterance": "A bus to Bonn.", "state": None}],
            "service_calls": [
                {**CALL, "turn": 1, "parameters": {"to": "Bonn"}},
                {**CALL, "turn": 3, "parameters": {"to": "Bonn", "seats": "2"}},
            ],
        },
    )
    return load_set("sgd_dialog", tmp_path)[0]


def test_a_plan_of_calls_is_right_in_whole_and_in_order(dialogue: Item) -> None:
    first, second = called(to="bonn"), called(seats="2", to="Bonn")
    right = dialogue.grade(answered({"calls": [first, second]}))
    assert (right.value, right.parts["f1"]) == (1.0, 1.0)
    turned = dialogue.grade(answered({"calls": [second, first]}))
    assert (turned.value, turned.parts["f1"]) == (0.0, 1.0)
    half = dialogue.grade(answered({"calls": [first]}))
    assert (half.value, half.parts["f1"]) == (0.0, 0.5)
    assert dialogue.grade(answered({"calls": [{"service": 3}]})).parts["f1"] == 0


def test_the_system_reads_the_dialogue_and_the_services(dialogue: Item) -> None:
    said, services = dialogue.question.documents
    assert said == "USER: A bus to Bonn."
    assert "Method FindBus: Find; needs to; may take seats" in services
