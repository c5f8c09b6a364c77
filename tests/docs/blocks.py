"""Blocks: the fenced code blocks of a Markdown file, and the commands in those of the shell."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "docs" / "reference.md"
"""Made of the OpenAPI document, whose examples are checked against its schemas."""

_FENCE = re.compile(
    r"^```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block, the file that it stands in, and the line of its first fence."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every document of the project."""
    folders = (ROOT / "docs", ROOT / "helm")
    return [*sorted(ROOT.glob("*.md")), *(p for of in folders for p in sorted(of.rglob("*.md")))]


def blocks_of(path: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(path, text.count("\n", 0, found.start()) + 1, found["language"], found["text"])
        for found in _FENCE.finditer(text)
    ]


def links_of(path: Path) -> list[str]:
    """The targets of all links outside of code blocks that do not leave the project."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    targets = [found["target"] for found in _LINK.finditer(text)]
    return [target for target in targets if not target.startswith(("http://", "https://", "#"))]


def commands_of(text: str) -> list[list[str]]:
    """The commands of a shell block as lists of words, without assignments before them.

    A command ends with its line, except inside quotes or behind a backslash. Raises ValueError for
    a quote that is never closed.
    """
    commands: list[list[str]] = []
    waiting = ""
    for line in text.splitlines():
        waiting += line
        if line.endswith("\\"):
            waiting = waiting[:-1]
            continue
        try:
            words = shlex.split(waiting, comments=True)
        except ValueError:  # a quote goes on in the next line
            waiting += "\n"
            continue
        waiting = ""
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        if words:
            commands.append(words)
    if waiting:
        raise ValueError(f"a quote is not closed: {waiting!r}")
    return commands
