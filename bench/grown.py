"""What a tree over one long document spent, node by node, wherever it grew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Self

import httpx

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.policy import Policies, Policy
from banyan.ports import Ports
from banyan.serving import Serving
from banyan.spans import Span, size
from banyan.task import Task
from banyan.testing import Call, PrefixCache, ScriptedEngine, longest_rule
from bench.stack import Stack
from bench.texts import entries

GOAL = "Summarise this."
LIMITS: dict[str, Any] = {
    "max_nodes": 1_000_000,
    "max_tokens": 10_000_000_000,
    "deadline_s": 86_400,
}
_CACHE_BLOCKS = 50_000
"""800,000 tokens, as a GPU with room for them keeps."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree whose whole input was read. Shares are tokens for each token of the input."""

    input_tokens: int
    nodes: int
    calls: int
    depth: int
    leaf_prompts: float
    """In prompts of the nodes that read the input."""
    leaf_answers: float
    inner: float
    """In prompts and completions of nodes that divide and merge."""
    cached: float
    """Of all prompts, what would not be computed again; 0 without a modelled cache."""

    @property
    def spent(self) -> float:
        """Prompts and completions of all calls, those of the gate in full."""
        return self.leaf_prompts + self.leaf_answers + self.inner

    @property
    def computed(self) -> float:
        """The same without what the cache had."""
        return self.spent - self.cached

    @classmethod
    def of(cls, input_tokens: int, nodes: Iterable[tuple[int, int, Any]]) -> Self:
        """From (number of children, depth, what it spent) of each node."""
        num, calls, deepest = 0, 0, 0
        prompts = answers = inner = cached = 0
        for num_children, depth, spent in nodes:
            num += 1
            calls += spent.llm_calls
            deepest = max(deepest, depth)
            cached += spent.cached_tokens
            if num_children:
                inner += spent.prompt_tokens + spent.completion_tokens
            else:
                prompts += spent.prompt_tokens
                answers += spent.completion_tokens
        shares = (part / input_tokens for part in (prompts, answers, inner, cached))
        return cls(input_tokens, num, calls, deepest, *shares)


def solve_text(stack: Stack, http: httpx.Client, text: Iterable[bytes]) -> dict[str, Any]:
    """A solve over a text, when it has finished. Raises RuntimeError where some is unread."""
    reply = http.post(
        f"{stack.url}/documents", content=text, headers={"Content-Type": "text/plain"}
    ).raise_for_status()
    inputs = [{"id": reply.json()["id"]}]
    solve = stack.wait(http, stack.submit(http, GOAL, documents=inputs, limits=LIMITS))
    if solve["status"] != "completed" or solve["coverage"]["share"] < 1.0:
        raise RuntimeError(f"{solve['status']}: {solve['coverage']}, {solve['error']}")
    return solve


async def grow_scored(num_tokens: int, window: int, policy: Policy) -> Grown:
    """A tree in this process, whose gate asks a model with scores. Raises RuntimeError."""
    engine = ScriptedEngine(rule=longest_rule, window=window, cache=PrefixCache(_CACHE_BLOCKS))

    async def forget(call: Call) -> None:
        del call
        engine.calls.clear()

    engine.hold = forget
    ports = Ports(MemoryStore(), MemoryLibrary(max_bytes=1_000_000_000), engine)
    text = b"".join(entries(int(num_tokens * await _bytes_per_token(engine))))

    async def chunks() -> AsyncIterator[bytes]:
        yield text

    info = await ports.library.put("bench", chunks())
    whole = Span(document=info.id, start=0, end=info.num_chars)
    task = Task(tenant="bench", goal=GOAL, inputs=(whole,), limits=Limits(**LIMITS))
    policies = Policies([policy], live=policy.version)
    tree = await grow(task, ports, serving=Serving.only(engine, policies))
    covered = size(tree.outcome.covered) if tree.outcome else 0
    if tree.status != "completed" or covered < info.num_chars:
        raise RuntimeError(f"{tree.status}: {covered} of {info.num_chars} characters were read")
    nodes = (await ports.store.list_nodes(tree.id, offset=0, limit=1_000_000))[0]
    return Grown.of(
        await engine.count(text.decode()),
        ((node.num_children, node.path.count("."), node.spent) for node in nodes),
    )


async def _bytes_per_token(engine: ScriptedEngine) -> float:
    sample = b"".join(entries(10_000))
    return len(sample) / await engine.count(sample.decode())
