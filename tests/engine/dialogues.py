"""Dialogues and schemas that the engine tests share."""

from __future__ import annotations

from typing import Any

from banyan.ports import CallOptions, Message, Sampling

OPTIONS = CallOptions(salt="tests:base")
SAMPLED = CallOptions(salt="tests:base", sampling=Sampling(temperature=1.0, seed=7))

SYSTEM = Message("system", "Be brief.")
QUESTION = Message("user", "What is the capital of France?")
DIALOGUE = (SYSTEM, QUESTION)

ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string", "maxLength": 40},
        "citations": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 3},
            "minItems": 1,
            "maxItems": 2,
        },
    },
    "required": ["answer", "citations"],
    "additionalProperties": False,
}
