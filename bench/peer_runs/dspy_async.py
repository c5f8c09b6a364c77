"""dspy: `acall` of a `Predict`, N of them gathered, as many at a time as a semaphore lets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.peer_runs import measuring
from bench.peer_runs.dspy_parallel import predict
from bench.peer_runs.measuring import Run, Server


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    predictor = predict(server)
    room = asyncio.Semaphore(server.width)

    async def ask(question: str) -> str:
        async with room:
            return str((await predictor.acall(question=question)).answer)

    async def run(num_children: int) -> Sequence[str]:
        await ask(measuring.ROOT_PROMPT)
        prompts = map(measuring.child_prompt, range(num_children))
        answers = await asyncio.gather(*map(ask, prompts))
        await ask(measuring.merge_prompt(answers))
        return answers

    yield measuring.on_one_loop(run)


if __name__ == "__main__":
    measuring.main(peer)
