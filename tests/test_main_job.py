"""The main job on real parts alone: a real model and engine, Valkey, Celery workers, the service.

A document larger than the model's window is divided, read by copies in parallel, and merged.
"""

from __future__ import annotations

import pydoc_data.topics

import pytest

from banyan.client import Client
from banyan.limits import Limits
from bench.stack import Stack
from tests.fixtures.engines import WINDOW, ServedEngine

QUESTION = "Summarise what is said about exceptions."
OF_THE_MODEL = {"BANYAN_STRUCTURED_CHILDREN": "false"}
"""It has 135M parameters, and asks its children for objects that they cannot write."""


@pytest.fixture(params=["llama", "vllm"])
def engine(request: pytest.FixtureRequest) -> ServedEngine:
    served: ServedEngine = request.getfixturevalue(request.param)
    return served


def test_a_document_larger_than_the_window_is_answered_with_its_sources(
    engine: ServedEngine,
) -> None:
    text = pydoc_data.topics.topics["exceptions"] + pydoc_data.topics.topics["try"]
    with (
        Stack(
            engine=(engine.kind, engine.url),
            window=WINDOW,
            num_workers=1,
            slots=4,
            settings=OF_THE_MODEL,
        ) as stack,
        Client(stack.url) as client,
    ):
        submitted = client.submit(QUESTION, texts=[text], limits=Limits(deadline_s=500))
        events = list(client.stream(submitted.id))
        result = events[-1].result
        assert result is not None
        page = client.tree(result.id)
        root = client.node(result.id, "0")
    assert result.status == "completed"
    assert page.total > 2
    assert result.usage.max_depth >= 1
    assert result.usage.prompt_tokens > WINDOW
    assert result.coverage is not None
    assert result.coverage.share == 1.0
    assert result.citations
    for citation in result.citations:
        assert text[citation.start : citation.end] == citation.quote
    types = [event.type for event in events]
    assert types.index("answer.delta") < types.index("tree.finished")
    answer = ""
    for event in events:
        answer = event.extend(answer)
    assert answer == result.answer
    valid = [turn for turn in root.turns if turn.valid]
    assert [turn.decision.kind for turn in valid] == ["delegate", "answer"]
    assert valid[0].decision.score is not None
    assert valid[0].decision.threshold is not None
