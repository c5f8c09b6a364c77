"""The answer follows the caller's schema, or the solve fails, says so, and has the best text."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from banyan.client import AsyncClient
from banyan.client.report import print_result
from banyan.client.results import SolveResult
from banyan.ports import Message
from banyan.testing import ScriptedEngine
from tests.service.house import TEXT
from tests.service.served import Served
from tests.service.working import working

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "boss": {"$ref": "#"},
        "born": {"type": "string", "format": "date"},
    },
    "required": ["name"],
}


class Writer:
    """Writes one answer after another, the last one again and again."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self.schemas: list[Mapping[str, Any] | None] = []

    def __call__(self, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        """The next reply."""
        del messages
        self.schemas.append(schema)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return json.dumps({"answer": answer, "citations": [1]})


async def solved(served: Served, writer: Writer) -> SolveResult:
    async with (
        working(served.house, ScriptedEngine(rule=writer)),
        AsyncClient(served.url) as banyan,
    ):
        return await banyan.solve("Who is it?", texts=[TEXT], answer_schema=PERSON)


async def test_an_answer_that_breaks_its_schema_is_written_again(served: Served) -> None:
    writer = Writer({"name": "Ada", "boss": {}}, {"name": "Ada", "born": "1815-12-10"})
    result = await solved(served, writer)

    assert result.status == "completed"
    assert result.answer == {"name": "Ada", "born": "1815-12-10"}
    assert (result.usage.invalid_actions, result.usage.retries) == (1, 1)


async def test_the_engine_gets_a_schema_whose_references_lead_somewhere(served: Served) -> None:
    writer = Writer({"name": "Ada"})
    await solved(served, writer)

    schema = writer.schemas[0]
    assert schema is not None
    assert schema["properties"]["answer"] == {"$ref": "#/$defs/answer_schema"}
    person = schema["$defs"]["answer_schema"]
    assert person["properties"]["boss"] == {"$ref": "#/$defs/answer_schema"}


async def test_a_solve_whose_answer_never_follows_its_schema_fails_with_the_text(
    served: Served,
) -> None:
    result = await solved(served, Writer({"name": "Ada", "born": "in December"}))

    assert (result.status, result.answer) == ("failed", None)
    assert result.error is not None
    assert result.error.code == "schema_mismatch"
    assert "answer/born" in result.error.message
    assert "in December" not in result.error.message
    assert json.loads(result.error.text or "")["answer"]["born"] == "in December"
    shown = io.StringIO()
    print_result(Console(file=shown), result)
    assert "in December" in shown.getvalue()
