"""Chat completions, as OpenAI's own client asks for them and reads them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from banyan.node import ROOT_PATH, Failure, Outcome
from banyan.state import unpack
from banyan.task import Task
from banyan.testing.rules import ANSWER
from banyan.tree import FINAL
from tests.facade.conftest import Gate
from tests.facade.texts import LONG
from tests.service.house import House, answered
from tests.service.served import Served

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "How does a banyan grow?"}]


def task_of(house: House, index: int = -1) -> Task:
    return unpack(house.store.admitted[index].task, Task)


async def test_a_completion_has_text_usage_and_the_solve_beside_it(
    client: openai.AsyncOpenAI,
) -> None:
    reply = await client.chat.completions.create(model="banyan", messages=ASK)

    assert reply.choices[0].message.content == ANSWER
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0
    assert reply.model_extra is not None
    solve = reply.model_extra["banyan"]
    assert (solve["status"], solve["usage"]["nodes"]) == ("completed", 1)
    assert reply.id.removeprefix("chatcmpl-") == solve["id"].removeprefix("solve_")


async def test_the_client_without_asyncio_gets_the_same(served: Served) -> None:
    def ask() -> str | None:
        with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none") as client:
            reply = client.chat.completions.create(model="banyan", messages=ASK)
            return reply.choices[0].message.content

    assert await asyncio.to_thread(ask) == ANSWER


async def test_a_stream_brings_the_answer_in_pieces_and_the_usage_last(
    client: openai.AsyncOpenAI,
) -> None:
    stream = await client.chat.completions.create(
        model="banyan", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == ANSWER
    assert sum(map(bool, pieces)) > 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


async def test_a_long_text_is_read_as_a_document_with_its_sources(
    client: openai.AsyncOpenAI, served: Served
) -> None:
    reply = await client.chat.completions.create(
        model="banyan", messages=[{"role": "user", "content": f"What does it say?\n\n{LONG}"}]
    )

    task = task_of(served.house)
    assert task.goal == "What does it say?\n\n[document 1]"
    assert [len(span) for span in task.inputs] == [len(LONG)]
    assert reply.model_extra is not None
    [citation, *_] = reply.model_extra["banyan"]["citations"]
    assert LONG[citation["start"] : citation["end"]].startswith(citation["quote"])


async def test_limits_gate_state_and_documents_come_in_extra_body(
    client: openai.AsyncOpenAI, served: Served
) -> None:
    document = await served.house.upload()
    await client.chat.completions.create(
        model="base",
        messages=[{"role": "user", "content": "How?"}],
        max_tokens=50,
        temperature=0,
        seed=7,
        user="ann",
        metadata={"ticket": "7"},
        extra_body={
            "documents": [{"id": document}, {"text": "Figs have wasps."}],
            "limits": {"max_depth": 2},
            "gate": {"mode": "never"},
            "state": "summary",
        },
    )

    task = task_of(served.house)
    assert (task.limits.max_depth, task.limits.max_answer_tokens) == (2, 50)
    assert (task.gate.mode, task.state, task.policy) == ("never", "summary", "base")
    assert [span.document == document for span in task.inputs] == [True, False]
    assert task.metadata == {"ticket": "7", "banyan.facade": {"model": "base", "user": "ann"}}


async def test_answers_under_a_schema_are_json_of_it(client: openai.AsyncOpenAI) -> None:
    class Tree(BaseModel):
        name: str
        num_roots: int

    reply = await client.chat.completions.parse(model="banyan", messages=ASK, response_format=Tree)
    plain = await client.chat.completions.create(
        model="banyan", messages=ASK, response_format={"type": "json_object"}
    )

    assert isinstance(reply.choices[0].message.parsed, Tree)
    assert isinstance(json.loads(plain.choices[0].message.content or ""), dict)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_ends_before_a_stop_sequence(
    client: openai.AsyncOpenAI, *, stream: bool
) -> None:
    asked: dict[str, Any] = {"model": "banyan", "messages": ASK, "stop": ["nowhere", " says"]}
    if stream:
        chunks = [one async for one in await client.chat.completions.create(**asked, stream=True)]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        reason = chunks[-1].choices[0].finish_reason
    else:
        reply = await client.chat.completions.create(**asked)
        text, reason = reply.choices[0].message.content or "", reply.choices[0].finish_reason

    assert (text, reason) == (ANSWER.partition(" says")[0], "stop")


async def test_who_hangs_up_ends_the_solve(
    client: openai.AsyncOpenAI, served: Served, gate: Gate
) -> None:
    gate.open.clear()
    async with await client.chat.completions.create(
        model="banyan", messages=ASK, stream=True
    ) as stream:
        await anext(aiter(stream))
    await until_final(served.house)

    record = await served.house.store.get_tree(served.house.store.admitted[0].tree_id)
    assert record.status == "cancelled"


async def until_final(house: House) -> None:
    """Wait for the end of the first solve, by its events."""
    async for _ in house.store.events(house.store.admitted[0].tree_id):
        pass


async def test_a_key_finds_the_same_solve_again(client: openai.AsyncOpenAI, served: Served) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await client.chat.completions.create(model="banyan", messages=ASK, extra_headers=key)
    again = await client.chat.completions.create(model="banyan", messages=ASK, extra_headers=key)

    assert first.id == again.id
    assert len(served.house.store.admitted) == 1


async def test_what_ends_without_an_answer_is_an_error_that_is_not_tried_again(
    house: House, client_of_house: openai.AsyncOpenAI
) -> None:
    async def end(outcome: Outcome) -> openai.APIStatusError:
        asking = asyncio.create_task(
            client_of_house.chat.completions.create(model="banyan", messages=ASK)
        )
        await house.queue.sent.wait()
        house.queue.sent.clear()
        await house.finish(house.store.admitted[-1].tree_id, outcome)
        with pytest.raises(openai.InternalServerError) as raised:
            await asking
        return raised.value

    failure = Failure(code="worker_lost", message="it died")
    error = await end(Outcome(status="failed", failure=failure, complete=False))
    assert (error.status_code, error.code) == (500, "worker_lost")
    assert len(house.store.admitted) == 1


async def test_a_partial_answer_ends_with_length(
    house: House, client_of_house: openai.AsyncOpenAI
) -> None:
    asking = asyncio.create_task(
        client_of_house.chat.completions.create(model="banyan", messages=ASK)
    )
    await house.queue.sent.wait()
    outcome = answered("", citations=(), covered=(), status="over_budget", complete=False)
    await house.finish(house.store.admitted[0].tree_id, outcome)

    reply = await asking
    assert reply.choices[0].finish_reason == "length"
    assert (await house.store.get_tree(house.store.admitted[0].tree_id)).status in FINAL


async def test_an_answer_that_is_written_anew_ends_the_stream_with_an_error(
    house: House, client_of_house: openai.AsyncOpenAI
) -> None:
    stream = await client_of_house.chat.completions.create(
        model="banyan", messages=ASK, stream=True
    )
    claimed = await house.claim(house.store.admitted[0].tree_id, ROOT_PATH)
    await house.store.delta(claimed.lease, {"offset": 0, "text": "By leaves"})
    await house.store.delta(claimed.lease, {"offset": 0, "text": "By r"})
    await house.store.finish(claimed.lease, answered("", citations=(), covered=()), log=None)

    with pytest.raises(openai.APIError, match="answered differently") as raised:
        [chunk async for chunk in stream]
    assert raised.value.code == "answer_rewritten"
