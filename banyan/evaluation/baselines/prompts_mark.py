"""Prompts mark: a hash of every word that the baselines say, so that new words are new answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache

from banyan.evaluation.baselines import prompts
from banyan.evaluation.baselines.prompts import GAP, NOTHING, Messages

_SCHEMA = {"type": "object"}


@cache
def prompts_mark() -> str:
    """Twelve hexadecimal digits."""
    return mark_of(_said())


def mark_of(said: list[Messages]) -> str:
    """A hash of what is said in these dialogues and of the two fixed strings."""
    dialogues = [[asdict(message) for message in dialogue] for dialogue in said]
    return hashlib.sha256(json.dumps([dialogues, GAP, NOTHING]).encode()).hexdigest()[:12]


def _said() -> list[Messages]:
    """Each prompt in each of its forms, with the caller's words as letters."""
    return [
        prompts.single("", "G", None),
        prompts.single("T", "G", _SCHEMA),
        prompts.part("T", "G"),
        prompts.collapse(["R", "S"], "G"),
        prompts.combine(["R", "S"], "G", _SCHEMA),
        prompts.refine("", "T", "G"),
        prompts.refine("N", "T", "G"),
        prompts.finish("N", "T", "G", _SCHEMA),
    ]
