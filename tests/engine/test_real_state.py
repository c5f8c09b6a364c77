"""What a parent hands to its children, on real vLLM: a prefix out of the cache, and vectors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from jsonschema import Draft202012Validator

from banyan.action import Kind
from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import connect, make_packer
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.notices import HIDDEN_UNAVAILABLE
from banyan.packed_state import SharedState
from banyan.ports import Message, Ports
from banyan.settings import Settings
from banyan.state import unpack
from banyan.task import Gate, StateChoice, Task
from banyan.testing.delegating import Delegating
from banyan.trajectory import TurnRecord
from banyan.transfer import NUM_VECTORS
from banyan.tree import TreeRecord
from tests.engine.dialogues import OPTIONS
from tests.fixtures.engines import ServedEngine
from tests.growing import TENANT, Grower

pytestmark = pytest.mark.real_engine

GOAL = "Name three rivers. " + "The river rises in the hills and runs to the sea. " * 25
NUM_CHILDREN = 2
CHILDREN = ("0.0", "0.1")
BRIEF = {
    "type": "object",
    "properties": {"answer": {"type": "string", "maxLength": 24}},
    "required": ["answer"],
    "additionalProperties": False,
}
"""So short that it ends within its tokens, whatever the vectors say."""


@pytest.fixture
async def ports(vllm: ServedEngine, packer_url: str) -> AsyncIterator[Ports]:
    settings = Settings(engine_kind="vllm", engine_urls=vllm.url, packer_url=packer_url)
    twins = Grower()
    goals = [f"Name river {number}." for number in range(NUM_CHILDREN)]
    engine = Delegating(vllm.url, connect(EngineSpec.of(settings), vllm.url), goals, "Rivers.")
    packer = make_packer(settings)
    assert packer is not None
    yield Ports(twins.store, twins.library, engine, packer=packer)
    await engine.close()
    await packer.close()


async def turns(ports: Ports, tree: TreeRecord, path: str) -> list[TurnRecord]:
    node = await ports.store.get_node(tree.id, path)
    return [unpack(turn, TurnRecord) for turn in node.turns]


async def shared(ports: Ports, tree: TreeRecord, name: str) -> SharedState:
    return unpack(await ports.store.shared(tree.id, name), SharedState)


async def solve(ports: Ports, state: StateChoice) -> TreeRecord:
    gate = Gate(mode="always")
    limits = Limits(max_depth=1, max_answer_tokens=24, deadline_s=3_000)
    return await grow(Task(tenant=TENANT, goal=GOAL, state=state, gate=gate, limits=limits), ports)


async def test_children_find_their_parents_prefix_in_the_cache(ports: Ports) -> None:
    tree = await solve(ports, "prefix")

    assert tree.usage.nodes == 1 + NUM_CHILDREN
    [delegation, *_] = await turns(ports, tree, "0")
    begins = delegation.prompt_token_ids
    assert begins is not None
    for path in CHILDREN:
        [turn, *_] = await turns(ports, tree, path)
        assert (await shared(ports, tree, turn.inherited)).token_ids == begins
        assert turn.cached_tokens > len(begins) // 2
        assert turn.prompt_tokens == len(begins) + len(turn.prompt_token_ids or ())


async def test_children_read_vectors_beside_their_task(ports: Ports) -> None:
    tree = await solve(ports, "hidden")

    assert tree.outcome is not None
    assert not {HIDDEN_UNAVAILABLE} & set(tree.outcome.notices)
    vectors = (await shared(ports, tree, "0.0")).vectors
    assert len(vectors) > NUM_VECTORS * 2
    for path in CHILDREN:
        [turn, *_] = await turns(ports, tree, path)
        assert turn.prompt_token_ids is None  # not trainable by token ids alone
        assert turn.prompt_tokens > NUM_VECTORS
        assert turn.inherited == "0.0"
        assert json.loads(turn.completion_text)["answer"]


async def test_the_embeddings_of_a_text_say_what_the_text_says(ports: Ports) -> None:
    text, question = "The river Rhine runs to the sea.", "Which river? A: the Rhine. B: the Po."
    plain = await ports.engine.render([Message("user", f"{text}\n{question}")])
    assert ports.packer is not None
    assert plain.token_ids is not None
    token_ids = await tokens_of(ports, text)
    vectors = await ports.packer.encode(await ports.packer.pack(token_ids, len(token_ids)))
    packed = await ports.engine.render([Message("user", question, embeds=vectors)])
    letters: dict[Kind, str] = {"answer": "A", "delegate": "B"}

    said, _ = await ports.engine.choose(plain, letters, OPTIONS)
    seen, completion = await ports.engine.choose(packed, letters, OPTIONS)

    assert completion.prompt_tokens == plain.num_tokens == packed.num_tokens
    assert seen == pytest.approx(said, abs=0.3)  # bfloat16, and another path through the engine


async def test_a_reply_behind_vectors_streams_under_its_schema(ports: Ports) -> None:
    assert ports.packer is not None
    vectors = await ports.packer.encode(await ports.packer.pack(tuple(range(500, 900)), 16))
    prompt = await ports.engine.render(
        [Message("system", "Be brief."), Message("user", "Name a river.", embeds=vectors)]
    )
    deltas: list[str] = []

    async def on_delta(text: str) -> None:
        deltas.append(text)

    completion = await ports.engine.complete(
        prompt, schema=BRIEF, max_tokens=80, options=OPTIONS, on_delta=on_delta
    )

    Draft202012Validator(BRIEF).validate(json.loads(completion.text))
    assert "".join(deltas) == completion.text
    assert completion.token_ids is not None
    assert len(completion.token_ids) == completion.completion_tokens


async def tokens_of(ports: Ports, text: str) -> tuple[int, ...]:
    """The token ids of a text alone: where prompts of two texts part, and as many as it has."""
    whole = (await ports.engine.render([Message("user", text)])).token_ids or ()
    other = (await ports.engine.render([Message("user", "0")])).token_ids or ()
    first = next(i for i, (a, b) in enumerate(zip(whole, other, strict=False)) if a != b)
    return whole[first : first + await ports.engine.count(text)]
