"""The modelled prefix cache, and the fakes that have one."""

from __future__ import annotations

import asyncio
import json
from itertools import takewhile
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from banyan.ports import CallOptions, Message
from banyan.testing import FakeServer, PrefixCache, ScriptedEngine, longest_rule
from tests.engine.asgi import Exchange
from tests.engine.dialogues import OPTIONS

TOKENS = st.lists(st.integers(0, 3), max_size=40)


def test_what_two_prompts_begin_with_is_found_in_whole_blocks() -> None:
    cache = PrefixCache(num_blocks=100, block_tokens=4)
    cache.keep("s", [1, 2, 3, 4, 5, 6, 7, 8, 9])

    assert cache.find("s", [1, 2, 3, 4, 5, 6, 7, 0, 0]) == 4
    assert (cache.num_asked, cache.num_found) == (9, 4)


def test_the_last_token_of_a_prompt_is_always_computed() -> None:
    cache = PrefixCache(num_blocks=100, block_tokens=4)
    cache.keep("s", [1, 2, 3, 4, 5, 6, 7, 8])

    assert cache.find("s", [1, 2, 3, 4, 5, 6, 7, 8]) == 4


def test_another_salt_finds_nothing() -> None:
    cache = PrefixCache(num_blocks=100, block_tokens=4)
    cache.keep("mine", [1, 2, 3, 4, 5])

    assert cache.find("yours", [1, 2, 3, 4, 5]) == 0


def test_equal_blocks_behind_other_beginnings_are_other_blocks() -> None:
    cache = PrefixCache(num_blocks=100, block_tokens=2)
    cache.keep("s", [1, 1, 7, 7, 7])

    assert cache.find("s", [2, 2, 7, 7, 7]) == 0


def test_a_full_cache_gives_up_what_was_not_used_for_longest_and_ends_before_beginnings() -> None:
    cache = PrefixCache(num_blocks=4, block_tokens=1)
    cache.keep("s", [1, 2])
    cache.keep("s", [3, 4])
    cache.keep("s", [1])
    cache.keep("s", [5])

    assert cache.find("s", [1, 0]) == 1
    assert cache.find("s", [1, 2, 0]) == 1  # its end went first
    assert cache.find("s", [3, 4, 0]) == 2


@given(TOKENS, TOKENS)
def test_the_whole_blocks_that_two_prompts_share_are_found(
    left: list[int], right: list[int]
) -> None:
    cache = PrefixCache(num_blocks=100, block_tokens=3)
    cache.keep("s", left)
    pairs = zip(left, right[:-1], strict=False)
    shared = len([*takewhile(lambda pair: pair[0] == pair[1], pairs)])

    assert cache.find("s", right) == shared - shared % 3


async def test_a_scripted_engine_finds_a_parents_prompt_and_reply_in_a_childs() -> None:
    engine = ScriptedEngine(rule=lambda _, __: "one two three", cache=PrefixCache(100, 1))
    prompt = await engine.render([Message("user", "a b c d")])
    reply = await engine.complete(prompt, schema=None, max_tokens=9, options=OPTIONS)
    assert prompt.token_ids
    assert reply.token_ids
    prefix = Message("prefix", "", (*prompt.token_ids, *reply.token_ids))
    child = await engine.render([prefix, Message("user", "and now?")])

    again = await engine.complete(child, schema=None, max_tokens=9, options=OPTIONS)
    other = CallOptions(salt="another")
    apart = await engine.complete(child, schema=None, max_tokens=9, options=other)

    assert reply.cached_tokens == apart.cached_tokens == 0
    assert again.cached_tokens == len(prompt.token_ids) + len(reply.token_ids)


async def test_a_fake_server_tells_what_its_cache_had() -> None:
    server = FakeServer(cache=PrefixCache(100, block_tokens=2))
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "word " * 40}]}

    cached = []
    for salt in ("a", "a", "b"):
        reply = await Exchange.post(server, "/v1/chat/completions", body | {"cache_salt": salt})
        cached.append(reply["usage"]["prompt_tokens_details"]["cached_tokens"])

    assert cached[0] == cached[2] == 0
    assert cached[1] > 40
    assert server.stats.cached_tokens == cached[1]


def test_the_longest_rule_writes_as_much_as_it_may() -> None:
    shown = Message("user", "<document>\nThe river rises.\n</document>\nin at most 30 words")
    answer = {"answer": {"type": "string", "maxLength": 90}}
    schema = {"type": "object", "properties": answer, "required": ["answer"]}

    bounded = json.loads(longest_rule([shown], schema))["answer"]

    assert 90 - len("rises. ") < len(bounded) <= 90
    assert len(longest_rule([shown], None).split()) == 30


async def test_a_fake_server_computes_as_many_calls_at_one_time_as_it_is_told() -> None:
    server = FakeServer(0.01, serves=2)
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
    asked = [Exchange.post(server, "/v1/chat/completions", body) for _ in range(6)]

    await asyncio.gather(*asked)

    assert (server.stats.max_in_flight, server.stats.max_computing) == (6, 2)
