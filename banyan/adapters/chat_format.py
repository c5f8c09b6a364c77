"""Chat format: a model's own template as the pieces of text that stand between messages.

A server renders a probe dialogue once; cutting it at sentinels gives the affixes. A prompt is then
put together from affixes (markup), message text (content) and earlier replies (exactly the token
ids that were sampled), so that a longer dialogue begins with the tokens of the shorter one.
Content can never form a control token: `Guard` breaks every string that could become one. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from banyan.errors import EngineRefused
from banyan.ports import Message

WORD_JOINER = "\u2060"

SYSTEM_MARK = "@@S@@"
USER_MARK = "@@U@@"
ASSISTANT_MARK = "@@A@@"
NEXT_MARK = "@@N@@"

_TURNS = (
    {"role": "user", "content": USER_MARK},
    {"role": "assistant", "content": ASSISTANT_MARK},
    {"role": "user", "content": NEXT_MARK},
)
PROBE_PLAIN: tuple[Mapping[str, str], ...] = _TURNS
"""The dialogue to render without a system message."""
PROBE_SYSTEM: tuple[Mapping[str, str], ...] = (
    {"role": "system", "content": SYSTEM_MARK},
    *_TURNS,
)
"""The dialogue to render with a system message; a template may refuse it."""


@dataclass(frozen=True, slots=True)
class Affixes:
    """The text of a template around messages. `system_prefix` is None where it has no system."""

    system_prefix: str | None
    system_to_user: str
    user_prefix: str
    """What a dialogue without a system message begins with."""
    user_to_assistant: str
    """The generation prompt: generation begins right behind it."""
    assistant_to_user: str

    def texts(self) -> tuple[str, ...]:
        """All of them, without those that are missing or empty."""
        all_texts = (
            self.system_prefix,
            self.system_to_user,
            self.user_prefix,
            self.user_to_assistant,
            self.assistant_to_user,
        )
        return tuple(text for text in all_texts if text)


@dataclass(frozen=True, slots=True)
class Markup:
    """Text of the template; its control tokens count as such."""

    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """Text of a message, guarded: nothing in it is a control token."""

    text: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """A reply as the engine sampled it."""

    token_ids: tuple[int, ...]


Piece = Markup | Content
Run = tuple[Piece, ...]
"""Pieces to tokenise in one call."""


def cut(plain: str, with_system: str | None) -> Affixes:
    """Affixes from the rendered probes; `with_system` is None where the template refused it.

    Raises EngineRefused where a template drops or repeats a message.
    """
    user_prefix, _, assistant_to_user, generation = _between(
        plain, USER_MARK, ASSISTANT_MARK, NEXT_MARK
    )
    if with_system is None or with_system.count(SYSTEM_MARK) != 1:
        return Affixes(None, "", user_prefix, generation, assistant_to_user)
    prefix, to_user, _, _, _ = _between(
        with_system, SYSTEM_MARK, USER_MARK, ASSISTANT_MARK, NEXT_MARK
    )
    return Affixes(prefix, to_user, user_prefix, generation, assistant_to_user)


def _between(text: str, *marks: str) -> list[str]:
    parts = re.split("|".join(map(re.escape, marks)), text)
    if re.findall("|".join(map(re.escape, marks)), text) != list(marks):
        raise EngineRefused(
            "the model's chat template does not keep every message once and in order",
            hint="Serve an instruction-tuned model whose template takes several turns.",
        )
    return parts


# Strings that tokenizers of common model families take for control tokens, apart from those that
# the affixes and the server name: <|...|> with ASCII or full-width bars, Llama's and Gemma's.
_GENERIC = (
    r"<[|\uff5c][^<>]{0,64}[|\uff5c]>|</?s>|<(?:pad|unk|bos|eos|mask|cls|sep)>"
    r"|</?(?:start|end)_of_(?:turn|image|text)>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|"
    r"TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\]|<</?SYS>>|</?(?:think|tool_call|tool_response)>"
)
_SPECIAL_PIECE = re.compile(r"[<\[]\S{1,80}[>\]]")


class Guard:
    """Breaks control strings in content by a word joiner behind their first character."""

    def __init__(self, specials: Iterable[str]) -> None:
        known = sorted(special_pieces(specials), key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, known), _GENERIC]))

    def __call__(self, text: str) -> str:
        """`text` with nothing in it that could become a control token; otherwise unchanged."""
        if "<" not in text and "[" not in text:
            return text
        # A string that is broken can complete another one, as in `<s<s>>`: until nothing matches.
        while self._pattern.search(text):
            text = self._pattern.sub(_broken, text)
        return text


def _broken(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found[0]}{WORD_JOINER}{found[1:]}"


def special_pieces(pieces: Iterable[str]) -> set[str]:
    """Those texts of single tokens that look like control tokens, as in `<|im_end|>`, `[INST]`."""
    return {piece.strip() for piece in pieces if _SPECIAL_PIECE.fullmatch(piece.strip())}


def assemble(messages: Sequence[Message], affixes: Affixes, guard: Guard) -> list[Run | Sampled]:
    """The dialogue in pieces: runs of text to tokenise, and replies that are tokens already.

    An optional system message, then user and assistant in turn; neighbours of one role are joined
    by an empty line. A last message of the assistant stands right behind the generation prompt, in
    a run of its own. Behind a `prefix` the dialogue goes on with a message of the user. Raises
    EngineRefused for another order.
    """
    if messages and messages[0].role == "prefix":
        return _behind(messages[0], messages[1:], affixes, guard)
    system, turns = _fold(messages, has_system=affixes.system_prefix is not None)
    parts: list[Run | Sampled] = []
    run: list[Piece] = []
    if system is not None:
        run += [Markup(affixes.system_prefix or ""), Content(guard(system))]
        run += [Markup(affixes.system_to_user)]
    else:
        run += [Markup(affixes.user_prefix)]
    last = len(turns) - 1
    for index, turn in enumerate(turns):
        if turn.role == "user":
            run += [Content(guard(turn.content)), Markup(affixes.user_to_assistant)]
            continue
        parts.append(_solid(run))
        run = []
        if turn.token_ids is not None:
            parts.append(Sampled(turn.token_ids))
        else:
            run.append(Content(guard(turn.content)))
        if index < last:
            run.append(Markup(affixes.assistant_to_user))
    parts.append(_solid(run))
    return [part for part in parts if part]


def _behind(
    prefix: Message, messages: Sequence[Message], affixes: Affixes, guard: Guard
) -> list[Run | Sampled]:
    """The prefix as one reply that was sampled, and what follows it."""
    reply = Message("assistant", "", prefix.token_ids or ())
    whole = assemble([Message("user", ""), reply, *messages], affixes, guard)
    opening = next(index for index, part in enumerate(whole) if isinstance(part, Sampled))
    return whole[opening:]


def _solid(run: Sequence[Piece]) -> Run:
    return tuple(piece for piece in run if piece.text)


def _fold(messages: Sequence[Message], *, has_system: bool) -> tuple[str | None, list[Message]]:
    """The system text (folded into the first user message where there is no place for it)."""
    turns = list(messages)
    system = turns.pop(0).content if turns and turns[0].role == "system" else None
    if (
        not turns
        or turns[0].role != "user"
        or any(turn.role in ("system", "prefix") for turn in turns)
    ):
        raise EngineRefused("a dialogue is an optional system message, then user and assistant")
    joined: list[Message] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            if turn.role == "assistant":
                raise EngineRefused("a dialogue has two replies in a row")
            joined[-1] = Message("user", f"{joined[-1].content}\n\n{turn.content}")
        else:
            joined.append(turn)
    if system is not None and not has_system:
        joined[0] = Message("user", f"{system}\n\n{joined[0].content}")
        system = None
    return system, joined
