"""The official fakes: least values of schemas, the default rule, the fake server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from banyan.action import Kind, parse
from banyan.errors import EngineUnavailable
from banyan.local import programs
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.processes import Processes
from banyan.local.vllm_server import wait_ready
from banyan.ports import Message
from banyan.schemas import EXPECTS, Bounds, open_schema, schema_for
from banyan.testing import (
    ANSWER,
    Faults,
    ScriptedEngine,
    counting_rule,
    default_rule,
    minimal,
    sections_rule,
)
from banyan.testing.faults import parse as parse_faults
from tests.engine.conftest import quiet
from tests.engine.dialogues import DIALOGUE, OPTIONS
from tests.engine.test_http import Connect, connect

__all__ = ["connect"]

KINDS: tuple[Kind, ...] = ("answer", "delegate", "read", "search", "note", "use")


def bounds(**changes: Any) -> Bounds:
    facts: dict[str, Any] = {
        "answer_tokens": 64,
        "num_passages": 3,
        "num_documents": 2,
        "max_parts": 8,
        "max_children": 8,
        "explicit_children": True,
        "tools": ("step",),
    }
    return Bounds(**(facts | changes))


def message(text: str) -> list[Message]:
    return [Message("user", text)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_value_of_every_kinds_schema_is_an_action(kind: Kind) -> None:
    schema = schema_for(kind, bounds())

    value = minimal(schema)

    Draft202012Validator(schema).validate(value)
    assert parse(json.dumps(value), kind).kind == kind


@pytest.mark.parametrize(
    "schema",
    [
        {"const": {"a": [1]}},
        {"enum": ["b", "a"]},
        {"anyOf": [{"type": "string", "minLength": 3}, {"type": "null"}]},
        {"type": ["integer", "null"], "minimum": 4},
        {"type": "number", "exclusiveMinimum": 1},
        {"type": "integer", "minimum": 5, "multipleOf": 4},
        {"type": "integer", "maximum": -3},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
        {"type": "array", "prefixItems": [{"type": "string"}], "minItems": 1},
        {"$defs": {"p": {"type": "string", "minLength": 1}}, "$ref": "#/$defs/p"},
        {"allOf": [{"type": "object", "required": ["a"]}, {"required": ["b"]}]},
        {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"type": "null"}}, "required": ["a"]},
        EXPECTS,
        {},
    ],
)
def test_the_least_value_is_valid(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(minimal(schema))


@given(low=st.integers(-50, 50), width=st.integers(0, 50))
def test_the_least_number_lies_within_its_bounds(low: int, width: int) -> None:
    value = minimal({"type": "integer", "minimum": low, "maximum": low + width})

    assert isinstance(value, int)
    assert low <= value <= low + width


def test_the_default_rule_answers_ok_with_a_citation() -> None:
    written = json.loads(default_rule(message("Goal: x"), schema_for("answer", bounds())))

    assert written == {"answer": ANSWER, "citations": [1]}


def test_the_default_rule_delegates_as_often_as_the_prompt_says() -> None:
    schema = schema_for("delegate", bounds(max_parts=1_000))

    written = json.loads(default_rule(message("Goal: fan-out 7"), schema))

    assert written["split"]["parts"] == 7
    Draft202012Validator(schema).validate(written)


def test_the_default_rule_lists_children_where_nothing_can_be_split() -> None:
    schema = schema_for("delegate", bounds(num_documents=0))

    written = json.loads(default_rule(message("Goal: fan-out 3"), schema))

    assert len(written["children"]) == 3
    Draft202012Validator(schema).validate(written)


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Goal: x", "answer"),
        ("Goal: fan-out 4", "delegate"),
        ("Goal: fan-out 4\n<results>\n[1] ok\n</results>", "answer"),
    ],
)
def test_the_default_rule_chooses_among_kinds(prompt: str, kind: str) -> None:
    schema = open_schema(("answer", "delegate"), bounds())

    written = default_rule(message(prompt), schema)

    assert parse(written).kind == kind
    Draft202012Validator(schema).validate(json.loads(written))


@given(st.text(alphabet="ab .,\n"), st.text(alphabet="ab .,\n"))
async def test_scripted_tokens_of_joined_texts_add_up(left: str, right: str) -> None:
    engine = ScriptedEngine()
    first = f"x{left} "

    whole = await engine.count(first + f"x{right}")

    assert whole == await engine.count(first) + await engine.count(f"x{right}")


async def test_a_scripted_engine_keeps_what_it_was_asked() -> None:
    engine = ScriptedEngine(rule=lambda messages, schema: f"{len(messages)} {schema is None}")
    prompt = await engine.render(DIALOGUE)

    completion = await engine.complete(prompt, schema=None, max_tokens=9, options=OPTIONS)

    assert completion.text == "2 True"
    assert [(call.kind, call.max_tokens) for call in engine.calls] == [("complete", 9)]


def test_the_counting_rule_adds_up_the_leaves_below() -> None:
    schema = schema_for("answer", bounds())
    results = message("Goal: fan-out 3\n<results>\n[1] 4\n[2] 1\n1\n[3] 2\n</results>")

    leaf = json.loads(counting_rule(message("Goal: fan-out 3"), schema))
    merged = json.loads(counting_rule(results, schema))

    assert (leaf["answer"], merged["answer"]) == ("1", "8")


def test_the_sections_rule_answers_under_the_heading_that_is_asked_for() -> None:
    asked = message("Respond with the fields, starting with the field `[[ ## answer ## ]]`, and")

    assert sections_rule(asked, None) == f"[[ ## answer ## ]]\n{ANSWER}\n\n[[ ## completed ## ]]"
    assert sections_rule(message("Are you well?"), None) == ANSWER


def test_faults_come_in_turn_at_every_nth_call() -> None:
    faults = Faults(every=3, kinds=("400", "late"))

    assert [faults.of_call(number) for number in range(1, 10)] == [
        *(None, None, "400"),
        *(None, None, "late"),
        *(None, None, "400"),
    ]
    assert Faults().of_call(7) is None


@pytest.mark.parametrize("names", ["400,no such fault", ""])
def test_unknown_faults_are_named(names: str) -> None:
    with pytest.raises(ValueError, match="wrong_schema"):
        parse_faults(names)


@pytest.fixture
async def failing_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A fake server whose every third completion fails."""
    url = f"http://{LOOPBACK}:{(port := free_port())}"
    argv = programs.command("banyan.testing", "--port", str(port), "--fail-every", "3")
    with Processes(tmp_path_factory.mktemp("failing-logs")) as processes:
        child = processes.start("failing", argv, env=programs.environment())
        wait_ready(child, url, quiet)
        yield url


async def test_the_fake_server_fails_when_told_and_counts(
    failing_server: str, connect: Connect
) -> None:
    http = connect(failing_server)
    body = {"messages": [{"role": "user", "content": "hi"}]}
    outcomes: list[bool] = []
    for _ in range(6):
        try:
            await http.post("/v1/chat/completions", body, dict[str, Any])
            outcomes.append(True)
        except EngineUnavailable:
            outcomes.append(False)

    stats = await http.get("/stats", dict[str, int])
    assert outcomes == [True, True, False, True, True, False]
    assert (stats["calls"], stats["failed"]) == (6, 2)
    arrivals = await http.get("/arrivals", list[float])
    assert (len(arrivals), arrivals) == (6, sorted(arrivals))
