"""langgraph: a root that sends (`Send`) to N child nodes, and a merge, run with `ainvoke`.

Nothing is kept; `bench.peer_runs.langgraph_sqlite` is the same graph with checkpoints.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from bench.peer_runs import measuring
from bench.peer_runs.langchain_batch import chat
from bench.peer_runs.measuring import Run, Server


class State(TypedDict):
    """Of the graph; children's answers are put one behind another."""

    num_children: int
    answers: Annotated[list[str], operator.add]


class Child(TypedDict):
    """What a child is sent."""

    prompt: str


def graph(server: Server) -> StateGraph[State]:
    """Root, children and merge."""
    model = chat(server)

    async def root(_: State) -> dict[str, Any]:
        await model.ainvoke(measuring.ROOT_PROMPT)
        return {}

    def to_children(state: State) -> list[Send]:
        prompts = map(measuring.child_prompt, range(state["num_children"]))
        return [Send("child", {"prompt": prompt}) for prompt in prompts]

    async def child(sent: Child) -> dict[str, Any]:
        return {"answers": [str((await model.ainvoke(sent["prompt"])).content)]}

    async def merge(state: State) -> dict[str, Any]:
        await model.ainvoke(measuring.merge_prompt(state["answers"]))
        return {}

    made = StateGraph(State)
    made.add_node("root", root)
    made.add_node("child", child)
    made.add_node("merge", merge)
    made.add_edge(START, "root")
    made.add_conditional_edges("root", to_children, ["child"])
    made.add_edge("child", "merge")
    made.add_edge("merge", END)
    return made


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    compiled = graph(server).compile()

    async def run(num_children: int) -> Sequence[str]:
        begin: State = {"num_children": num_children, "answers": []}
        ended = await compiled.ainvoke(begin, {"max_concurrency": server.width})
        answers: list[str] = ended["answers"]
        return answers

    yield measuring.on_one_loop(run)


if __name__ == "__main__":
    measuring.main(peer)
