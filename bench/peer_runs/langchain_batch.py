"""langchain: `abatch` of a ChatOpenAI with `max_concurrency`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from bench.peer_runs import measuring
from bench.peer_runs.measuring import Run, Server


def chat(server: Server) -> ChatOpenAI:
    """Its model, without retries."""
    return ChatOpenAI(
        model=server.model, base_url=server.v1, api_key=SecretStr("none"), max_retries=0
    )


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    model = chat(server)

    async def run(num_children: int) -> Sequence[str]:
        await model.ainvoke(measuring.ROOT_PROMPT)
        prompts = [measuring.child_prompt(number) for number in range(num_children)]
        replies = await model.abatch(prompts, config={"max_concurrency": server.width})
        answers = [str(reply.content) for reply in replies]
        await model.ainvoke(measuring.merge_prompt(answers))
        return answers

    yield measuring.on_one_loop(run)


if __name__ == "__main__":
    measuring.main(peer)
