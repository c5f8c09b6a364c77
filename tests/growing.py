"""Grow whole trees on the official twins, and ask questions about them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.counts import record_numbers
from banyan.in_process import grow
from banyan.node import ROOT_PATH, Outcome
from banyan.policy import BASE, ONLY_BASE, Policies
from banyan.ports import Message, Packer, Ports
from banyan.serving import Serving
from banyan.spans import Span
from banyan.state import unpack
from banyan.task import Task
from banyan.testing import ScriptedEngine
from banyan.trajectory import TurnRecord
from banyan.tree import TreeRecord

TENANT = "acme"
Write = Callable[[str, Mapping[str, Any]], dict[str, Any]]


def rule(write: Write) -> Callable[[Sequence[Message], Mapping[str, Any] | None], str]:
    """A rule from a function of the last message's text and the schema's properties.

    Without a schema, the answer that it writes is the reply.
    """

    def reply(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        if schema is None:
            return str(write(messages[-1].content, {"answer": {"type": "string"}})["answer"])
        options = (schema or {}).get("anyOf", [schema or {}])
        properties = {name: part for one in options for name, part in one["properties"].items()}
        return json.dumps(write(messages[-1].content, properties))

    return reply


def split_or_answer(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked for in the shortest way; an answer cites the first passage."""
    if "split" in properties:
        return {"brief": "look closely", "split": {"goal": "find it", "expects": None}}
    if "query" in properties:
        return {"query": "topic 3"}
    if "text" in properties:
        return {"text": "a note"}
    if "answer" not in properties:
        return {"document": 1}
    return answer_first(prompt, properties)


def answer_first(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Answer with a few words of the first passage, and cite it."""
    words = re.search(r"\[1\] (.{0,40})", prompt)
    value: dict[str, Any] = {"answer": words[1] if words else "nothing"}
    if "citations" in properties:
        value["citations"] = [1]
    return value


def by_number(labels: Sequence[str]) -> dict[str, Any]:
    """A label for each record, as a reader of records owes them."""
    return dict(zip(record_numbers(len(labels)), labels, strict=True))


def is_to_label(properties: Mapping[str, Any]) -> bool:
    """Whether a schema with these properties asks for a label for each record."""
    return "1" in properties["answer"].get("properties", {})


@dataclass
class Grower:
    """The twins of all ports, and what grew on them. `clock` moves only when a test moves it."""

    engine: ScriptedEngine = field(
        default_factory=lambda: ScriptedEngine(rule=rule(split_or_answer))
    )
    policies: Policies = ONLY_BASE
    others: dict[str, ScriptedEngine] = field(default_factory=dict)
    """Engines of the policies that are not on the first one."""
    library: MemoryLibrary = field(default_factory=MemoryLibrary)
    packer: Packer | None = None
    now: float = 1_000_000.0
    logs: bool = False

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=lambda: self.now, logs=self.logs)
        self.ports = Ports(
            self.store, self.library, self.engine, engine_patience_s=0.0, packer=self.packer
        )
        engines = {**dict.fromkeys(self.policies.names, self.engine), **self.others}
        self.serving = Serving(self.policies, engines)

    async def put(self, text: str) -> Span:
        async def chunks() -> AsyncIterator[bytes]:
            yield text.encode()

        info = await self.library.put(TENANT, chunks())
        return Span(document=info.id, start=0, end=info.num_chars)

    async def grow(self, goal: str, *texts: str, **task: Any) -> TreeRecord:
        inputs = tuple([await self.put(text) for text in texts])
        new = Task(tenant=TENANT, goal=goal, inputs=inputs, **task)
        return await grow(new, self.ports, serving=self.serving)

    async def turns(self, tree_id: str, path: str) -> list[TurnRecord]:
        node = await self.store.get_node(tree_id, path)
        return [unpack(turn, TurnRecord) for turn in node.turns if turn]

    async def tries(self, tree: TreeRecord) -> list[bool]:
        """Which of the root's actions were valid, up to the one that divided its inputs."""
        turns = await self.turns(tree.id, ROOT_PATH)
        return [turn.valid for turn in turns if turn.decision.kind == "delegate"]

    async def paths(self, tree_id: str) -> list[str]:
        nodes, _ = await self.store.list_nodes(tree_id, offset=0, limit=100_000)
        return [node.path for node in nodes]


def sentences(count: int) -> str:
    """Prose in which every sentence can be told from every other."""
    return " ".join(
        f"Sentence number {index} is about topic {index % 7}." for index in range(count)
    )


NEVER_VALID = [*[False] * BASE.max_invalid, True]
"""`Grower.tries` of an agent that writes no valid delegation: it is divided without one."""


def outcome(tree: TreeRecord) -> Outcome:
    assert tree.outcome is not None
    return tree.outcome
