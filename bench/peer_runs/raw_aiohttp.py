"""The floor: aiohttp alone, one session, no more than the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import aiohttp

from bench.peer_runs import measuring
from bench.peer_runs.measuring import Run, Server


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    session = measuring.wait(_session(server.width))

    async def ask(prompt: str) -> str:
        body = {"model": server.model, "messages": [{"role": "user", "content": prompt}]}
        url = f"{server.v1}/chat/completions"
        async with session.post(url, json=body, raise_for_status=True) as reply:
            answer: str = (await reply.json())["choices"][0]["message"]["content"]
        return answer

    async def run(num_children: int) -> Sequence[str]:
        await ask(measuring.ROOT_PROMPT)
        prompts = map(measuring.child_prompt, range(num_children))
        answers = await asyncio.gather(*map(ask, prompts))
        await ask(measuring.merge_prompt(answers))
        return answers

    yield measuring.on_one_loop(run)
    measuring.wait(session.close())


async def _session(width: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=width))


if __name__ == "__main__":
    measuring.main(peer)
