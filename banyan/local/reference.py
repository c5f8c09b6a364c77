"""Reference: chapters of the Python language reference, which is on every machine with Python.

They come from `pydoc_data.topics`, joined as Markdown with a heading for each topic, always in the
same order, so that the same Python gives the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics

from banyan.local.errors import Missing

STATEMENTS: tuple[str, ...] = (
    "execmodel",
    "exceptions",
    "compound",
    "context-managers",
    "assert",
    "pass",
    "del",
    "return",
    "yield",
    "raise",
    "break",
    "continue",
    "import",
    "global",
    "nonlocal",
)
"""Statements and the execution model: about 84,000 characters, 20,000 tokens."""

_STATEMENTS_GOAL = (
    "What do these chapters say about exceptions: how are they raised, how are they handled, and "
    "what is cleaned up afterwards?"
)
_ALL_GOAL = "Summarize this reference: what does each of its chapters explain?"
_FILE_GOAL = "What are the main points of this document?"


@dataclass(frozen=True, slots=True)
class DemoDocument:
    """A text, where it comes from, and a question that fits it."""

    title: str
    text: str
    goal: str


def load(name: str) -> DemoDocument:
    """`default`, `long`, or the path of a UTF-8 text file. Raises Missing."""
    if name == "default":
        return DemoDocument("statements.md", join(STATEMENTS), _STATEMENTS_GOAL)
    if name == "long":
        return DemoDocument("language-reference.md", join(sorted(topics)), _ALL_GOAL)
    path = Path(name).expanduser()
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Missing(
            f"{name}: {error.strerror}", hint="Give `default`, `long` or the path of a text file."
        ) from error
    except UnicodeDecodeError as error:
        raise Missing(f"{name} is not UTF-8 text", hint="Give a text file.") from error
    if not text.strip():
        raise Missing(f"{name} is empty", hint="Give a text file with something in it.")
    return DemoDocument(path.name, text, _FILE_GOAL)


def join(names: tuple[str, ...] | list[str]) -> str:
    """The topics of these names that this Python has, each under a heading."""
    return "\n".join(f"# {name}\n\n{topics[name].strip()}\n" for name in names if name in topics)
