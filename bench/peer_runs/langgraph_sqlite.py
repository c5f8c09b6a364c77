"""langgraph with its SQLite checkpoints: each child's answer is written as it comes.

The nearest of all peers to what Banyan does: a run that died can be taken up from the file. It is
in a temporary folder here.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from bench.peer_runs import measuring
from bench.peer_runs.langgraph_send import State, graph
from bench.peer_runs.measuring import Run, Server


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    made = graph(server)

    async def run(num_children: int) -> Sequence[str]:
        with tempfile.TemporaryDirectory(prefix="banyan-bench-") as folder:
            file = str(Path(folder) / "checkpoints.sqlite")
            async with AsyncSqliteSaver.from_conn_string(file) as saver:
                ended = await made.compile(checkpointer=saver).ainvoke(
                    State(num_children=num_children, answers=[]),
                    {
                        "max_concurrency": server.width,
                        "configurable": {"thread_id": uuid.uuid4().hex},
                    },
                )
        answers: list[str] = ended["answers"]
        return answers

    yield measuring.on_one_loop(run)


if __name__ == "__main__":
    measuring.main(peer)
