"""How `bench.engine_use` measures: the generator's calls, the server's counters, a small run."""

from __future__ import annotations

import argparse
import asyncio
import json
import urllib.request

import aiohttp
import httpx
import pytest

from bench.engine_counts import Counts, Rate, Samples, read_counts
from bench.engine_use import Shape, measure, solve_fake
from bench.plain_load import Lengths, PlainLoad
from bench.stack import Stack
from tests.fixtures.fake_engine import fake_engine


def test_a_rate_is_of_the_time_between_its_samples() -> None:
    rate = Rate.of([Counts(10.0, 100, 4, 0), Counts(11.0, 150, 4, 1), Counts(12.0, 220, 4, 2)])

    assert rate == Rate(seconds=2.0, tokens_per_s=60.0, in_flight=5.0, waiting=1.0)


def test_a_rate_of_one_sample_is_an_error_and_no_number() -> None:
    with pytest.raises(RuntimeError, match="often enough"):
        Rate.of([Counts(10.0, 100, 4, 0)])


def test_counters_of_vllm_are_read_over_all_of_its_engines() -> None:
    page = "\n".join(
        f'vllm:{name}{{engine="{engine}"}} {value}'
        for engine in (0, 1)
        for name, value in {
            "prompt_tokens_total": 1.5e3,
            "generation_tokens_total": 20.0,
            "num_requests_running": 3.0,
            "num_requests_waiting": 1.0,
        }.items()
    )
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=page))
    with httpx.Client(transport=transport) as http:
        counts = read_counts(http, "http://gpu:8000", is_fake=False)

    assert (counts.tokens, counts.running, counts.waiting) == (3_040.0, 6.0, 2.0)


async def test_the_generator_keeps_its_width_and_its_lengths() -> None:
    lengths = Lengths(prompt=300, cached=100, completion=40)
    with fake_engine("--rule", "longest", "--latency", "0.2") as url:
        load = await PlainLoad.made(url, lengths)
        before = _stats(url)
        await load.run(6, 0.0, enough=lambda: _stats(url)["max_in_flight"] == 6)
        after = _stats(url)

    done = {name: after[name] - before[name] for name in after}
    assert after["max_in_flight"] == 6
    assert done["calls"] >= 6
    assert done["completion_tokens"] == lengths.completion * done["calls"]
    assert done["prompt_tokens"] / done["calls"] == pytest.approx(lengths.prompt, rel=0.1)


async def test_the_generator_goes_on_until_each_caller_has_had_its_rounds() -> None:
    lengths = Lengths(prompt=30, cached=0, completion=4)
    with fake_engine("--rule", "longest", "--latency", "0.05") as url:
        load = await PlainLoad.made(url, lengths)
        ends = await load.run(5, 0.0, rounds=3)

    assert len(ends) >= 15
    assert ends == sorted(ends)


async def test_no_prompt_of_the_generator_is_one_that_a_server_has_seen() -> None:
    asked: list[str] = []

    class Heard(PlainLoad):
        async def call(self, http: aiohttp.ClientSession, text: str) -> int:
            del http
            asked.append(text)
            await asyncio.sleep(0)
            return 1

    for _ in range(2):  # started twice
        load = Heard("http://gpu:8000", "m", Lengths(prompt=30, cached=10, completion=4), 1.0)
        for width in (1, 4):
            num_asked = len(asked)
            await load.run(width, 0.0, enough=lambda: len(asked) > num_asked + 20)  # noqa: B023

    assert len(set(asked)) == len(asked) > 80
    assert len({text.split("item")[1] for text in asked}) == 1  # what is to be cached


def test_a_solve_and_the_generator_are_measured_on_one_server() -> None:
    options = argparse.Namespace(
        engine=None, calls=160, slowness=2.0, widths=[1, 4], seconds=1.0, workers=1, dressed=False
    )
    shape = Shape("slots", 4, 0.1)
    stack = Stack(
        latency_s=shape.latency_s,
        num_workers=1,
        slots=32,
        settings={"BANYAN_ENGINE_CONCURRENCY": "auto"},
        engine_options=shape.options,
    )
    found = measure("slots", stack, solve_fake, options, settle_s=0.2)

    assert [row.phase for row in found.rows] == ["from cold", "slowed"]
    assert {row.best_width for row in found.rows} == {max(found.curve, key=found.curve.__getitem__)}
    assert all(row.plain.tokens_per_s > 0 < row.solve.tokens_per_s for row in found.rows)
    assert sorted(found.curve) == [1, 4]


def test_samples_are_those_of_the_time_that_is_asked_for() -> None:
    samples = Samples("http://gpu:8000", is_fake=True)
    samples.kept = [Counts(float(at), 10.0 * at, 1, 0) for at in range(10)]

    assert samples.between(2.0, 5.0).tokens_per_s == 10.0
    assert samples.between(2.0, 5.0).seconds == 3.0


def _stats(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/stats") as reply:  # noqa: S310 - our own server
        seen: dict[str, int] = json.load(reply)
    return seen
