"""Headers and overlap through whole trees: read for context, cited truly, never counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from banyan import notices
from banyan.policy import BASE, Policies
from banyan.spans import size
from banyan.testing import ScriptedEngine
from tests.growing import TENANT, Grower, by_number, is_to_label, outcome, rule, sentences

CONTEXT_LINE = "This stands before the part that is to be read, and is for context only:"
FRUIT = ("apple", "pear")
WORDS = (*FRUIT, "hammer", "saw", "stone")
TABLE = "number,thing,remark\r\n" + "".join(
    f'{n},{WORDS[n * 7 % 5]},"it is\nnumber {n}, or so"\r\n' for n in range(600)
)  # fmt: skip
LABELS = ["fruit", "other"]


def labels_rows(prompt: str, properties: Mapping[str, Any], **asked: Any) -> dict[str, Any]:
    if "split" in properties:
        return {"brief": "", "split": {"goal": "label", "labels": LABELS, **asked}}
    if is_to_label(properties):
        assert CONTEXT_LINE in prompt
        assert "number,thing,remark" in prompt
        rows = re.findall(r"^\[\d+\] \d+,(\w+),", prompt, re.MULTILINE)
        assert len(rows) == len(properties["answer"]["properties"])
        return {"answer": by_number(["fruit" if thing in FRUIT else "other" for thing in rows])}
    [sums] = re.findall(r"\[1\] (.*in all\))", prompt)
    return {"answer": f"They are counted: {sums}", "citations": [1]}


@pytest.mark.parametrize("overlap", [0, 80])
async def test_rows_of_a_table_are_counted_once_by_readers_who_see_its_header(overlap: int) -> None:
    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        return labels_rows(prompt, properties, overlap=overlap)

    grower = Grower(ScriptedEngine(rule=rule(write), window=2_048))
    tree = await grower.grow("How many are fruit?", TABLE)
    assert tree.status == "completed"
    assert "other 360 times, fruit 240 times (600 in all)" in str(outcome(tree).answer)
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(TABLE))


async def test_overlapped_text_is_shown_apart_and_its_citation_stands_for_its_true_place() -> None:
    text = sentences(900)

    def cites_context(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        del prompt
        if "split" in properties:
            return {"brief": "", "split": {"goal": "look", "expects": None, "overlap": 100}}
        return {"answer": "what the first passage says", "citations": [1]}

    grower = Grower(ScriptedEngine(rule=rule(cites_context), window=2_048))
    tree = await grower.grow("What is it about?", text)
    assert tree.status == "completed"
    assert size(outcome(tree).covered) == len(text)
    nodes, _ = await grower.store.list_nodes(tree.id, offset=0, limit=1_000)
    leaves = [node.path for node in nodes if not node.num_children]
    assert len(leaves) > 2
    for path in leaves[1:]:
        [*_, turn] = await grower.turns(tree.id, path)
        before, part = turn.prompt_text.split(CONTEXT_LINE)[1].split("<document>")[1:3]
        node = await grower.store.get_node(tree.id, path)
        assert node.outcome is not None
        [cited] = node.outcome.citations
        quote = await grower.library.text(TENANT, cited)
        assert quote.strip() in before
        assert quote.strip() not in part
        assert cited.end <= node.outcome.covered[0].start


async def test_without_overlap_nothing_is_shown_beside_a_part() -> None:
    grower = Grower()
    tree = await grower.grow("What is it about?", sentences(900))
    for path in await grower.paths(tree.id):
        for turn in await grower.turns(tree.id, path):
            assert CONTEXT_LINE not in turn.prompt_text


async def test_a_policy_may_be_published_with_an_overlap() -> None:
    overlapping = BASE.model_copy(update={"overlap_tokens": 60})
    grower = Grower(policies=Policies([overlapping], live=overlapping.version))
    tree = await grower.grow("What is it about?", sentences(900))
    assert tree.status == "completed"
    [*_, turn] = await grower.turns(tree.id, "0.1")
    assert CONTEXT_LINE in turn.prompt_text


async def test_overlap_takes_at_most_a_part_of_the_window_however_much_is_asked() -> None:
    def greedy(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        del prompt
        if "split" in properties:
            return {"brief": "", "split": {"goal": "look", "expects": None, "overlap": 4_096}}
        return {"answer": "something or other", "citations": [1]}

    grower = Grower(ScriptedEngine(rule=rule(greedy), window=1_024))
    tree = await grower.grow("What is it about?", sentences(900))
    assert tree.status == "completed"
    assert size(outcome(tree).covered) == len(sentences(900))


async def test_a_header_too_long_for_the_window_is_told_of() -> None:
    header = "number," + ",".join(f"a long name {n}" for n in range(120))
    rows = "".join(f"{n}," + ",".join(["x"] * 120) + "\n" for n in range(80))
    grower = Grower(ScriptedEngine(window=1_024))
    tree = await grower.grow("What is it about?", f"{header}\n{rows}")
    assert notices.HEADER_LEFT_OUT in outcome(tree).notices
