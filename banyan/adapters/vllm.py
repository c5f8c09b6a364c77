"""Engine adapter for vLLM's OpenAI server: token ids in and out, schemas, scores, adapters.

Prompts go to `/v1/completions` as token ids. Under a schema log-probabilities are masked and
renormalised; without one they are raw. A policy other than `base` is an adapter's name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import msgspec

from banyan.adapters import vllm_chat
from banyan.adapters.chat_format import (
    PROBE_PLAIN,
    PROBE_SYSTEM,
    Affixes,
    Guard,
    Run,
    cut,
    special_pieces,
)
from banyan.adapters.engine_http import EngineHttp, UnknownModel
from banyan.adapters.rendering import Format, Renderer
from banyan.adapters.token_prompt import check_prompt, check_size
from banyan.adapters.vllm_wire import ID, Reply, completion
from banyan.errors import EngineRefused, EngineUnavailable, NotLoaded
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


class _Model(msgspec.Struct):
    id: str
    max_model_len: int | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


class _Tokens(msgspec.Struct):
    tokens: list[int]
    token_strs: list[str] | None = None


class _Text(msgspec.Struct):
    prompt: str


class _TokenizerInfo(msgspec.Struct):
    added_tokens_decoder: dict[str, Any] = {}


class VllmEngine:
    """One vLLM server. Satisfies `banyan.ports.Engine`.

    `embeds`: it was started with `--enable-prompt-embeds`, which it tells nobody.
    """

    def __init__(
        self,
        http: EngineHttp,
        *,
        model: str = "",
        window: int | None = None,
        embeds: bool = False,
    ) -> None:
        self._http = http
        self._embeds = embeds
        self._model = model
        self._window = window
        self._renderer = Renderer(self)
        self._abilities: Abilities | None = None
        self._asking = asyncio.Lock()

    async def abilities(self) -> Abilities:
        if self._abilities is None:
            async with self._asking:
                self._abilities = self._abilities or await self._ask()
        return self._abilities

    async def _ask(self) -> Abilities:
        models = (await self._http.get("/v1/models", _Models)).data
        chosen = next((m for m in models if self._model in ("", m.id)), None)
        if chosen is None:
            served = ", ".join(model.id for model in models) or "nothing"
            raise EngineRefused(f"{self._http.base_url} serves {served}, not {self._model}")
        served_window = chosen.max_model_len or self._window
        if served_window is None:
            raise EngineRefused(
                f"{self._http.base_url} does not tell its window; is it a vLLM server?",
                hint="Set BANYAN_ENGINE_WINDOW, or BANYAN_ENGINE_KIND=openai.",
            )
        return Abilities(
            name="vllm",
            model=chosen.id,
            window=min(served_window, self._window or served_window),
            token_ids=True,
            scores=True,
            logprobs="masked",
            cache_salt=True,
            adapters=True,
            embeds=self._embeds,
        )

    async def count(self, text: str) -> int:
        return await self._renderer.count(text)

    async def render(self, messages: Sequence[Message]) -> Prompt:
        prompt = await self._renderer.render(messages)
        if not vllm_chat.has_vectors(messages):
            return prompt
        # Vectors have no token ids, so that the server renders this one.
        # It puts a line break between vectors and text.
        num_vectors = sum(message.embeds.num + 1 for message in messages if message.embeds)
        return Prompt(prompt.messages, None, prompt.num_tokens + num_vectors)

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        token_ids = {kind: await self._renderer.letter(text) for kind, text in letters.items()}
        body = await self._body(prompt, max_tokens=1, options=options)
        body["temperature"] = 0.0
        body["logprobs"] = 1
        body["logprob_token_ids"] = list(token_ids.values())
        started = time.monotonic()
        with _awaiting(options):
            reply = await self._ask_for(prompt, body)
        chosen = completion([reply], time.monotonic() - started)
        logprobs = reply.choices[0].logprobs
        found = logprobs.top_logprobs[0] if logprobs and logprobs.top_logprobs else None
        try:
            scores = {kind: (found or {})[f"{ID}{token}"] for kind, token in token_ids.items()}
        except KeyError as error:
            raise EngineRefused(
                f"{self._http.base_url} did not score the tokens it was asked for",
                hint="vLLM 0.32 or newer is needed (`logprob_token_ids`).",
            ) from error
        return scores, chosen

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
            body["structured_outputs"] = {"json": schema, "disable_any_whitespace": True}
        started = time.monotonic()
        with _awaiting(options):
            if on_delta is None:
                replies = [await self._ask_for(prompt, body)]
            else:
                replies = await self._stream(prompt, body, on_delta)
        return completion(replies, time.monotonic() - started)

    async def ping(self) -> None:
        await self._http.ok("/health")

    async def close(self) -> None:
        await self._http.close()

    # --- What the renderer asks --------------------------------------------------------------

    async def chat_format(self) -> Format:
        """The template: rendered to tokens, and those back to text; it may refuse a system."""
        plain = await self._probe(PROBE_PLAIN)
        try:
            with_system: str | None = await self._probe(PROBE_SYSTEM)
        except EngineRefused:
            with_system = None
        affixes = cut(plain, with_system)
        specials = await self._added_tokens() | await self._special_pieces(affixes)
        return Format(affixes, Guard(specials | {vllm_chat.SPLICE}))

    async def tokenize(self, run: Run) -> list[int]:
        """One text: content is guarded, so that control tokens come of markup alone."""
        body = {"prompt": "".join(piece.text for piece in run), "add_special_tokens": False}
        return (await self._http.post("/tokenize", body, _Tokens)).tokens

    async def _probe(self, messages: Sequence[Mapping[str, str]]) -> str:
        rendered = await self._http.post("/tokenize", {"messages": messages}, _Tokens)
        body = {"tokens": rendered.tokens}
        return (await self._http.post("/detokenize", body, _Text)).prompt

    async def _special_pieces(self, affixes: Affixes) -> set[str]:
        found: set[str] = set()
        for text in affixes.texts():
            body = {"prompt": text, "add_special_tokens": False, "return_token_strs": True}
            reply = await self._http.post("/tokenize", body, _Tokens)
            found |= special_pieces(reply.token_strs or [])
        return found

    async def _added_tokens(self) -> set[str]:
        """All of the tokenizer's control strings, where the server was started to tell them."""
        try:
            info = await self._http.get("/tokenizer_info", _TokenizerInfo)
        except EngineRefused:
            return set()
        return {text for text in info.added_tokens_decoder.values() if isinstance(text, str)}

    # --- Calls ---------------------------------------------------------------------------------

    async def _body(
        self, prompt: Prompt, *, max_tokens: int, options: CallOptions
    ) -> dict[str, Any]:
        abilities = await self.abilities()
        sampling = options.sampling
        vectors = vllm_chat.has_vectors(prompt.messages)
        check_size(prompt, abilities)
        body: dict[str, Any] = {
            "model": abilities.model if options.policy == OWN_WEIGHTS else options.policy,
            "prompt": () if vectors else check_prompt(prompt, abilities),
            "max_tokens": max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
            # A model's generation_config must not change the distribution that is sampled from.
            "top_k": 0,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "logprobs": 0,
            "return_tokens_as_token_ids": True,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if options.salt:
            body["cache_salt"] = options.salt
        if vectors:
            guard = (await self._renderer.format()).guard
            return vllm_chat.body(body, prompt.messages, guard)
        return body

    async def _ask_for(self, prompt: Prompt, body: dict[str, Any]) -> Reply:
        if vllm_chat.has_vectors(prompt.messages):
            return vllm_chat.flat(await self._http.post(vllm_chat.PATH, body, vllm_chat.ChatReply))
        return await self._http.post("/v1/completions", body, Reply)

    async def _stream(self, prompt: Prompt, body: dict[str, Any], on_delta: OnDelta) -> list[Reply]:
        replies: list[Reply] = []
        async with aclosing(self._events(prompt, body)) as events:
            async for reply in events:
                replies.append(reply)
                if reply.choices and reply.choices[0].text:
                    await on_delta(reply.choices[0].text)
        if not replies or replies[-1].usage is None:
            raise EngineUnavailable("the model server's stream ended before the completion did")
        return replies

    async def _events(self, prompt: Prompt, body: dict[str, Any]) -> AsyncGenerator[Reply, None]:
        body = {**body, "stream": True, "stream_options": {"include_usage": True}}
        if not vllm_chat.has_vectors(prompt.messages):
            async with aclosing(self._http.events("/v1/completions", body, Reply)) as events:
                async for reply in events:
                    yield reply
            return
        chat = self._http.events(vllm_chat.PATH, body, vllm_chat.ChatReply)
        async with aclosing(chat) as parts:
            async for part in parts:
                yield vllm_chat.flat(part)


@contextmanager
def _awaiting(options: CallOptions) -> Iterator[None]:
    """An adapter that the server does not know is one that it has not loaded yet."""
    try:
        yield
    except UnknownModel as error:
        if options.policy == OWN_WEIGHTS:
            raise
        raise NotLoaded(str(error)) from error
