"""llama-index-core: `TreeSummarize` over N chunks, asynchronously.

It packs summaries into chunks again until one is left, so that it makes more calls than the others:
one in ten of N, and so on. It has no limit of calls at a time but that of its HTTP client.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from llama_index.core.indices.prompt_helper import PromptHelper
from llama_index.core.response_synthesizers import TreeSummarize

from bench.peer_runs import measuring
from bench.peer_runs.llama_index_jobs import Model
from bench.peer_runs.measuring import Run, Server

_CHUNK_TOKENS = 100
_CHUNK_WORDS = 95
"""Of one token each, which nearly fill a chunk, so that no two are packed into one."""


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    helper = PromptHelper(
        context_window=4_096,
        num_output=64,
        chunk_overlap_ratio=0.0,
        chunk_size_limit=_CHUNK_TOKENS,
    )
    tree = TreeSummarize(llm=Model(server), prompt_helper=helper, use_async=True)

    async def run(num_children: int) -> Sequence[str]:
        chunks = [" ".join(["root"] * _CHUNK_WORDS)] * num_children
        answer = str(await tree.aget_response(measuring.ROOT_PROMPT, chunks))
        return [answer] * num_children  # those of the children are not told

    yield measuring.on_one_loop(run)


if __name__ == "__main__":
    measuring.main(peer)
