"""How many calls may be in flight: limiters over simulated servers, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import repeat

from hypothesis import given, settings
from hypothesis import strategies as st

from banyan.concurrency import Bounds, Limiter, Load
from tests.kernel.simulated_server import Caller, Server, run

COLD_S, COLD_FLIGHTS = 5.0, 4
"""From a cold start to the server's best: so many seconds, or flights where they take longer."""

FEW = settings(max_examples=10, deadline=None)

servers = st.builds(
    lambda places, alone_s, each_s: Server(places, lambda batch: alone_s + each_s * batch),
    places=st.integers(1, 48),
    alone_s=st.floats(0.04, 0.2),
    each_s=st.sampled_from([0.0, 0.002, 0.02]),  # slots of their own, or a batch
)


def mixed(seed: int, longest: int = 100) -> Iterator[int]:
    """Half of the calls have one token, as the gate's; the others have as many as answers."""
    draw = random.Random(seed)  # noqa: S311 - the same in every run
    while True:
        yield 1 if draw.random() < 0.5 else draw.randint(2, longest)


def callers(num: int, *, start: int = 8, seed: int = 0) -> list[Caller]:
    return [Caller(Limiter(Bounds(start=start)), mixed(seed + index)) for index in range(num)]


def fly(server: Server, them: list[Caller], flights: int, least_s: float = COLD_S) -> float:
    """Let so many calls end for each that may be in flight, or more; tokens a second."""
    num_calls = flights * max(server.places, sum(caller.limiter.limit for caller in them))
    until, began, tokens = server.num_answered + num_calls, server.now, server.num_tokens
    run(server, them, least_s)
    while server.num_answered < until:
        run(server, them, 1.0)
    return (server.num_tokens - tokens) / (server.now - began)


def most_of_use(server: Server, num_callers: int) -> int:
    """All who send together: what is computed, what may wait, and a step of each."""
    load = Load(server.places, 0)
    return server.places + load.spare + 1 + num_callers * (load.step + 1)


def in_flight(them: list[Caller]) -> int:
    return sum(caller.in_flight for caller in them)


@FEW
@given(servers, st.integers(1, 4))
def test_from_a_cold_start_the_server_is_soon_as_busy_as_it_can_be(
    server: Server, num_callers: int
) -> None:
    them = callers(num_callers)
    fly(server, them, COLD_FLIGHTS)

    assert fly(server, them, 3) >= 0.95 * server.best()


@FEW
@given(servers, st.integers(1, 4))
def test_together_they_do_not_exceed_what_the_server_takes(
    server: Server, num_callers: int
) -> None:
    them = callers(num_callers)
    fly(server, them, 12, 20.0)

    assert in_flight(them) <= most_of_use(server, num_callers)


@FEW
@given(servers, st.floats(2.0, 30.0))
def test_a_server_that_slows_down_keeps_its_calls(server: Server, factor: float) -> None:
    [caller] = them = callers(1)
    fly(server, them, 8, 20.0)
    fast = server.step_s
    server.step_s = lambda batch: factor * fast(batch)

    for _ in range(4):
        assert fly(server, them, 1) >= 0.95 * server.best()
        assert caller.limiter.limit >= server.places
        assert caller.in_flight <= most_of_use(server, 1)


@FEW
@given(servers, st.integers(1, 3))
def test_calls_that_become_longer_or_shorter_do_not_move_it(
    server: Server, num_callers: int
) -> None:
    them = callers(num_callers)
    fly(server, them, 8, 20.0)

    for length in (1, 150, 1):
        for caller in them:
            caller.lengths = repeat(length)
        fly(server, them, 3)
        assert fly(server, them, 3) >= 0.95 * server.best()


@FEW
@given(servers, st.lists(st.integers(1, 64), min_size=2, max_size=4))
def test_those_that_share_a_server_come_to_like_shares(server: Server, starts: list[int]) -> None:
    them = [
        Caller(Limiter(Bounds(start=start)), mixed(index)) for index, start in enumerate(starts)
    ]
    fly(server, them, 16, 30.0)
    before = [caller.num_answered for caller in them]
    fly(server, them, 32, 60.0)

    shares = [caller.num_answered - was for caller, was in zip(them, before, strict=True)]
    assert min(shares) >= 0.4 * sum(shares) / len(shares)


@FEW
@given(servers, st.integers(1, 4))
def test_a_server_that_takes_fewer_gets_fewer_and_later_more_again(
    server: Server, num_callers: int
) -> None:
    them = callers(num_callers)
    fly(server, them, 8, 20.0)
    all_places, server.places = server.places, max(1, server.places // 3)
    fly(server, them, 12, 20.0)
    assert in_flight(them) <= most_of_use(server, num_callers)

    server.places = all_places
    fly(server, them, 6, 30.0)

    assert fly(server, them, 3) >= 0.95 * server.best()


@FEW
@given(servers, st.integers(1, 3), st.booleans())
def test_after_an_outage_it_is_as_before(server: Server, num_callers: int, tells: bool) -> None:
    server.tells, server.room = tells, 0 if not tells else None
    them = callers(num_callers)
    fly(server, them, 8, 20.0)
    server.go_down()
    run(server, them, 60.0)
    server.is_up = True
    fly(server, them, 8, 20.0)

    assert fly(server, them, 3) >= 0.85 * server.best()


@FEW
@given(servers, st.integers(0, 16))
def test_a_server_that_tells_nothing_is_followed_by_what_it_refuses(
    server: Server, room: int
) -> None:
    server.tells, server.room = False, room
    them = callers(1)
    fly(server, them, 10, 20.0)
    refused, answered = server.num_refused, server.num_answered

    assert fly(server, them, 20) >= 0.85 * server.best()
    assert server.num_refused - refused <= 0.2 * (server.num_answered - answered)


looks = st.tuples(
    st.just("look"), st.builds(Load, st.integers(0, 99), st.integers(0, 99)), st.booleans()
)
events = st.lists(
    st.one_of(looks, st.tuples(st.sampled_from(["ended", "refused", "silent"]))), max_size=200
)


@given(events, st.integers(1, 20), st.integers(0, 30))
def test_it_stays_within_its_bounds_whatever_happens(
    told: list[tuple[object, ...]], least: int, more: int
) -> None:
    bounds = Bounds(least, least, least + more)
    limiter = Limiter(bounds)
    for event in told:
        match event:
            case ("look", Load() as load, bool() as held_back):
                limiter.looked(load, in_flight=limiter.limit, held_back=held_back)
            case ("silent",):
                limiter.looked(None, in_flight=limiter.limit, held_back=True)
            case ("refused",):
                limiter.refused(num_cuts=limiter.num_cuts, in_flight=limiter.limit)
            case _:
                limiter.ended()
        assert bounds.least <= limiter.limit <= bounds.most


def test_it_does_not_grow_for_nobody() -> None:
    limiter = Limiter()
    for _ in range(100):
        limiter.ended()
        limiter.looked(Load(4, 0), in_flight=4, held_back=False)
        limiter.looked(None, in_flight=4, held_back=False)

    assert limiter.limit == Bounds().start


def test_a_queue_that_comes_and_goes_within_a_flight_is_no_reason() -> None:
    limiter = Limiter()
    for number in range(400):
        limiter.ended()
        limiter.looked(Load(4, 4 * (number % 8 < 6)), in_flight=8, held_back=False)

    assert limiter.limit == Bounds().start


def test_a_server_that_has_not_counted_the_newest_calls_yet_is_not_given_twice_as_many() -> None:
    limiter = Limiter()
    limiter.looked(Load(2, 0), in_flight=8, held_back=True)
    assert limiter.limit == 9

    limiter.looked(Load(9, 0), in_flight=9, held_back=True)
    assert limiter.limit == 18


def test_calls_that_were_sent_before_a_cut_do_not_cut_again() -> None:
    limiter = Limiter(Bounds(start=100))
    sent_under = limiter.num_cuts
    for _ in range(50):
        limiter.refused(num_cuts=sent_under, in_flight=100)

    assert limiter.limit == 90


def test_a_call_waits_in_the_server_for_each_place_that_falls_free() -> None:
    server, them = Server(8, lambda batch: 0.05 + 0.01 * batch), callers(1)
    fly(server, them, 12, 30.0)
    busy = 0
    for _ in range(200):
        run(server, them, 0.1)
        busy += len(server.running) == server.places

    assert busy >= 190
