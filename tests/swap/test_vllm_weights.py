"""What vLLM says about its weights, on the wire: half-done resets, broken adapters, metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.vllm import VllmEngine
from banyan.adapters.vllm_weights import VllmWeights
from banyan.errors import EngineRefused, EngineUnavailable, NotLoaded
from banyan.manifest import Probe
from banyan.ports import CallOptions, Message, Prompt
from tests.engine.wire import reply, wire

MODELS = b'{"data": [{"id": "own", "root": "/m"}, {"id": "policy-v1", "parent": "own"}]}'
PROBE = Probe(prompt_token_ids=(5,), token_ids=(6, 7), logprobs=(-1.0, -2.0))
UNKNOWN = json.dumps(
    {"error": {"message": "no such model", "type": "NotFoundError", "param": "model", "code": 404}}
).encode()


async def test_a_reset_that_did_nothing_is_made_again(tmp_path: Path) -> None:
    failed, done = reply(b'{"success": false}'), reply(b'{"success": true}')
    async with wire(reply(b'{"results": [null]}'), failed, done) as server:
        weights = VllmWeights(EngineHttp(server.url))
        await weights.reload(tmp_path)
        await weights.close()

    assert f'"weights_path":"{tmp_path}"'.encode() in server.requests[0]
    assert [request.split()[1] for request in server.requests] == [
        b"/collective_rpc",
        b"/reset_prefix_cache",
        b"/reset_prefix_cache",
    ]


async def test_its_own_weights_are_where_it_says() -> None:
    async with wire(
        reply(MODELS), reply(b'{"results": [null]}'), reply(b'{"success": true}')
    ) as server:
        weights = VllmWeights(EngineHttp(server.url))
        await weights.reload(None)
        await weights.close()

    assert b'"weights_path":"/m"' in server.requests[1]


async def test_adapters_are_those_with_a_parent_and_calls_are_counted() -> None:
    metrics = (
        b'# HELP vllm:num_requests_running x\nvllm:num_requests_running{engine="0"} 2.0\n'
        b'vllm:num_requests_waiting{engine="0"} 1.0\nvllm:num_requests_waiting_by_reason{r="x"} 9\n'
    )
    async with wire(reply(MODELS), reply(metrics)) as server:
        weights = VllmWeights(EngineHttp(server.url))
        assert await weights.adapters() == {"policy-v1"}
        assert await weights.num_calls() == 3
        await weights.close()


def scored(*positions: dict[str, float]) -> bytes:
    """vLLM's reply: the tokens that were asked for, at the one position of each prompt."""
    return json.dumps(
        {"choices": [{"text": "", "logprobs": {"top_logprobs": [at]}} for at in positions]}
    ).encode()


async def test_a_probe_is_scored_cold_under_a_salt_of_its_own() -> None:
    body = scored(
        {"token_id:6": -0.5, "token_id:7": -4.0}, {"token_id:6": -3.0, "token_id:7": -0.25}
    )
    other, less = scored({"token_id:6": -0.5}, {"token_id:6": -3.0}), scored({"token_id:6": -0.5})
    async with wire(reply(body), reply(body), reply(other), reply(less)) as server:
        weights = VllmWeights(EngineHttp(server.url))
        assert await weights.probe(PROBE, "policy-v1") == (-0.5, -0.25)
        assert await weights.probe(PROBE, "policy-v1") == (-0.5, -0.25)
        for _ in range(2):
            with pytest.raises(EngineRefused, match="did not score"):
                await weights.probe(PROBE, "policy-v1")
        await weights.close()

    sent = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
    assert all(body["prompt"] == [[5], [5, 6]] for body in sent)
    assert all(body["model"] == "policy-v1" for body in sent)
    assert all(body["logprob_token_ids"] == [6, 7] for body in sent)
    assert len({body["cache_salt"] for body in sent}) == 4


async def test_an_adapter_that_cannot_be_loaded_raises(tmp_path: Path) -> None:
    async with wire(
        reply(b'{"error": {"message": "rank"}}', "500 Internal Server Error")
    ) as server:
        weights = VllmWeights(EngineHttp(server.url))
        with pytest.raises(EngineUnavailable, match="500"):
            await weights.load_adapter("policy-v1", tmp_path)
        await weights.close()


@pytest.mark.parametrize(("policy", "error"), [("policy-v7", NotLoaded), ("base", EngineRefused)])
async def test_an_unknown_adapter_is_waited_for_and_an_unknown_model_is_not(
    policy: str, error: type[Exception]
) -> None:
    models = b'{"data": [{"id": "own", "max_model_len": 2048}]}'
    prompt = Prompt((Message("user", "a"),), (1, 2), 2)
    async with wire(reply(models), reply(UNKNOWN, "404 Not Found")) as server:
        engine = VllmEngine(EngineHttp(server.url))
        options = CallOptions(salt="t", policy=policy)
        with pytest.raises(error) as raised:
            await engine.complete(prompt, schema=None, max_tokens=1, options=options)
        await engine.close()
    assert isinstance(raised.value, EngineUnavailable) == (error is NotLoaded)
