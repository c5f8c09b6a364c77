"""Judge: a model that says whether a quote supports a sentence.

Where the model server gives log-probabilities, it is asked twice with yes and no under either
letter, so that a liking for a letter cancels; the score is the mean of the log odds. Elsewhere it
writes yes or no under a JSON Schema, at temperature 0, and there is no score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from banyan.errors import BanyanError, EngineRefused
from banyan.evaluation.support.sample import Pair
from banyan.ports import CallOptions, Engine, Message

Word = Literal["yes", "no"]

_ORDERS: tuple[Mapping[Word, str], ...] = ({"yes": "A", "no": "B"}, {"no": "A", "yes": "B"})
_SCHEMA = {
    "type": "object",
    "properties": {"supported": {"enum": ["yes", "no"]}},
    "required": ["supported"],
    "additionalProperties": False,
}
_MAX_TOKENS = 32
_SYSTEM = "You check whether a passage supports a statement. You are exact."
_MEANING = {
    "yes": "yes, the passage says so, or it follows from the passage",
    "no": "no, the passage does not say so",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`log_odds` of yes, in nats, where the engine tells them. `error`: there is no verdict."""

    supported: bool | None
    log_odds: float | None = None
    error: str | None = None


class Judge:
    """The engine belongs to who made it and is not closed here."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._options = CallOptions(salt="judge")

    async def ask(self, pair: Pair) -> Verdict:
        """The verdict; an engine's error becomes one without an answer."""
        try:
            if (await self._engine.abilities()).scores:
                return await self._by_letters(pair)
            return await self._in_words(pair)
        except BanyanError as error:
            return Verdict(None, error=f"{error.code}: {error}")

    async def _by_letters(self, pair: Pair) -> Verdict:
        odds = []
        for letters in _ORDERS:
            choices = "\n".join(f"{letter}: {_MEANING[word]}" for word, letter in letters.items())
            prompt = await self._engine.render(
                messages(pair, f"{choices}\n\nReply with the letter alone.")
            )
            logprobs, _ = await self._engine.choose(prompt, letters, self._options)
            odds.append(logprobs["yes"] - logprobs["no"])
        log_odds = sum(odds) / len(odds)
        return Verdict(log_odds > 0, log_odds)

    async def _in_words(self, pair: Pair) -> Verdict:
        prompt = await self._engine.render(
            messages(pair, 'Reply with JSON: {"supported": "yes"} or {"supported": "no"}.')
        )
        completion = await self._engine.complete(
            prompt, schema=_SCHEMA, max_tokens=_MAX_TOKENS, options=self._options
        )
        try:
            word = json.loads(completion.text)["supported"]
        except (ValueError, KeyError, TypeError) as error:
            raise EngineRefused(f"the judge wrote {completion.text[:80]!r}") from error
        return Verdict(word == "yes")


def messages(pair: Pair, how: str) -> tuple[Message, ...]:
    """What the judge reads; `how` says how it replies."""
    return (
        Message("system", _SYSTEM),
        Message(
            "user",
            f"<passage>\n{pair.quote}\n</passage>\n"
            f"<question>\n{pair.question}\n</question>\n"
            f"<statement>\n{pair.sentence}\n</statement>\n\n"
            "The statement stands in an answer to the question. Does the passage support the "
            f"statement?\n{how}",
        ),
    )
