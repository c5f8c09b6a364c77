"""Expressions: answers that are formulas, scored in a process of their own.

reasoning-gym reads formulas with SymPy, which evaluates text as Python. So only plain arithmetic
over a few known names gets there, and it gets a limited time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from banyan.local import programs

TIMEOUT_S = 60.0
MAX_CHARS = 600
FUNCTIONS = frozenset(
    {"exp", "log", "ln", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"}
    | {"tanh", "pi", "Integral"}
)
_PLAIN = re.compile(r"[0-9A-Za-z+\-*/(). ,\n]+")
_NAME = re.compile(r"[A-Za-z]+")
_VARIABLE = re.compile(r"[a-zXYZCEI]")
_POWER = re.compile(r"\*\*\s*(.{0,4})", re.DOTALL)
_SMALL_POWER = re.compile(r"-?\d{1,2}(?!\d)|\(")
_TOWER = re.compile(r"[\d)]\s*\*\*\s*\((?!-?\d{1,2}/\d{1,2}\))|\*\*\s*-?\w+\s*\*\*")
_ATTRIBUTE = re.compile(r"\.\s*[A-Za-z]|[A-Za-z)]\s*\.")
_MAX_POWERS_OF_SUMS = 2


def is_plain(text: str) -> bool:
    """Whether `text` is arithmetic that can be evaluated without harm, and soon."""
    if not text.strip() or len(text) > MAX_CHARS or not _PLAIN.fullmatch(text):
        return False
    if _ATTRIBUTE.search(text) or _TOWER.search(text):
        return False
    if len(re.findall(r"\)\s*\*\*", text)) > _MAX_POWERS_OF_SUMS:
        return False
    if not all(_SMALL_POWER.match(power[1]) for power in _POWER.finditer(text)):
        return False
    names = set(_NAME.findall(text))
    return all(name in FUNCTIONS or _VARIABLE.fullmatch(name) for name in names)


def score(dataset: str, config: Mapping[str, Any], answer: str, entry: Mapping[str, Any]) -> float:
    """The library's score; 0 for what is not plain, or takes longer than TIMEOUT_S."""
    if not is_plain(answer):
        return 0.0
    request = {"dataset": dataset, "config": dict(config), "answer": answer, "entry": dict(entry)}
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            programs.command("banyan.evaluation.expressions"),
            env=programs.environment(),
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return 0.0
    return float(json.loads(done.stdout))


def _main() -> None:
    from banyan.evaluation.scorers import score_answer  # noqa: PLC0415 - loads the library

    request = json.load(sys.stdin)
    value = score_answer(request["dataset"], request["config"], request["answer"], request["entry"])
    sys.stdout.write(json.dumps(value))


if __name__ == "__main__":
    _main()
