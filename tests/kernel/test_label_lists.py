from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.action import MOST_LABELS
from banyan.label_lists import completed
from banyan.testing import ScriptedEngine
from tests.growing import Grower, by_number, is_to_label, outcome, rule


@pytest.mark.parametrize(
    "text",
    [
        "Each thing is one of 3 kinds: 'fruit', 'garden tool', 'toy'.",
        'Each thing is "fruit", "garden tool" or "toy".',
        "Kinds are `fruit`, `garden tool`, and `toy`; nothing else is sold.",
        "Kinds: \u201cfruit\u201d, \u201cgarden tool\u201d, \u201ctoy\u201d",
        "Which kind is rarest? Answer with one of the kinds: fruit, garden tool, toy.",
        "Take each thing as fruit, garden tool or toy.",
        "Kinds are fruit, garden tool, and toy. A toy is for children.",
        "They sell (kinds: fruit; garden tool; toy)\nand nothing else, as: apples, saws, dolls.",
    ],
)
@pytest.mark.parametrize("named", [("toy",), ("fruit", "garden tool"), ("Garden Tool", "TOY")])
def test_a_list_that_has_what_was_named_is_taken_whole(text: str, named: tuple[str, ...]) -> None:
    assert completed(named, ["Which is more common?", text]) == ("fruit", "garden tool", "toy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Is 'fruit' more common, less common, or as common as 'garden tool'?",
        "They sell fruit and garden tools, and since last year toys as well.",
        "Kinds: apples, saws, dolls.",
        "Kinds: fruit, toy, and whatever else it was that people brought us, garden tool.",
    ],
)
def test_without_such_a_list_it_stays_as_it_was(text: str) -> None:
    assert completed(("Fruit", "garden tool"), [text]) == ("Fruit", "garden tool")


def test_the_longest_list_is_taken_and_of_two_the_first() -> None:
    texts = ["Kinds: fruit, toy.", "Kinds: Toy, Fruit, Tool.", "Kinds: tool, fruit, toy."]
    assert completed(("toy",), texts) == ("Toy", "Fruit", "Tool")


def test_the_labels_stand_in_the_order_of_the_list() -> None:
    assert completed(("toy", "fruit"), ["Kinds: Fruit, Toy."]) == ("Fruit", "Toy")


def test_of_a_text_that_was_cut_the_last_item_is_no_label() -> None:
    assert completed(("fruit",), ["Kinds: fruit, tool, to…"]) == ("fruit", "tool")


def test_a_list_has_so_many_labels_and_no_more() -> None:
    text = f"Kinds: {', '.join(f'kind {number}' for number in range(50))}."
    assert len(completed(("kind 0",), [text])) == MOST_LABELS


def test_nothing_named_is_no_list() -> None:
    assert completed((), ["Kinds: fruit, toy."]) == ()


@given(
    st.lists(st.sampled_from(["fruit", "tool", "a toy"]), unique=True),
    st.lists(st.text(alphabet="'\": ,.;|ortasfui\n…", max_size=200), max_size=3),
)
def test_what_was_named_is_never_lost(labels: list[str], texts: list[str]) -> None:
    found = completed(labels, texts)
    assert {*labels} <= {label.casefold() for label in found}
    assert len({*found}) == len(found) <= MOST_LABELS


LISTED = "A shop sold these things, each of one of 3 kinds: 'fruit', 'tool', 'toy'.\n\n"
LABEL_OF = {"apple": "fruit", "hammer": "tool", "saw": "tool", "doll": "toy"}


def names_two(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Name two of three labels, and label what is shown."""
    if "split" in properties:
        return {"brief": "", "split": {"goal": "label", "labels": ["fruit", "tool"]}}
    if is_to_label(properties):
        return {
            "answer": by_number([LABEL_OF[word] for word in re.findall(r"sold: (\w+)", prompt)])
        }
    [sums] = re.findall(r"(\w+ \d+ times, .*in all\))", prompt)
    return {"answer": f"They are counted: {sums}", "citations": [1]}


async def test_an_agent_that_names_two_of_three_labels_has_all_three_counted() -> None:
    words = [[*LABEL_OF][number * 7 % 4] for number in range(200)]
    text = LISTED + "".join(f"No. {n} sold: {word}\n" for n, word in enumerate(words))
    engine = ScriptedEngine(rule=rule(names_two), window=1_024)
    tree = await Grower(engine).grow("Is fruit more common than a tool?", text)
    assert tree.status == "completed"
    assert "tool 100 times, fruit 50 times, toy 50 times (200 in all)" in str(outcome(tree).answer)


async def test_questions_about_the_same_labels_ask_the_same_of_readers() -> None:
    text = LISTED + "".join(f"No. {n} sold: {[*LABEL_OF][n * 7 % 4]}\n" for n in range(200))

    async def asked(goal: str, brief: str, named: list[str]) -> list[str]:
        def names(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
            if "split" in properties:
                return {"brief": brief, "split": {"goal": "label", "labels": named}}
            return names_two(prompt, properties)

        engine = ScriptedEngine(rule=rule(names), window=1_024)
        await Grower(engine).grow(goal, text)
        prompts = [call.prompt.messages[-1].content for call in engine.calls]
        return sorted(prompt for prompt in prompts if "Which label fits" in prompt)

    first = await asked("Is fruit more common than a tool?", "", ["fruit", "tool"])
    other = "How many of all the things that this shop has sold until now were toys for children?"
    assert first
    assert await asked(other, "It was a good year for shops. " * 5, ["fruit", "toy"]) == first


async def test_a_header_that_lists_labels_is_shown_whole() -> None:
    kinds = [f"kind number {number}" for number in range(18)]
    listed = f"Each thing is one of {len(kinds)} kinds: {', '.join(map(repr, kinds))}."
    assert 240 < len(listed) < 480
    text = f"{listed}\n\n" + "".join(f"No. {n} sold: apple\n" for n in range(400))
    engine = ScriptedEngine(rule=rule(names_two), window=1_024)
    await Grower(engine).grow("Summarise.", text)
    assert f"It begins: {listed}" in engine.calls[0].prompt.messages[-1].content
