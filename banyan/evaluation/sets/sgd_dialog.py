"""Planning the service calls of long dialogues, from Schema-Guided Dialogue (arXiv 1909.05855).

Metric: plan accuracy, the whole sequence of calls exactly right, in any case of letters. `f1`: over
(service, method, slot=value). The system reads the dialogue, both speakers, and the services.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, object_of
from banyan.evaluation.metrics import f1
from banyan.evaluation.question import Answered, Question, Score

ANSWER_TOKENS = 512
_GOAL = (
    "The first document is a dialogue of a user with an assistant, the second one describes the "
    "services. List in order every call that the assistant makes to a service for the user: "
    "the service, the method, and the value of each slot that the call needs. Today is 2019-03-01. "
    "Dates are YYYY-MM-DD, times are HH:MM in 24 hours."
)
_TEXT = {"type": "string"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "calls": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "service": _TEXT,
                    "method": _TEXT,
                    "parameters": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"slot": _TEXT, "value": _TEXT},
                            "required": ["slot", "value"],
                            "additionalProperties": False,
                        },
                    },
                },
                "required": ["service", "method", "parameters"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["calls"],
    "additionalProperties": False,
}

Call = tuple[str, str, frozenset[tuple[str, str]]]


class _Turn(Row):
    speaker: str
    utterance: str


class _Call(Row):
    service: str
    method: str
    parameters: dict[str, str]


class _Dialogue(Row):
    id: str
    services: tuple[str, ...]
    turns: tuple[_Turn, ...]
    service_calls: tuple[_Call, ...]


class _Slot(Row):
    name: str
    description: str
    is_categorical: bool
    possible_values: tuple[str, ...]


class _Intent(Row):
    name: str
    description: str
    required_slots: tuple[str, ...]
    optional_slots: dict[str, str]


class _Service(Row):
    service_name: str
    description: str
    slots: tuple[_Slot, ...]
    intents: tuple[_Intent, ...]


def load(data: Path) -> list[Item]:
    folder = data / "sgd_dialog" / PART
    services = {one.service_name: one for one in rows(folder / "schemas.jsonl", _Service)}
    items = []
    for row in rows(folder / "dialogues.jsonl", _Dialogue):
        dialogue = "\n".join(f"{turn.speaker}: {turn.utterance}" for turn in row.turns)
        described = "\n\n".join(_describe(services[name]) for name in row.services)
        question = Question(
            id=row.id,
            bucket=f"{len(row.services)} services" if len(row.services) > 1 else "1 service",
            goal=_GOAL,
            documents=(dialogue, described),
            answer_schema=_SCHEMA,
            answer_tokens=ANSWER_TOKENS,
        )
        gold = tuple(_call(one.service, one.method, one.parameters) for one in row.service_calls)
        items.append(Item(question, partial(grade, gold=gold)))
    return items


def grade(answered: Answered, gold: tuple[Call, ...]) -> Score:
    """The plan that was answered against the calls that were made."""
    calls = _calls(object_of(answered).get("calls"))
    return Score(float(calls == list(gold)), {"f1": f1(_triples(calls), _triples(list(gold)))})


def _calls(value: object) -> list[Call]:
    calls = []
    for one in value if isinstance(value, list) else []:
        match one:
            case {"service": str(service), "method": str(method), "parameters": list(slots)}:
                found = {
                    slot["slot"]: slot["value"]
                    for slot in slots
                    if isinstance(slot, dict)
                    and isinstance(slot.get("slot"), str)
                    and isinstance(slot.get("value"), str)
                }
                calls.append(_call(service, method, found))
    return calls


def _call(service: str, method: str, parameters: dict[str, str]) -> Call:
    slots = frozenset((name.casefold(), value.casefold()) for name, value in parameters.items())
    return service.casefold(), method.casefold(), slots


def _triples(calls: list[Call]) -> list[tuple[str, str, tuple[str, str]]]:
    return [(service, method, slot) for service, method, slots in calls for slot in slots]


def _describe(service: _Service) -> str:
    lines = [f"Service {service.service_name}: {service.description}"]
    for intent in service.intents:
        slots = ", ".join(intent.required_slots) or "none"
        optional = ", ".join(intent.optional_slots)
        lines.append(
            f"Method {intent.name}: {intent.description}; needs {slots}"
            + (f"; may take {optional}" if optional else "")
        )
    for slot in service.slots:
        values = f" (one of: {', '.join(slot.possible_values)})" if slot.is_categorical else ""
        lines.append(f"Slot {slot.name}: {slot.description}{values}")
    return "\n".join(lines)
