"""Engine adapter for llama.cpp's server: token ids in and out, schemas, raw log-probabilities.

Log-probabilities are of the unmasked distribution even under a schema. There is no cache salt and
there are no adapters to load. A schema that its grammar compiler does not understand is dropped by
the server in silence, so replies under a schema are checked here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from banyan.adapters.chat_format import (
    PROBE_PLAIN,
    PROBE_SYSTEM,
    Content,
    Guard,
    Markup,
    Run,
    cut,
    special_pieces,
)
from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.rendering import Format, Renderer
from banyan.adapters.token_prompt import check_prompt
from banyan.errors import AbilityMissing, EngineRefused, EngineUnavailable
from banyan.ports import (
    OWN_WEIGHTS,
    Abilities,
    CallOptions,
    Choice,
    Completion,
    Message,
    OnDelta,
    Prompt,
)

NUM_CANDIDATES = 256
"""Log-probabilities to ask for; letters that are not among them are asked for one by one."""
PENALTY_TOKENS = 256
"""How far back a frequency penalty counts; here the prompt's end is counted too."""
FORCE = 1_000.0
"""A bias (nats) that beats every other token."""

_SPACING = {"whitespace_flexible": False, "key_separator": ": ", "item_separator": ", "}
"""Left free, small models fill the reply with the white space that JSON allows."""

_FIELDS = [
    "content", "tokens", "stop", "stop_type", "tokens_predicted", "tokens_evaluated",
    "completion_probabilities", "timings/cache_n",
]  # fmt: skip


class _Settings(msgspec.Struct):
    n_ctx: int


class _Props(msgspec.Struct):
    default_generation_settings: _Settings
    model_alias: str = ""


class _Rendered(msgspec.Struct):
    prompt: str


class _Tokens(msgspec.Struct):
    tokens: list[int]


class _Piece(msgspec.Struct):
    id: int
    piece: str | list[int]


class _Pieces(msgspec.Struct):
    tokens: list[_Piece]


class _Candidate(msgspec.Struct):
    id: int
    logprob: float


class _Position(msgspec.Struct):
    id: int
    logprob: float
    top_logprobs: list[_Candidate] = []


class _Reply(msgspec.Struct):
    """A completion, or one event of its stream."""

    content: str = ""
    tokens: list[int] = []
    stop: bool = False
    stop_type: str = ""
    tokens_predicted: int = 0
    tokens_evaluated: int = 0
    completion_probabilities: list[_Position] = []
    cache_n: int = msgspec.field(name="timings/cache_n", default=0)


class LlamaEngine:
    """One llama.cpp server. Satisfies `banyan.ports.Engine`."""

    def __init__(self, http: EngineHttp, *, model: str = "", window: int | None = None) -> None:
        self._http = http
        self._model = model
        self._window = window
        self._renderer = Renderer(self)
        self._markup: dict[str, list[int]] = {}
        self._abilities: Abilities | None = None
        self._asking = asyncio.Lock()

    async def abilities(self) -> Abilities:
        if self._abilities is None:
            async with self._asking:
                self._abilities = self._abilities or await self._ask()
        return self._abilities

    async def _ask(self) -> Abilities:
        props = await self._http.get("/props", _Props)
        served = props.default_generation_settings.n_ctx
        return Abilities(
            name="llama.cpp",
            model=self._model or props.model_alias,
            window=min(served, self._window or served),
            token_ids=True,
            scores=True,
            logprobs="raw",
        )

    async def count(self, text: str) -> int:
        return await self._renderer.count(text)

    async def render(self, messages: Sequence[Message]) -> Prompt:
        return await self._renderer.render(messages)

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        token_ids = {kind: await self._renderer.letter(text) for kind, text in letters.items()}
        body = await self._body(prompt, max_tokens=1, options=options)
        body |= {"n_probs": NUM_CANDIDATES, "temperature": 0.0}
        started = time.monotonic()
        reply = await self._http.post("/completion", body, _Reply)
        candidates = reply.completion_probabilities[0].top_logprobs
        found = {candidate.id: candidate.logprob for candidate in candidates}
        for token_id in token_ids.values():
            if token_id not in found:
                found[token_id] = await self._logprob(body, token_id)
        scores = {kind: found[token_id] for kind, token_id in token_ids.items()}
        return scores, _completion([reply], reply.content, time.monotonic() - started)

    async def _logprob(self, body: dict[str, Any], token_id: int) -> float:
        """Of a token far down the ranking: a bias makes it the one that is sampled.

        What the server tells of a sampled token is its raw log-probability, without the bias. The
        prompt is cached by now, so that this costs one token; all 49,152 of a small vocabulary at
        once are 5 MB of JSON.
        """
        forced = {**body, "n_probs": 1, "logit_bias": [[token_id, FORCE]]}
        position = (await self._http.post("/completion", forced, _Reply)).completion_probabilities[
            0
        ]
        if position.id != token_id:
            raise EngineRefused("the model server did not score the tokens it was asked for")
        return position.logprob

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        body = await self._body(prompt, max_tokens=max_tokens, options=options)
        if schema is not None:
            body["json_schema"] = {**schema, "x-guidance": _SPACING}
        started = time.monotonic()
        if on_delta is None:
            replies = [await self._http.post("/completion", body, _Reply)]
        else:
            replies = await self._stream(body, on_delta)
        text = "".join(reply.content for reply in replies)
        completion = _completion(replies, text, time.monotonic() - started)
        if schema is not None:
            _check_json(completion)
        return completion

    async def ping(self) -> None:
        await self._http.ok("/health")

    async def close(self) -> None:
        await self._http.close()

    # --- What the renderer asks --------------------------------------------------------------

    async def chat_format(self) -> Format:
        """The template from `/apply-template`; a template may refuse a system message."""
        plain = await self._http.post("/apply-template", {"messages": PROBE_PLAIN}, _Rendered)
        try:
            reply = await self._http.post("/apply-template", {"messages": PROBE_SYSTEM}, _Rendered)
            with_system: str | None = reply.prompt
        except (EngineRefused, EngineUnavailable):  # an exception of the template is a 500
            with_system = None
        affixes = cut(plain.prompt, with_system)
        specials: set[str] = set()
        for text in affixes.texts():
            body = {"content": text, "add_special": False, "with_pieces": True}
            pieces = (await self._http.post("/tokenize", body, _Pieces)).tokens
            specials |= special_pieces(p.piece for p in pieces if isinstance(p.piece, str))
            self._markup[text] = [piece.id for piece in pieces]
        begin = await self._http.post("/tokenize", {"content": "", "add_special": True}, _Tokens)
        return Format(affixes, Guard(specials), tuple(begin.tokens))

    async def tokenize(self, run: Run) -> list[int]:
        """Mixed input: ids of markup as they are, content as text that has no control tokens."""
        mixed: list[int | str] = []
        for piece in run:
            if isinstance(piece, Content):
                mixed.append(piece.text)
            else:
                mixed += await self._markup_ids(piece)
        if not any(isinstance(part, str) for part in mixed):
            return [part for part in mixed if isinstance(part, int)]
        body = {"content": mixed, "add_special": False, "parse_special": False}
        return (await self._http.post("/tokenize", body, _Tokens)).tokens

    async def _markup_ids(self, markup: Markup) -> list[int]:
        await self._renderer.format()
        return self._markup[markup.text]

    # --- Calls ---------------------------------------------------------------------------------

    async def _body(
        self, prompt: Prompt, *, max_tokens: int, options: CallOptions
    ) -> dict[str, Any]:
        abilities = await self.abilities()
        if options.policy != OWN_WEIGHTS or options.weights:
            raise AbilityMissing(f"{abilities.name} serves no policy but its own weights")
        sampling = options.sampling
        body: dict[str, Any] = {
            "prompt": check_prompt(prompt, abilities),
            "n_predict": max_tokens,
            "n_probs": 1,
            "return_tokens": True,
            "response_fields": _FIELDS,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "samplers": ["temperature", "top_p"],
        }
        if sampling.frequency_penalty:
            body["samplers"] = ["penalties", *body["samplers"]]
            body["frequency_penalty"] = sampling.frequency_penalty
            body["repeat_last_n"] = PENALTY_TOKENS
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        return body

    async def _stream(self, body: dict[str, Any], on_delta: OnDelta) -> list[_Reply]:
        replies: list[_Reply] = []
        async with aclosing(
            self._http.events("/completion", {**body, "stream": True}, _Reply)
        ) as events:
            async for reply in events:
                replies.append(reply)
                if reply.content:
                    await on_delta(reply.content)
        if not replies or not replies[-1].stop:
            raise EngineUnavailable("the model server's stream ended before the completion did")
        return replies


def _completion(replies: Sequence[_Reply], text: str, seconds: float) -> Completion:
    last = replies[-1]
    token_ids = tuple(token for reply in replies for token in reply.tokens)
    positions = [position for reply in replies for position in reply.completion_probabilities]
    return Completion(
        text=text,
        finish_reason="length" if last.stop_type == "limit" else "stop",
        prompt_tokens=last.tokens_evaluated,
        completion_tokens=last.tokens_predicted,
        cached_tokens=last.cache_n,
        token_ids=token_ids,
        logprobs=tuple(position.logprob for position in positions),
        seconds=seconds,
        engine="llama.cpp",
    )


def _check_json(completion: Completion) -> None:
    """Raise EngineRefused where the reply shows that the schema was not enforced."""
    if completion.finish_reason == "length":
        return
    try:
        msgspec.json.decode(completion.text)
    except msgspec.DecodeError as error:
        raise EngineRefused(
            "the model server did not keep to the JSON Schema: it has a feature that llama.cpp's "
            "grammar compiler does not know"
        ) from error
