"""llama-index-core: its asynchronous workers (`run_jobs`) over completions of a model of its kind.

The model is a `CustomLLM` on OpenAI's client. Its package `llama-index-llms-openai` does the same
on an older major version of that client, which all peers here would then have to share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from llama_index.core.async_utils import run_jobs
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from openai import AsyncOpenAI
from pydantic import PrivateAttr

from bench.peer_runs import measuring
from bench.peer_runs.measuring import Run, Server


class Model(CustomLLM):  # type: ignore[misc]  # the package is not in the environment of mypy
    """Asked asynchronously, without retries."""

    _server: Server = PrivateAttr()
    _client: AsyncOpenAI = PrivateAttr()

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._client = AsyncOpenAI(
            base_url=server.v1, api_key="none", max_retries=0, timeout=measuring.TIMEOUT_S
        )

    @property
    def metadata(self) -> Any:
        return LLMMetadata(context_window=1_000_000, num_output=64)

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - the package's signature
        del formatted, kwargs
        reply = await self._client.chat.completions.create(
            model=self._server.model, messages=[{"role": "user", "content": prompt}]
        )
        return CompletionResponse(text=reply.choices[0].message.content or "")

    def complete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("this model is asked asynchronously alone")

    def stream_complete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("this model is asked asynchronously alone")


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    model = Model(server)

    async def ask(prompt: str) -> str:
        return str((await model.acomplete(prompt)).text)

    async def run(num_children: int) -> Sequence[str]:
        await ask(measuring.ROOT_PROMPT)
        jobs = [ask(measuring.child_prompt(number)) for number in range(num_children)]
        answers: list[str] = await run_jobs(jobs, workers=server.width)
        await ask(measuring.merge_prompt(answers))
        return answers

    yield measuring.on_one_loop(run)


if __name__ == "__main__":
    measuring.main(peer)
