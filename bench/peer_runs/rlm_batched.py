"""rlms: `llm_query_batched` in its local REPL, behind its own socket handler of model calls.

`RLM` leaves the handler at 16 calls at a time and has no argument for it; the handler has one,
`batch_max_concurrent`, which is used here. The long system prompt of `RLM` is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rlm.clients.openai import OpenAIClient
from rlm.core.lm_handler import LMHandler
from rlm.environments.local_repl import LocalREPL

from bench.peer_runs import measuring
from bench.peer_runs.measuring import Run, Server


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    client = OpenAIClient(
        api_key="none", model_name=server.model, base_url=server.v1, max_retries=0
    )
    handler = LMHandler(client, batch_max_concurrent=server.width)
    address = handler.start()

    def run(num_children: int) -> Sequence[str]:
        prompts = [measuring.child_prompt(number) for number in range(num_children)]
        with LocalREPL(lm_handler_address=address, context_payload=prompts) as repl:
            handler.completion(measuring.ROOT_PROMPT)
            done = repl.execute_code("answers = llm_query_batched(context)")
            answers: list[str] = done.locals["answers"]
            handler.completion(measuring.merge_prompt(answers))
        return answers

    yield run
    handler.stop()


if __name__ == "__main__":
    measuring.main(peer)
