"""Responses, as OpenAI's own client makes, follows, reads and cancels them."""

from __future__ import annotations

import asyncio

import openai
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel

from banyan.node import Failure, Outcome
from banyan.state import unpack
from banyan.task import Task
from banyan.testing.rules import ANSWER
from tests.facade.conftest import Gate
from tests.service.house import House
from tests.service.served import Served


async def test_a_response_has_text_and_usage(client: openai.AsyncOpenAI, served: Served) -> None:
    reply = await client.responses.create(
        model="banyan",
        instructions="Be brief.",
        input="How does a banyan grow?",
        max_output_tokens=60,
        metadata={"ticket": "7"},
    )

    assert (reply.status, reply.output_text) == ("completed", ANSWER)
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens > 0
    assert (reply.metadata, reply.max_output_tokens) == ({"ticket": "7"}, 60)
    task = unpack(served.house.store.admitted[0].task, Task)
    assert task.goal == "Be brief.\n\nHow does a banyan grow?"


async def test_output_can_be_sent_back_as_input(client: openai.AsyncOpenAI, served: Served) -> None:
    first = await client.responses.create(model="banyan", input="How?")
    await client.responses.create(
        model="banyan",
        input=[
            {"role": "user", "content": "How?"},
            *[item.to_dict() for item in first.output],  # type: ignore[list-item]  # as it came
            {"role": "user", "content": [{"type": "input_text", "text": "Why?"}]},
        ],
    )

    task = unpack(served.house.store.admitted[-1].task, Task)
    assert task.goal == (
        f"Earlier in this conversation:\nuser: How?\n\nassistant: {ANSWER}\n\nNow:\nWhy?"
    )


async def test_a_stream_ends_with_the_response_that_can_be_read_later(
    client: openai.AsyncOpenAI,
) -> None:
    async with client.responses.stream(model="banyan", input="How?") as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == final.output_text == ANSWER
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kept = await client.responses.retrieve(final.id)
    assert (kept.output_text, kept.usage) == (final.output_text, final.usage)


async def test_a_stream_goes_on_behind_the_event_that_was_read_last(
    client: openai.AsyncOpenAI,
) -> None:
    stream = await client.responses.create(model="banyan", input="How?", stream=True)
    events = [event async for event in stream]
    assert events[0].type == "response.created"
    again = await client.responses.retrieve(
        events[0].response.id, stream=True, starting_after=events[3].sequence_number
    )

    assert [comparable(event) async for event in again] == [comparable(one) for one in events[4:]]


def comparable(event: ResponseStreamEvent) -> dict[str, object]:
    return event.to_dict()


async def test_a_structured_answer_is_json(client: openai.AsyncOpenAI) -> None:
    class Tree(BaseModel):
        name: str
        num_roots: int

    reply = await client.responses.parse(model="banyan", input="How?", text_format=Tree)

    assert isinstance(reply.output_parsed, Tree)


async def test_what_runs_in_the_background_is_read_until_it_is_finished(
    client: openai.AsyncOpenAI, gate: Gate
) -> None:
    gate.open.clear()
    reply = await client.responses.create(model="banyan", input="How?", background=True)
    assert (reply.background, reply.output, reply.usage) == (True, [], None)
    gate.open.set()
    async with asyncio.timeout(30):
        while reply.status in {"queued", "in_progress"}:
            reply = await client.responses.retrieve(reply.id)

    assert (reply.status, reply.output_text) == ("completed", ANSWER)


async def test_cancelling_ends_what_runs_in_the_background(
    client: openai.AsyncOpenAI, served: Served, gate: Gate
) -> None:
    gate.open.clear()
    reply = await client.responses.create(model="banyan", input="How?", background=True)
    cancelled = await client.responses.cancel(reply.id)
    again = await client.responses.cancel(reply.id)

    assert (cancelled.status, again.status) == ("cancelled", "cancelled")
    tree_id = served.house.store.admitted[0].tree_id
    assert (await served.house.store.get_tree(tree_id)).status == "cancelled"


async def test_a_background_stream_that_is_left_does_not_end_the_solve(
    client: openai.AsyncOpenAI, gate: Gate
) -> None:
    gate.open.clear()
    async with await client.responses.create(
        model="banyan", input="How?", background=True, stream=True
    ) as stream:
        first = await anext(aiter(stream))
    assert first.type == "response.created"
    gate.open.set()
    again = await client.responses.retrieve(first.response.id, stream=True)

    assert [event.type async for event in again][-1] == "response.completed"


async def test_a_solve_that_fails_is_a_response_that_failed(
    house: House, client_of_house: openai.AsyncOpenAI
) -> None:
    reply = await client_of_house.responses.create(model="banyan", input="How?", background=True)
    failure = Failure(code="worker_lost", message="it died")
    outcome = Outcome(status="failed", failure=failure, complete=False)
    await house.finish(house.store.admitted[0].tree_id, outcome)
    reply = await client_of_house.responses.retrieve(reply.id)

    assert (reply.status, reply.output) == ("failed", [])
    assert reply.error is not None
    assert reply.error.message == "it died (worker_lost)"


@pytest.mark.parametrize("response", ["resp_" + "0" * 28, "chatcmpl-1", "resp_x"])
async def test_what_is_not_there_is_not_found(client: openai.AsyncOpenAI, response: str) -> None:
    with pytest.raises(openai.NotFoundError, match="no response with this id"):
        await client.responses.retrieve(response)
