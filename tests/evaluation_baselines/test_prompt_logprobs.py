from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from banyan.errors import AbilityMissing, EngineRefused, EngineUnavailable
from banyan.evaluation.prompt_logprobs import VllmScorer

Answer = Callable[[httpx.Request], httpx.Response]


def _scorer(answer: Answer) -> VllmScorer:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://model")
    return VllmScorer(client, "m")


def _completion(positions: object) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        assert request.url.path == "/v1/completions"
        assert (body["model"], body["prompt"], body["max_tokens"]) == ("m", [7, 8, 9], 1)
        assert body["prompt_logprobs"] == 0
        return httpx.Response(200, json={"choices": [{"text": "", "prompt_logprobs": positions}]})

    return answer


async def test_the_logprobs_are_those_of_the_given_tokens() -> None:
    positions = [
        None,
        {"8": {"logprob": -1.5, "rank": 3}, "4": {"logprob": -0.5, "rank": 1}},
        {"9": {"logprob": -0.25, "rank": 1}},
    ]
    assert await _scorer(_completion(positions)).score([7, 8, 9]) == [-1.5, -0.25]


async def test_a_server_that_ignores_the_request_is_named_as_such() -> None:
    with pytest.raises(AbilityMissing, match="no log-probabilities"):
        await _scorer(_completion(None)).score([7, 8, 9])


@pytest.mark.parametrize(
    "positions", [[None, {"8": {"logprob": -1.0}}], [None, {"4": {"logprob": -1.0}}, None]]
)
async def test_scores_of_other_tokens_are_refused(positions: object) -> None:
    with pytest.raises(EngineRefused):
        await _scorer(_completion(positions)).score([7, 8, 9])


async def test_tokens_are_asked_of_the_server_with_or_without_its_beginning() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        begin = [1] if body["add_special_tokens"] else []
        return httpx.Response(200, json={"tokens": [*begin, 5, 6], "count": 2})

    scorer = _scorer(answer)
    assert await scorer.tokenize("a text") == [5, 6]
    assert await scorer.tokenize("a text", begins=True) == [1, 5, 6]


@pytest.mark.parametrize(
    ("status", "error"), [(503, EngineUnavailable), (400, EngineRefused), (404, EngineRefused)]
)
async def test_a_status_becomes_an_engine_error(status: int, error: type[Exception]) -> None:
    scorer = _scorer(lambda _: httpx.Response(status, text="no"))
    with pytest.raises(error):
        await scorer.tokenize("a text")


async def test_a_server_that_is_down_is_unavailable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(EngineUnavailable):
        await _scorer(answer).score([1, 2])


async def test_a_reply_of_another_shape_is_refused() -> None:
    with pytest.raises(EngineRefused, match="tokens"):
        await _scorer(lambda _: httpx.Response(200, json={"ids": []})).tokenize("a text")
