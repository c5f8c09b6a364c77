"""A finished tree in a store, with token ids as vLLM gives them, or without any."""

from __future__ import annotations

import random
import secrets

from banyan.admission import admission
from banyan.budget import Budget
from banyan.limits import Limits
from banyan.node import Brief, Decision, Node, Outcome
from banyan.ports import ChildNode, Reserve, Spent, Store, TurnLog
from banyan.state import pack
from banyan.task import Gate, Task
from banyan.trajectory import TurnRecord
from banyan.tree import tree_id

PROMPT_TOKENS = 1_536
COMPLETION_TOKENS = 96
_VOCABULARY = 150_000
_LEASE_S = 600.0
_AT_ONCE = 500
_FREE = {"base": Reserve()}


async def plant(store: Store, num_children: int, *, token_ids: bool) -> str:
    """A rollout of one root and its children, each with a turn of its own; its id."""
    task = Task(
        tenant="bench",
        goal="Count.",
        limits=Limits(max_nodes=num_children + 1, max_parallel=10_000),
        profile="rollout",
        group_id="g",
        gate=Gate(mode="sampled"),
    )
    new_id = tree_id(task.tenant, secrets.token_hex(8), num_shards=1)
    await store.admit(admission(task, new_id))
    claims = await store.claim(new_id, ["0"], worker="b", lease_s=_LEASE_S, reserves=_FREE)
    [root] = claims.nodes
    child = Node(path="0.0", goal="Count.", brief=Brief(task_goal="Count."))
    await store.spawn(
        root.lease,
        [ChildNode(pack(child), Budget(tokens=10, nodes=0))] * num_children,
        packed=root.packed,
        kept=Budget(tokens=0, nodes=0),
        log=turn(token_ids=token_ids),
        event={},
    )
    for first in range(0, num_children, _AT_ONCE):
        paths = [f"0.{index}" for index in range(first, min(first + _AT_ONCE, num_children))]
        claims = await store.claim(new_id, paths, worker="b", lease_s=_LEASE_S, reserves=_FREE)
        for node in claims.nodes:
            await store.finish(
                node.lease, Outcome(status="ok", answer="Four."), log=turn(token_ids=token_ids)
            )
    claims = await store.claim(new_id, ["0"], worker="b", lease_s=_LEASE_S, reserves=_FREE)
    [again] = claims.nodes
    await store.finish(
        again.lease, Outcome(status="ok", answer="All."), log=turn(token_ids=token_ids)
    )
    return new_id


def turn(*, token_ids: bool) -> TurnLog:
    """One turn with a prompt and a completion of fresh tokens, which compress badly."""
    chance = random.Random(secrets.randbits(32))  # noqa: S311 - which tokens is no secret
    prompt = _tokens(chance, PROMPT_TOKENS) if token_ids else None
    record = TurnRecord(
        index=1,
        generation=1,
        decision=Decision(
            kind="answer",
            mode="sampled",
            forced=False,
            score=-1.5,
            threshold=4.0,
            logprobs={"answer": -0.25, "delegate": -1.75},
        ),
        action='{"answer": "Four."}',
        valid=True,
        prompt_text="word " * PROMPT_TOKENS,
        completion_text='{"answer": "Four."}',
        choice_prompt_token_ids=prompt,
        prompt_token_ids=prompt,
        completion_token_ids=_tokens(chance, COMPLETION_TOKENS) if token_ids else None,
        logprobs=tuple(-chance.random() for _ in range(COMPLETION_TOKENS)) if token_ids else None,
        logprobs_kind="masked" if token_ids else None,
        prompt_tokens=2 * PROMPT_TOKENS,
        completion_tokens=COMPLETION_TOKENS + 1,
        cached_tokens=PROMPT_TOKENS,
        policy_version="policy-v1",
        engine="vllm",
        finish_reason="stop",
        temperature=1.0,
        seed=7,
        seconds=1.0,
    )
    spent = Spent(llm_calls=2, prompt_tokens=6, completion_tokens=1)
    return TurnLog(pack(record), spent, {"kind": "answer"})


def _tokens(chance: random.Random, count: int) -> tuple[int, ...]:
    return tuple(chance.randrange(_VOCABULARY) for _ in range(count))
