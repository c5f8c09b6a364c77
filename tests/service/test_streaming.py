"""Event streams over a real socket: deltas before the end, resumption, heartbeats, shutdown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from banyan.node import Outcome
from service.settings import ServiceSettings
from tests.fixtures.waiting import PATIENCE_S, until
from tests.service.house import House, WatchedStore, answered, assert_problem
from tests.service.served import Served, frames_of

EVENTS = {"Accept": "text/event-stream"}
PIECES = ("By ", "roots", "\u2028.")


async def play(house: House, solve: str) -> None:
    """A worker that answers in pieces."""
    claimed = await house.claim(solve)
    for piece in PIECES:
        await house.store.delta(claimed.lease, {"text": piece})
    await house.store.finish(claimed.lease, Outcome(status="ok", answer="".join(PIECES)), log=None)


async def number_of_readers(house: House, number: int) -> None:
    """Wait until so many read events."""
    await until(lambda: house.store.num_readers == number)


def ids(frames: list[dict[str, str]]) -> list[int]:
    return [int(frame["id"]) for frame in frames if "id" in frame]


def events(frames: list[dict[str, str]]) -> list[dict[str, str]]:
    return [frame for frame in frames if "event" in frame]


async def test_pieces_of_the_answer_come_before_the_root_is_finished(
    served: Served, http: httpx.AsyncClient
) -> None:
    house = served.house
    body = {"goal": "How?", "documents": [{"text": "By roots."}]}
    async with http.stream("POST", "/solve", json=body, headers=EVENTS) as reply:
        assert reply.status_code == 200
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        solve = reply.headers["Location"].rpartition("/")[2]
        frames = frames_of(reply)
        claimed = await house.claim(solve)
        await house.store.delta(claimed.lease, {"text": "By "})
        seen = [frame async for frame in up_to(frames, "answer.delta")]
        assert json.loads(seen[-1]["data"])["data"] == {"node": "0", "text": "By "}
        assert (await house.store.get_tree(solve)).status == "running"

        await house.store.finish(claimed.lease, Outcome(status="ok", answer="By roots."), log=None)
        rest = events([frame async for frame in frames])

    assert [frame["event"] for frame in rest] == ["node.finished", "tree.finished", "result"]
    result = json.loads(rest[-1]["data"])
    assert (result["id"], result["answer"]) == (solve, "By roots.")


async def up_to(frames: AsyncIterator[dict[str, str]], kind: str) -> AsyncIterator[dict[str, str]]:
    """The frames up to and with the first event of this kind."""
    async for frame in frames:
        yield frame
        if frame.get("event") == kind:
            return


async def test_a_stream_resumes_at_every_event_without_gap_or_repeat(
    served: Served, http: httpx.AsyncClient
) -> None:
    solve = await served.house.submit()
    await play(served.house, solve)
    whole = await served.follow(http, solve)

    assert ids(whole) == list(range(1, len(whole)))
    assert whole[-1]["event"] == "result"
    assert "id" not in whole[-1]
    for last in range(1, len(whole)):
        resumed = await served.follow(http, solve, {"Last-Event-ID": str(last)})
        assert resumed == whole[last:]


async def test_a_stream_that_breaks_while_the_tree_runs_goes_on_behind_what_came(
    served: Served, http: httpx.AsyncClient
) -> None:
    house = served.house
    solve = await house.submit()
    claimed = await house.claim(solve)
    async with http.stream("GET", f"/solve/{solve}/events") as reply:
        first = [frame async for frame in up_to(frames_of(reply), "node.claimed")]
    for piece in PIECES:
        await house.store.delta(claimed.lease, {"text": piece})
    await house.store.finish(claimed.lease, Outcome(status="ok", answer="x"), log=None)
    rest = await served.follow(http, solve, {"Last-Event-ID": str(ids(first)[-1])})

    assert ids(first) + ids(rest) == list(range(1, ids(rest)[-1] + 1))


async def test_an_idle_stream_is_kept_alive_with_comments(
    served: Served, http: httpx.AsyncClient
) -> None:
    solve = await served.house.submit()
    async with http.stream("GET", f"/solve/{solve}/events") as reply:
        frames = frames_of(reply)
        first = await anext(frames)
        heartbeats = [await anext(frames) for _ in range(3)]
        await play(served.house, solve)
        rest = [frame async for frame in frames]

    assert first["event"] == "tree.admitted"
    assert [set(frame) for frame in heartbeats] == [{""}] * 3
    assert ids(rest) == list(range(2, 2 + len(ids(rest))))
    assert rest[-1]["event"] == "result"


async def test_many_clients_follow_one_solve(served: Served, http: httpx.AsyncClient) -> None:
    solve = await served.house.submit()
    following = [asyncio.create_task(served.follow(http, solve)) for _ in range(20)]
    await play(served.house, solve)
    seen = await asyncio.gather(*following)

    assert all(events(frames) == events(seen[0]) for frames in seen)


async def test_a_stream_of_an_unknown_solve_is_not_found(http: httpx.AsyncClient) -> None:
    assert_problem(await http.get("/solve/solve_" + "0" * 28 + "/events"), 404, "not_found")


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 40, "2"])
async def test_an_id_that_no_event_has_is_refused(
    served: Served, http: httpx.AsyncClient, last: str
) -> None:
    solve = await served.house.submit()
    reply = await http.get(f"/solve/{solve}/events", headers={"Last-Event-ID": last})

    assert_problem(reply, 400, "invalid_header")


async def test_a_bad_request_for_events_is_a_problem_and_no_stream(
    served: Served, http: httpx.AsyncClient
) -> None:
    reply = await http.post("/solve", json={"goal": ""}, headers=EVENTS)

    assert_problem(reply, 422, "invalid_input")
    served.house.assert_nothing_stored()


async def test_a_service_that_stops_ends_streams_that_can_be_resumed(
    served: Served, http: httpx.AsyncClient
) -> None:
    solve = await served.house.submit()
    async with http.stream("GET", f"/solve/{solve}/events") as reply:
        frames = frames_of(reply)
        first = await anext(frames)
        served.house.app.state.ports.stopping.set()
        rest = events([frame async for frame in frames])

    assert (first["event"], rest) == ("tree.admitted", [])


async def test_a_client_that_hangs_up_lets_go_of_the_events(
    served: Served, http: httpx.AsyncClient
) -> None:
    house = served.house
    solve = await house.submit()
    async with http.stream("GET", f"/solve/{solve}/events") as reply:
        await anext(frames_of(reply))
        assert house.store.num_readers == 1

    await number_of_readers(house, 0)
    await house.finish(solve, answered("doc_1", answer="x", citations=(), covered=()))
    assert (await http.get(f"/solve/{solve}")).json()["status"] == "completed"


async def test_a_caller_that_hangs_up_while_waiting_leaves_the_solve_running(
    served: Served, http: httpx.AsyncClient
) -> None:
    house = served.house
    waiting = asyncio.create_task(http.post("/solve", json={"goal": "Why?"}))
    await house.queue.sent.wait()
    solve = house.store.admitted[0].tree_id
    await number_of_readers(house, 1)
    waiting.cancel()
    await number_of_readers(house, 0)

    assert (await house.store.get_tree(solve)).status == "queued"


async def test_an_upload_that_breaks_off_leaves_nothing(served: Served) -> None:
    reader, writer = await asyncio.open_connection(*served.address)
    writer.write(
        b"POST /documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        b"Content-Length: 1000\r\n\r\nhalf of it"
    )
    await writer.drain()
    await served.house.library.began.wait()
    writer.close()
    async with asyncio.timeout(PATIENCE_S):
        await served.house.library.ended.wait()

    assert await reader.read() == b""
    served.house.assert_nothing_stored()


async def test_events_that_are_not_kept_any_more_are_gone_and_it_is_said_what_is_there() -> None:
    house = House(ServiceSettings(), store=WatchedStore(max_events=3))
    async with house.http:
        solve = await house.submit()
        await play(house, solve)
        path = f"/solve/{solve}"
        last = (await house.store.get_tree(solve)).last_event
        for reply in (
            await house.http.get(f"{path}/events"),
            await house.http.get(f"{path}/events", headers={"Last-Event-ID": str(last - 4)}),
            await house.http.get(f"{path}/trace"),
        ):
            problem = assert_problem(reply, 410, "events_trimmed")
            assert f"Last-Event-ID: {last - 3}" in problem["hint"]
        kept = await house.http.get(f"{path}/events", headers={"Last-Event-ID": str(last - 3)})

    assert [line for line in kept.text.splitlines() if line.startswith("id: ")] == [
        f"id: {seq}" for seq in range(last - 2, last + 1)
    ]
