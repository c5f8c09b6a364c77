"""Records that are selected, or counted, by their fields, through whole trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from banyan import notices, selection
from banyan.budget import Budget
from banyan.errors import EngineRefused
from banyan.in_process import grow
from banyan.policy import BASE, Policies
from banyan.state import unpack
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from tests.growing import NEVER_VALID, TENANT, Grower, by_number, is_to_label, outcome, rule

FRUIT = ("apple", "pear")
WORDS = (*FRUIT, "hammer", "saw", "stone")
PREAMBLE = "These are the things that people bought, one per line.\n\n"
LINES = [
    f"Date: {'May' if n % 4 else 'Jun'} {n % 28 + 1:02}, 2023 || User: {n % 30} "
    f"|| Thing: {WORDS[n * 7 % 5]} number {n}\n"
    for n in range(600)
]
LIST = PREAMBLE + "".join(LINES)
LABELS = ["fruit", "other"]
OF_TWO = "How many things of users 7 and 10 are fruit?"
CHOSEN = [line for n, line in enumerate(LINES) if n % 30 in {7, 10}]


class Agent:
    """Writes what is offered of `split`; keeps what that is, and the prompts of readers."""

    def __init__(self, **split: Any) -> None:
        self.split = split
        self.offered: Mapping[str, Any] = {}
        self.read: list[str] = []

    def __call__(self, prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            self.offered = properties["split"]["properties"]
            asked = {name: one for name, one in self.split.items() if name in self.offered}
            return {"brief": "", "split": {"goal": "label", "expects": None, **asked}}
        if "query" in properties:
            return {"query": "apple"}
        if "answer" in properties and is_to_label(properties):
            self.read.append(prompt)
            things = re.findall(r"Thing: (\w+)", prompt)
            return {"answer": by_number(["fruit" if one in FRUIT else "other" for one in things])}
        self.read.append(prompt)
        shown = re.search(r"\[(\d+)\] ((?:Date|\d+,|fruit|other|records).*)", prompt)
        reply = {"answer": f"It reads: {shown[2][:90] if shown else 'nothing'}"}
        cites = "citations" in properties
        return reply | ({"citations": [int(shown[1]) if shown else 1]} if cites else {})


def grower(agent: Agent, window: int = 1_024, **changes: Any) -> Grower:
    policies = Policies([BASE.model_copy(update=changes)], live=BASE.version)
    return Grower(ScriptedEngine(rule=rule(agent), window=window), policies=policies)


async def test_only_records_with_the_values_that_are_named_are_read_and_counted() -> None:
    agent = Agent(labels=LABELS, where={"User": ["7", "10"]})
    grown = grower(agent)
    tree = await grown.grow(OF_TWO, LIST)
    assert tree.status == "completed"
    readers = [prompt for prompt in agent.read if "Labels: fruit, other" in prompt]
    shown = [line for prompt in readers for line in re.findall(r"\] (Date: .*)", prompt)]
    assert sorted(shown) == sorted(line.strip() for line in CHOSEN)
    assert all("things that people bought" in prompt for prompt in readers)
    num_fruit = sum(any(word in line for word in FRUIT) for line in CHOSEN)
    assert f"fruit {num_fruit} times" in str(outcome(tree).answer)
    assert f"({len(CHOSEN)} in all)" in str(outcome(tree).answer)
    assert notices.RECORDS_SELECTED in outcome(tree).notices
    texts = [await grown.library.text(TENANT, span) for span in outcome(tree).covered]
    assert texts == CHOSEN
    assert outcome(tree).citations == outcome(tree).covered


async def test_what_a_goal_names_and_nothing_else_is_offered() -> None:
    agent = Agent(labels=LABELS)
    await grower(agent).grow(OF_TWO, LIST)
    assert agent.offered["where"]["properties"] == {
        "User": {"type": "array", "items": {"enum": ["7", "10"]}, "maxItems": 2}
    }
    assert agent.offered["count_by"] == {"enum": ["User", None]}
    await grower(agent).grow("How many are fruit?", LIST)
    assert {"where", "count_by"}.isdisjoint(agent.offered)


async def test_who_is_not_asked_for_objects_is_not_asked_for_fields() -> None:
    agent = Agent()
    await grower(agent, structured_children=False).grow(OF_TWO, LIST)
    assert {"where", "count_by"}.isdisjoint(agent.offered)


@pytest.mark.parametrize("labels", [[], ["User ID", "Date"]])
async def test_values_of_a_field_are_counted_without_a_reader(labels: list[str]) -> None:
    agent = Agent(count_by="User", labels=labels)
    more = "Date: May 30, 2023 || User: 12 || Thing: saw\n"
    tree = await grower(agent).grow("Which user bought the most things?", LIST + more)
    assert tree.status == "completed"
    assert tree.usage.nodes == 1
    [prompt] = agent.read
    assert "records by User: 12 (21), 0 (20)" in prompt
    assert "most common: 12; least common: 0, 1, 2, 3, 4, 5, 6, 7, and 21 more" in prompt
    assert "different values: 30; records in all: 601" in prompt
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(LIST + more))
    assert outcome(tree).notices == ()


async def test_values_are_counted_of_those_records_that_are_named() -> None:
    agent = Agent(count_by="User", where={"Date": ["June"]})
    tree = await grower(agent).grow("Which user bought the most things in June?", LIST)
    [prompt] = agent.read
    assert "different values: 15; records in all: 150" in prompt
    assert outcome(tree).notices == (notices.RECORDS_SELECTED,)


async def test_labels_are_what_is_counted_where_a_field_is_written_too() -> None:
    agent = Agent(count_by="User", labels=LABELS, where={"User": ["7", "10"]})
    tree = await grower(agent).grow(OF_TWO, LIST)
    assert f"({len(CHOSEN)} in all)" in str(outcome(tree).answer)


async def test_few_records_are_read_and_cited_by_who_selected_them() -> None:
    agent = Agent(where={"User": ["8"], "Date": ["June"]})
    grown = grower(agent)
    tree = await grown.grow("What did user 8 buy in June?", LIST)
    assert (tree.status, tree.usage.nodes) == ("completed", 1)
    june = [line for n, line in enumerate(LINES) if n % 30 == 8 and not n % 4]
    assert re.findall(r"\] (Date: .*)", agent.read[-1]) == [line.strip() for line in june]
    [cited] = outcome(tree).citations
    assert await grown.library.text(TENANT, cited) == june[0]


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ({}, "records like that 0 times (0 in all)"),
        ({"labels": LABELS}, "fruit 0 times, other 0 times (0 in all); fruit and other are equal"),
        ({"count_by": "User"}, "records by User: none"),
    ],
)
async def test_where_no_record_is_chosen_nothing_is_read(split: dict[str, Any], told: str) -> None:
    agent = Agent(where={"User": ["7"], "Date": ["June"]}, **split)
    tree = await grower(agent).grow("What did user 7 buy in June?", LIST)
    assert (tree.status, tree.usage.nodes) == ("completed", 1)
    [prompt] = agent.read
    assert f"[1] {told}" in prompt
    assert outcome(tree).notices == (notices.RECORDS_SELECTED,)


@pytest.mark.parametrize("where", [{"Colour": ["red"]}, {"User": ["7"], "Colour": ["red"]}])
async def test_a_field_that_there_is_not_is_told(where: dict[str, list[str]]) -> None:
    agent = Agent(where=where)
    grown = grower(agent, window=4_096)
    tree = await grown.grow(OF_TWO, LIST, gate=Gate(mode="always"))
    assert tree.status == "completed"
    asked = [call.prompt.messages[-1].content for call in grown.engine.calls]
    assert any("selected: no record has the field 'Colour'" in prompt for prompt in asked)
    assert "where" not in agent.offered  # and so all of it was divided
    assert tree.usage.nodes > 2


async def test_more_records_than_can_be_kept_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_CHOSEN", 30)
    agent = Agent(where={"User": ["7", "10"]})
    grown = grower(agent, window=4_096)
    tree = await grown.grow(OF_TWO, LIST, gate=Gate(mode="always"))
    assert tree.status == "completed"
    asked = [call.prompt.messages[-1].content for call in grown.engine.calls]
    assert any("selected: more than 30 records are like that" in prompt for prompt in asked)
    assert notices.RECORDS_SELECTED not in outcome(tree).notices


async def test_rows_of_a_table_keep_its_header() -> None:
    table = "number,User,thing\n" + "".join(
        f"{n},{n % 30},{WORDS[n * 7 % 5]}\n" for n in range(600)
    )
    agent = Agent(where={"User": ["7", "10"]})
    tree = await grower(agent).grow("What did users 7 and 10 buy?", table)
    assert tree.status == "completed"
    assert all("number,User,thing" in prompt for prompt in agent.read if "7,7," in prompt)
    assert any("7,7," in prompt for prompt in agent.read)


NOTES = "Notes of the shop, of no particular order. " * 3


async def test_what_has_no_fields_is_read_beside_the_chosen_records() -> None:
    agent = Agent(where={"User": ["7"]})
    grown = grower(agent, window=2_048)
    tree = await grown.grow("What did user 7 buy?", LIST, NOTES)
    assert tree.status == "completed"
    assert "Notes of the shop" in agent.read[-1]
    assert "User: 7 " in agent.read[-1]
    assert "User: 8 " not in agent.read[-1]


async def test_what_has_no_fields_is_neither_labelled_nor_counted() -> None:
    agent = Agent(labels=LABELS, where={"User": ["7", "10"]})
    tree = await grower(agent).grow(OF_TWO, LIST, NOTES)
    assert f"({len(CHOSEN)} in all)" in str(outcome(tree).answer)
    assert not any("Notes of the shop" in prompt for prompt in agent.read)
    agent = Agent(count_by="User")
    tree = await grower(agent).grow("Which user bought the most?", LIST, NOTES)
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(LIST))


async def test_a_policy_that_is_not_on_offer_is_invalid_before_anything_is_chosen() -> None:
    agent = Agent(where={"User": ["7"]}, labels=LABELS)

    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        reply = agent(prompt, properties)
        if "split" in reply:
            reply["split"]["policy"] = "made-up"
        return reply

    grown = Grower(ScriptedEngine(rule=rule(write), window=1_024))
    tree = await grown.grow("What did user 7 buy?", LIST, gate=Gate(mode="always"))
    assert await grown.tries(tree) == NEVER_VALID
    assert notices.RECORDS_SELECTED not in outcome(tree).notices


async def test_a_tree_that_is_resumed_still_tells_that_records_were_selected() -> None:
    is_down = True
    agent = Agent(labels=LABELS, where={"User": ["7", "10"]})

    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if is_down and "Labels: fruit, other" in prompt and "User: 7 || Thing: stone" in prompt:
            raise EngineRefused("not now")
        return agent(prompt, properties)

    grown = Grower(ScriptedEngine(rule=rule(write), window=1_024))
    tree = await grown.grow(OF_TWO, LIST)
    assert notices.CHILD_FAILED in outcome(tree).notices
    is_down = False
    task = unpack(tree.task, Task)
    _, hints = await grown.store.resume(tree.id, extra=Budget(tokens=0, nodes=0), deadline_s=600.0)
    resumed = await grow(task, grown.ports, resumed=(tree.id, hints))
    assert resumed.status == "completed"
    assert f"({len(CHOSEN)} in all)" in str(outcome(resumed).answer)
    assert outcome(resumed).notices == (notices.RECORDS_SELECTED,)
    assert resumed.usage.nodes == tree.usage.nodes
