"""Conversation: from the turns of a chat to a goal and documents. Pure.

The rule, which docs/openai.md tells its readers:

- Instructions (`system`, `developer`) are a part of the goal, always.
- A user's text of at most MAX_INLINE_CHARS stays as it is. In a longer one, fenced parts become
  documents; where what is left is still longer, its first and its last paragraph stay, if they are
  short, and what lies between becomes a document. A mark, `[document 2]`, stands in its place.
- Earlier turns stand before what is asked now, as far as they are short, else as a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from service.facade.fences import fenced
from service.problems import Refused
from service.schemas import InputDocument

MAX_INLINE_CHARS = 2_000
"""About 500 tokens: a goal is read by every node."""
MAX_ASK_CHARS = 500
"""Of a first or last paragraph that says what to do with the text between them."""
MIN_FENCED_CHARS = 200

Role = Literal["instructions", "user", "assistant"]

_MARK = re.compile(r"\[document \d+\]")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: its text, and documents that it refers to by id."""

    role: Role
    text: str
    files: tuple[str, ...] = ()


def said(role: str, texts: Iterable[str], files: Iterable[str] = ()) -> Said:
    """A message of OpenAI's as a turn; `system` and `developer` are instructions."""
    known: Role = "instructions"
    if role in {"user", "assistant"}:
        known = "user" if role == "user" else "assistant"
    return Said(known, "\n\n".join(texts), tuple(files))


@dataclass(slots=True)
class Ask:
    """What is asked, over which documents. `num_given` documents came with the request itself."""

    num_given: int = 0
    goal: str = ""
    documents: list[InputDocument] = field(default_factory=list)

    def lift(self, document: InputDocument) -> str:
        """Take `document`; returns the mark that stands for it."""
        self.documents.append(document)
        return f"[document {self.num_given + len(self.documents)}]"


def ask_of(turns: Sequence[Said], *, num_given: int = 0) -> Ask:
    """The goal and the documents of a conversation that ends with what the user asks now.

    Raises Refused where nothing is asked.
    """
    if not turns or turns[-1].role != "user":
        raise Refused(
            "messages: the last message must be one of the user.",
            code="last_message_not_user",
            hint="End the conversation with what is asked now.",
            field="messages",
        )
    ask = Ask(num_given)
    instructions = [turn.text.strip() for turn in turns if turn.role == "instructions"]
    said = [(turn, _shortened(turn, ask)) for turn in turns if turn.role != "instructions"]
    is_asked = any(instructions) or any(asks for turn, (_, asks) in said if turn.role == "user")
    if not is_asked:
        raise Refused(
            "messages: all of it is taken for a document, and nothing says what to do with it.",
            code="nothing_asked",
            hint="Say what is asked in a message or a first or last paragraph of at most "
            f"{MAX_ASK_CHARS} characters.",
            field="messages",
        )
    *earlier, (_, (now, _)) = said
    context = _earlier([(turn.role, text) for turn, (text, _) in earlier], ask)
    parts = [*instructions, *([context, f"Now:\n{now}"] if context else [now])]
    ask.goal = "\n\n".join(part for part in parts if part)
    return ask


def _earlier(turns: list[tuple[Role, str]], ask: Ask) -> str:
    lines = [f"{role}: {text}" for role, text in turns if text]
    text = "\n\n".join(lines)
    if len(text) > MAX_INLINE_CHARS:
        text = ask.lift(InputDocument(text=text))
    return f"Earlier in this conversation:\n{text}" if text else ""


def _shortened(turn: Said, ask: Ask) -> tuple[str, bool]:
    """The turn's text with marks in place of documents, and whether it says anything beside."""
    marks = [ask.lift(InputDocument(id=file)) for file in turn.files]
    text = turn.text.strip()
    if turn.role == "user" and len(text) > MAX_INLINE_CHARS:
        text, own = _lifted(text, ask)
    else:
        own = text
    return "\n\n".join([part for part in (text, *marks) if part]), bool(own.strip())


def _lifted(text: str, ask: Ask) -> tuple[str, str]:
    """`text` with marks in place of what is long, and what is left of it without the marks."""
    own: list[str] = []
    shown: list[str] = []
    at = 0
    for found in fenced(text):
        if len(found.text) >= MIN_FENCED_CHARS:
            own.append(text[at : found.start])
            shown += [own[-1], ask.lift(InputDocument(text=found.text.strip("\n")))]
            at = found.end
    own.append(text[at:])
    shown.append(own[-1])
    left = "".join(own)
    if len(left) <= MAX_INLINE_CHARS:
        return "".join(shown).strip(), left
    head, middle, tail = _ask_and_text("".join(shown) if at else text)
    mark = ask.lift(InputDocument(text=middle))
    return "\n\n".join(part for part in (head, mark, tail) if part), _MARK.sub("", head + tail)


def _ask_and_text(text: str) -> tuple[str, str, str]:
    """The first and last paragraph where they are short, and what lies between; lines if one."""
    separator = _BLANK_LINE if _BLANK_LINE.search(text) else re.compile(r"\n")
    ends = [found.span() for found in separator.finditer(text)]
    head = tail = ""
    start, end = 0, len(text)
    if ends and ends[0][0] <= MAX_ASK_CHARS:
        head, start = text[: ends[0][0]], ends[0][1]
    if ends and len(text) - ends[-1][1] <= MAX_ASK_CHARS and ends[-1][0] >= start:
        tail, end = text[ends[-1][1] :], ends[-1][0]
    return head.strip(), text[start:end].strip("\n"), tail.strip()
