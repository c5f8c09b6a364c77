"""Texts of every layout, made of numbered units, so that a test can tell where one begins."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

WORDS = "Some words that say what happened. And some more; nothing else follows here."


def transcript(count: int) -> str:
    names = ["Ann Lee", "Bob", "Prof. Ü"]
    return "".join(
        f"{names[(n * n + n // 2) % 3]}: turn {n}. {WORDS}\nand the line goes on.\n\n"
        for n in range(count)
    )


def timed_transcript(count: int) -> str:
    return "".join(
        f"[00:{n // 60:02}:{n % 60:02}] Speaker {1 + n % 2}: turn {n}. {WORDS}\nIt goes on.\n"
        for n in range(count)
    )


def table(count: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "name", "text"])
    for n in range(count):
        writer.writerow([n, f"name, {n}", f'He said "{n}".\n\n# No heading\n{WORDS}\n- a, b'])
    return out.getvalue()


def json_lines(count: int) -> str:
    return "".join(json.dumps({"id": n, "text": f"{WORDS}\n"}) + "\n" for n in range(count))


def json_array(count: int, indent: int | None = None) -> str:
    items = [
        {"id": n, "text": f'"[{{,"\\ {WORDS}', "inner": [{"a": 1}, {"b": [2, 3]}]}
        for n in range(count)
    ]
    return json.dumps(items, indent=indent)


def pretty_json(count: int) -> str:
    return json_array(count, 2)


def numbered(count: int) -> str:
    return "".join(f"{n + 1}. item {n}\n   {WORDS}\n\n   More.\n" for n in range(count))


def log_lines(count: int) -> str:
    return "What happened, a line each.\n\n" + "".join(
        f"2026-11-{n % 30 + 1:02}T0{n % 10}:00:00Z line {n}. {WORDS}\n" for n in range(count)
    )


def labelled_lines(count: int) -> str:
    return "".join(f"User: {n % 7} || line {n}. {WORDS}\n" for n in range(count))


def python_code(count: int) -> str:
    body = "    if x:\n\n        return 1\n    # a remark\n\n    y = x + 1\n    return y\n"
    return "import os\n\n\n" + "\n\n".join(
        f"# What follows is number {n}.\n@cached\ndef function_{n}(x: int) -> int:\n{body}"
        for n in range(count)
    )


def c_code(count: int) -> str:
    return "#include <stdio.h>\n\n" + "".join(
        f"/* number {n} */\nstatic int f{n}(int x)\n{{\n    if (x) {{\n\n        return 1;\n"
        f"    }}\n    return x + {n};\n}}\n"
        for n in range(count)
    )


def markdown(count: int) -> str:
    block = "```python\n# no heading\n\nx = 1\n\n\ny = 2\n```\n"
    return "".join(f"## Part {n}\n\n{WORDS}\n\n{block}\n" for n in range(count))


MAKERS: dict[str, Callable[[int], str]] = {
    "transcript": transcript,
    "csv": table,
    "json_lines": json_lines,
    "json_array": json_array,
    "numbered": numbered,
    "lines": log_lines,
    "code": python_code,
    "prose": markdown,
}
