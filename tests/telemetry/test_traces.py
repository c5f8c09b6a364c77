"""Traces in the memory of the SDK: what they tell, what belongs together, what is never told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as convention
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
)
from opentelemetry.trace import SpanKind

from banyan import signals
from banyan.adapters.memory_metrics import MemoryMetrics
from banyan.adapters.observed_engine import ObservedEngine
from banyan.adapters.opentelemetry_traces import OpenTelemetryTraces
from banyan.budget import Budget
from banyan.errors import EngineUnavailable
from banyan.ports import CallOptions, Claimed, Lease, Message, Prompt
from banyan.testing import ScriptedEngine

PROMPT = Prompt((Message("user", "xyzzy-canary"),), None, 3)
OPTIONS = CallOptions(salt="acme:base")
TREES = [f"solve_{number:026d}00" for number in range(200)]


class Told:
    """Traces that are kept here."""

    def __init__(self, share: float = 1.0) -> None:
        self._kept = InMemorySpanExporter()
        self.traces = OpenTelemetryTraces(
            SimpleSpanProcessor(self._kept), service="test", share=share
        )

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self._kept.get_finished_spans()


@pytest.fixture
def told() -> Iterator[Told]:
    kept = Told()
    yield kept
    kept.traces.close()


def claimed(
    tree: str,
    path: str,
    epoch: int = 1,
    *,
    suspended_epoch: int | None = None,
    parent_epoch: int | None = None,
) -> Claimed:
    return Claimed(
        lease=Lease(tree, path, epoch),
        packed=b"",
        budget=Budget(tokens=1, nodes=1),
        policy="base",
        deadline_at=10.0,
        now=2.0,
        generation=1,
        attempts=0,
        queued_at=1.0,
        outcomes=(),
        suspended_epoch=suspended_epoch,
        parent_epoch=parent_epoch,
    )


def test_names_are_those_of_the_conventions() -> None:
    assert {
        signals.OPERATION: convention.GEN_AI_OPERATION_NAME,
        signals.AGENT_NAME: convention.GEN_AI_AGENT_NAME,
        signals.CONVERSATION: convention.GEN_AI_CONVERSATION_ID,
        signals.PROVIDER: convention.GEN_AI_PROVIDER_NAME,
        signals.REQUEST_MODEL: convention.GEN_AI_REQUEST_MODEL,
        signals.MAX_TOKENS: convention.GEN_AI_REQUEST_MAX_TOKENS,
        signals.TEMPERATURE: convention.GEN_AI_REQUEST_TEMPERATURE,
        signals.TOP_P: convention.GEN_AI_REQUEST_TOP_P,
        signals.OUTPUT_TYPE: convention.GEN_AI_OUTPUT_TYPE,
        signals.FINISH_REASONS: convention.GEN_AI_RESPONSE_FINISH_REASONS,
        signals.INPUT_TOKENS: convention.GEN_AI_USAGE_INPUT_TOKENS,
        signals.OUTPUT_TOKENS: convention.GEN_AI_USAGE_OUTPUT_TOKENS,
        signals.CACHED_TOKENS: convention.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        signals.SERVER_ADDRESS: server_attributes.SERVER_ADDRESS,
        signals.SERVER_PORT: server_attributes.SERVER_PORT,
        signals.ERROR_TYPE: error_attributes.ERROR_TYPE,
        signals.HTTP_METHOD: http_attributes.HTTP_REQUEST_METHOD,
        signals.HTTP_ROUTE: http_attributes.HTTP_ROUTE,
        signals.HTTP_STATUS: http_attributes.HTTP_RESPONSE_STATUS_CODE,
        signals.INVOKE_AGENT: convention.GenAiOperationNameValues.INVOKE_AGENT.value,
        signals.CHAT: convention.GenAiOperationNameValues.CHAT.value,
    } == {name: name for name in list(signals_used())}


def signals_used() -> Iterator[str]:
    """Names that are not Banyan's own."""
    for name, value in vars(signals).items():
        is_name = isinstance(value, str) and name.isupper() and not value.startswith("banyan")
        if is_name and ("." in value or value in {"chat", "invoke_agent"}):
            yield value


def test_processes_that_know_nothing_of_one_another_tell_one_trace() -> None:
    root, child, again = Told(), Told(), Told()
    with root.traces.node(claimed(TREES[0], "0"), {}):
        pass
    with child.traces.node(claimed(TREES[0], "0.0", parent_epoch=1), {}):
        pass
    with again.traces.node(claimed(TREES[0], "0", 2, suspended_epoch=1), {}):
        pass
    [first], [below], [on] = root.spans, child.spans, again.spans
    assert {span.context.trace_id for span in (first, below, on)} == {first.context.trace_id}
    assert below.parent is not None
    assert below.parent.span_id == first.context.span_id
    assert [link.context.span_id for link in on.links] == [first.context.span_id]
    assert on.context.span_id != first.context.span_id


def test_a_share_of_trees_is_kept_each_of_them_whole() -> None:
    root, child = Told(share=0.25), Told(share=0.25)
    for tree in TREES:
        with root.traces.node(claimed(tree, "0"), {}):
            pass
        with child.traces.node(claimed(tree, "0.0", parent_epoch=1), {}):
            pass
    roots = {span.context.trace_id for span in root.spans}
    assert roots == {span.context.trace_id for span in child.spans}
    assert 0.1 < len(roots) / len(TREES) < 0.4


def test_an_error_is_told_by_its_type_and_never_by_its_message(told: Told) -> None:
    with (
        pytest.raises(ValueError, match="xyzzy-canary"),
        told.traces.node(claimed(TREES[0], "0"), {}),
    ):
        raise ValueError("xyzzy-canary")
    [span] = told.spans
    assert span.attributes is not None
    assert span.attributes[signals.ERROR_TYPE] == "ValueError"
    assert not span.status.is_ok
    assert "xyzzy-canary" not in span.to_json()


def no_answer(*_: object) -> str:
    """A model server's error that quotes the prompt, as bad ones do."""
    raise EngineUnavailable("xyzzy-canary")


async def test_a_call_that_fails_is_told_with_its_code_in_metrics_and_traces(told: Told) -> None:
    metrics = MemoryMetrics()
    inner = ScriptedEngine(rule=no_answer)
    engine = ObservedEngine(
        inner, "http://user:secret@gpu:8000", provider="vllm", metrics=metrics, traces=told.traces
    )
    with pytest.raises(EngineUnavailable):
        await engine.complete(PROMPT, schema={}, max_tokens=9, options=OPTIONS)
    calls = metrics.values[signals.ENGINE_CALLS]
    assert calls == {("gpu:8000", "complete", "engine_unavailable"): 1}
    assert metrics.of(signals.ENGINE_IN_FLIGHT, "gpu:8000") == 0
    assert metrics.observed[signals.ENGINE_SECONDS] == {}
    [span] = told.spans
    assert span.attributes is not None
    assert span.attributes[signals.SERVER_ADDRESS] == "gpu"
    assert span.attributes[signals.MAX_TOKENS] == 9
    assert not span.status.is_ok
    assert not {"xyzzy-canary", "secret"} & set(span.to_json().split('"'))


def test_what_sends_traces_is_not_loaded_where_nobody_collects_traces() -> None:
    program = (
        "import sys, workers.main, service.main\nsys.exit('opentelemetry.exporter' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603
    assert done.returncode == 0


def test_waiting_for_a_place_is_a_span_of_its_own_and_no_call(told: Told) -> None:
    with (
        told.traces.node(claimed(TREES[0], "0"), {}),
        told.traces.wait(signals.AWAIT_PLACE, {signals.ENGINE: "gpu:8000"}),
    ):
        pass
    waited, node = told.spans
    assert (waited.name, waited.kind) == ("await_place", SpanKind.INTERNAL)
    assert waited.parent is not None
    assert waited.parent.span_id == node.context.span_id
