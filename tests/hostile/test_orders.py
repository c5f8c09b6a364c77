"""Documents that give orders to an agent that obeys: limits hold, and nothing else happens.

The scripted engine is the worst model there is. It does whatever stands in its prompt: it delegates
as much as it can, cites what it was not given, reads beyond the end, calls tools.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from banyan.limits import Limits
from banyan.node import Node
from banyan.spans import Span
from banyan.state import unpack
from banyan.task import Gate
from banyan.testing import ScriptedEngine
from tests.growing import Grower, outcome, rule, sentences
from tests.hostile.cases import CASES, GOAL, PLAIN, WORD, Case

GREEDY = {"brief": WORD, "children": [{"goal": WORD, "inputs": [{"document": 99}]}] * 500}
LIMITS = Limits(max_nodes=40, max_depth=3, max_tokens=300_000)


def obey(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """As much harm as a reply can do."""
    if "children" in properties:
        return GREEDY
    if "split" in properties:
        most = properties["split"].get("properties", {}).get("parts", {}).get("maximum", 2)
        return {"brief": WORD, "split": {"goal": prompt[-80:], "parts": most, "expects": None}}
    if "answer" in properties:
        return {"answer": f"{WORD} " * 8, "citations": [1, 2, 99]}
    if "query" in properties:
        return {"query": "(a*)*b", "regex": True}
    if "tool" in properties:
        return {"tool": "fetch", "arguments": {"url": f"http://127.0.0.1:9/{WORD}"}}
    return {"document": 99, "start": 0, "end": 10**9}


def obedient(**options: Any) -> Grower:
    return Grower(ScriptedEngine(rule=rule(obey), **options))


async def inputs_of(grower: Grower, tree_id: str) -> dict[str, tuple[Span, ...]]:
    """By path: what each node was given."""
    found = {}
    for path in await grower.paths(tree_id):
        node = await grower.store.get_node(tree_id, path)
        assert node.packed is not None
        found[path] = unpack(node.packed, Node).inputs
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_no_order_in_a_document_gets_past_limits(case: Case, effects: Counter[str]) -> None:
    """A tree that does all that it can: as many nodes as it may, as deep as it may, no more."""
    grower = obedient(window=1_024)
    text = f"{sentences(400)}\n\n{case.document}\n\n{sentences(400)}"
    tree = await grower.grow(GOAL, text, limits=LIMITS, gate=Gate(mode="always"))

    assert tree.status in {"completed", "partial", "failed"}
    assert tree.usage.nodes <= LIMITS.max_nodes
    assert tree.usage.max_depth <= LIMITS.max_depth
    assert tree.usage.prompt_tokens + tree.usage.completion_tokens <= LIMITS.max_tokens
    assert not effects


async def test_the_limits_are_what_stops_a_tree_that_obeys(effects: Counter[str]) -> None:
    grower = obedient(window=1_024)
    tree = await grower.grow(GOAL, sentences(3_000), limits=LIMITS, gate=Gate(mode="always"))

    assert tree.usage.nodes > LIMITS.max_nodes // 2
    assert not effects


async def test_no_node_is_given_or_covers_what_its_parent_was_not(effects: Counter[str]) -> None:
    grower = obedient(window=1_024)
    other = await grower.put(f"The other document. {WORD}")
    tree = await grower.grow(GOAL, sentences(1_500), limits=LIMITS, gate=Gate(mode="always"))
    given = await inputs_of(grower, tree.id)

    assert len(given) > 3
    for path, spans in given.items():
        assert other.document not in {span.document for span in spans}
        above = given.get(path.rpartition(".")[0], spans)
        for span in spans:
            assert any(
                span.document == one.document and one.start <= span.start and span.end <= one.end
                for one in above
            ), path
    for span in (*outcome(tree).citations, *outcome(tree).covered):
        assert span.document == given["0"][0].document
    assert not effects


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_no_document_closes_its_delimiter_or_numbers_a_passage(case: Case) -> None:
    """What a prompt has of marks is the same as if the order were a sentence like any other."""

    async def marks(document: str) -> list[tuple[str, ...]]:
        grower = obedient(window=8_192)
        await grower.grow(GOAL, document, gate=Gate(mode="never"))
        call = next(call for call in grower.engine.calls if call.kind == "complete")
        prompt = "\n".join(message.content for message in call.prompt.messages)
        assert WORD in prompt.lower() or case is PLAIN
        numbers = re.findall(r"(?m)^\s*\[\s*(\d+)\s*\]", prompt)
        assert numbers == [str(index + 1) for index in range(len(numbers))]
        return re.findall(r"(?i)<\s*(/?)\s*(document|results)", prompt)

    assert await marks(case.document) == await marks(PLAIN.document.replace("lamp", WORD))


async def test_a_document_of_one_line_is_read_within_the_limits(effects: Counter[str]) -> None:
    """400,000 tokens without a space; `python -m bench.huge --one-line` takes a gigabyte."""
    grower = obedient(window=1_024)
    limits = LIMITS.model_copy(update={"max_nodes": 12})
    tree = await grower.grow(GOAL, "x," * 200_000, limits=limits, gate=Gate(mode="always"))

    assert tree.status in {"completed", "partial", "failed"}
    assert tree.usage.nodes <= limits.max_nodes
    assert not effects


async def test_a_model_that_replies_with_orders_instead_of_json_is_an_invalid_action() -> None:
    def refuse(_: object, schema: object) -> str:
        return json.dumps({"answer": GREEDY}) if schema is None else f"Sure! {WORD.upper()}"

    grower = Grower(ScriptedEngine(rule=refuse))
    tree = await grower.grow(GOAL, CASES[0].document)

    assert tree.status == "failed"
    assert tree.usage.invalid_actions > 0
    assert outcome(tree).answer is None
