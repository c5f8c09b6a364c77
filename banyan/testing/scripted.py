"""A scripted engine: an `Engine` inside the process that writes what a rule says.

Its tokens are words and punctuation with the white space behind them, so that counts are exact and
the tokens of a text joined to another are the tokens of both, as long as they part at white space.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from banyan.action import Kind
from banyan.errors import AbilityMissing, EngineRefused, PromptTooLong
from banyan.ports import Abilities, CallOptions, Choice, Completion, Message, OnDelta, Prompt, Role
from banyan.testing.prefix_cache import PrefixCache
from banyan.testing.rules import Rule, default_rule

Scores = Callable[[Sequence[Message], Sequence[Kind]], Mapping[Kind, float]]

_TOKEN = re.compile(r"\w+\s*|[^\w\s]+\s*|\s+")
_ROLES: dict[Role, int] = {"system": 1, "user": 2, "assistant": 3}
END = 4
"""The token id that ends every message."""
_FIRST_WORD = 16
_LOGPROB = -0.125
"""Of every sampled token; exact in binary, so that sums can be compared."""


def prefer_answer(messages: Sequence[Message], kinds: Sequence[Kind]) -> Mapping[Kind, float]:
    """Scores under which `answer` wins by far, and the others follow in their order."""
    del messages
    return {kind: -1.0 if kind == "answer" else -8.0 - index for index, kind in enumerate(kinds)}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the engine got."""

    kind: Literal["complete", "choose"]
    prompt: Prompt
    schema: Mapping[str, Any] | None
    max_tokens: int
    options: CallOptions


@dataclass(slots=True)
class ScriptedEngine:
    """Satisfies `banyan.ports.Engine`.

    `rule` writes replies and may raise; `scores` answers `choose` (None: the engine cannot).
    `hold` is awaited in every call before its reply: a test keeps calls in flight with it. With
    `token_ids` false it takes messages alone, as OpenAI-compatible servers do. `cache` models what
    it would not compute again, by the salt of each call.
    """

    rule: Rule = default_rule
    scores: Scores | None = prefer_answer
    window: int = 2_048
    token_ids: bool = True
    embeds: bool = False
    cache: PrefixCache | None = None
    hold: Callable[[Call], Awaitable[None]] | None = None
    calls: list[Call] = field(default_factory=list)
    num_rendered: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    closed: bool = False

    async def abilities(self) -> Abilities:
        return Abilities(
            name="scripted",
            model="scripted",
            window=self.window,
            token_ids=self.token_ids,
            scores=self.scores is not None,
            logprobs="raw" if self.token_ids else None,
            cache_salt=True,
            adapters=True,
            embeds=self.embeds,
        )

    async def count(self, text: str) -> int:
        return len(tokenize(text))

    async def render(self, messages: Sequence[Message]) -> Prompt:
        self.num_rendered += 1
        if not messages or messages[-1].role == "system":
            raise EngineRefused("a dialogue ends with a message of the user or the assistant")
        token_ids: list[int] = []
        for message in messages:
            if message.role == "prefix":
                token_ids += message.token_ids or ()
                if token_ids[-1:] != [END]:
                    token_ids.append(END)
                continue
            token_ids.append(_ROLES[message.role])
            if message.role == "assistant" and message.token_ids is not None:
                token_ids += message.token_ids
                ended = message.token_ids[-1:] == (END,)
            else:
                token_ids += tokenize(message.content)
                ended = False
            if not ended:
                token_ids.append(END)
        if messages[-1].role == "assistant":
            if not self.token_ids:
                raise AbilityMissing("this engine cannot go on with a prefilled reply")
            if token_ids[-1] == END:
                token_ids.pop()
        else:
            token_ids.append(_ROLES["assistant"])
        vectors = [message.embeds for message in messages if message.embeds]
        if vectors and not self.embeds:
            raise AbilityMissing("this engine takes no prompt embeddings")
        known = tuple(token_ids) if self.token_ids and not vectors else None
        num_vectors = sum(part.num for part in vectors)
        return Prompt(tuple(messages), known, len(token_ids) + num_vectors)

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        if self.scores is None:
            raise AbilityMissing("this engine does not score given tokens")
        cached_tokens = await self._call(Call("choose", prompt, None, 1, options))
        # A test that asks for other choices than kinds gives scores that know them.
        score = cast("Callable[..., Mapping[Choice, float]]", self.scores)
        scores = dict(score(prompt.messages, tuple(letters)))
        best = max(scores, key=lambda kind: scores[kind])
        return scores, self._kept(
            options.salt, prompt, self._completion(prompt, letters[best], 1), cached_tokens
        )

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        cached_tokens = await self._call(Call("complete", prompt, schema, max_tokens, options))
        room = min(max_tokens, self.window - prompt.num_tokens)
        completion = self._completion(prompt, self.rule(prompt.messages, schema), room)
        if on_delta is not None:
            for piece in _TOKEN.findall(completion.text):
                await on_delta(piece)
        return self._kept(options.salt, prompt, completion, cached_tokens)

    async def ping(self) -> None:
        """Always up."""

    async def close(self) -> None:
        self.closed = True

    async def _call(self, call: Call) -> int:
        """Count the call and keep it in flight for as long as `hold` wants; tokens in the cache."""
        if call.prompt.num_tokens >= self.window:
            raise PromptTooLong(
                f"the prompt has {call.prompt.num_tokens} tokens, the window {self.window}"
            )
        self.calls.append(call)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        found, token_ids = 0, call.prompt.token_ids
        if self.cache is not None and token_ids is not None:
            found = self.cache.find(call.options.salt, token_ids)
            self.cache.keep(call.options.salt, token_ids)
        try:
            if self.hold is not None:
                await self.hold(call)
        finally:
            self.in_flight -= 1
        return found

    def _kept(self, salt: str, prompt: Prompt, reply: Completion, cached_tokens: int) -> Completion:
        """The reply, after which the cache has its tokens and those of its prompt."""
        if self.cache is not None and prompt.token_ids is not None:
            self.cache.keep(salt, (*prompt.token_ids, *(reply.token_ids or ())))
        return replace(reply, cached_tokens=cached_tokens)

    def _completion(self, prompt: Prompt, text: str, room: int) -> Completion:
        pieces = _TOKEN.findall(text)
        token_ids = (*tokenize(text), END)
        cut = len(token_ids) > room
        return Completion(
            text="".join(pieces[:room]) if cut else text,
            finish_reason="length" if cut else "stop",
            prompt_tokens=prompt.num_tokens,
            completion_tokens=min(len(token_ids), room),
            token_ids=token_ids[:room] if self.token_ids else None,
            logprobs=(_LOGPROB,) * min(len(token_ids), room) if self.token_ids else None,
            engine="scripted",
        )


def tokenize(text: str) -> list[int]:
    """One id a word, the same in every process."""
    return [_FIRST_WORD + zlib.crc32(word.encode()) for word in _TOKEN.findall(text)]
