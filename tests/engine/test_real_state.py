"""What a parent hands to its children, on real vLLM: the cache serves a prefix."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from banyan.adapters.engines import connect
from banyan.adapters.replicas import Replicas
from banyan.drive import Ports
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.packed_state import SharedState
from banyan.ports import CallOptions, Completion, OnDelta, Prompt
from banyan.state import unpack
from banyan.task import Gate, StateChoice, Task
from banyan.tree import TreeRecord
from tests.fixtures.engines import ServedEngine
from tests.growing import TENANT, Grower

pytestmark = pytest.mark.real_engine

GOAL = "Name three rivers. " + "The river rises in the hills and runs to the sea. " * 40
NUM_CHILDREN = 3


class Delegating(Replicas):
    """The model, but for the one delegation, which is given: small models write none reliably."""

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        if '"children"' not in json.dumps(schema):
            return await super().complete(
                prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
            )
        children = [{"goal": f"Name river {n}.", "expects": None} for n in range(NUM_CHILDREN)]
        text = json.dumps({"brief": "Rivers.", "children": children})
        read = await super().complete(prompt, schema=None, max_tokens=1, options=options)
        return replace(read, text=text, finish_reason="stop", token_ids=None, logprobs=None)


@pytest.fixture
async def engine(vllm: ServedEngine) -> AsyncIterator[Delegating]:
    made = Delegating([(vllm.url, connect(vllm.settings(), vllm.url))])
    yield made
    await made.close()


async def solve(ports: Ports, state: StateChoice) -> TreeRecord:
    gate, limits = Gate(mode="always"), Limits(max_depth=1)
    return await grow(Task(tenant=TENANT, goal=GOAL, state=state, gate=gate, limits=limits), ports)


async def test_children_find_their_parents_prefix_in_the_cache(engine: Delegating) -> None:
    grower = Grower()
    tree = await solve(Ports(grower.store, grower.library, engine), "prefix")

    assert tree.usage.nodes == 1 + NUM_CHILDREN
    [delegation, *_] = await grower.turns(tree.id, "0")
    begins = delegation.prompt_token_ids
    assert begins is not None
    for path in ("0.0", "0.1", "0.2"):
        [turn, *_] = await grower.turns(tree.id, path)
        prefix = unpack(await grower.store.shared(tree.id, turn.inherited), SharedState)
        assert prefix.token_ids == begins
        assert turn.cached_tokens > len(begins) // 2
        assert turn.prompt_tokens == len(begins) + len(turn.prompt_token_ids or ())
