"""What real programs tell of a tree: metrics that add up, one trace, logs without content."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from banyan import signals
from banyan.adapters.celery_queue import CeleryQueue
from banyan.adapters.stores import make_store
from banyan.admission import admission
from banyan.limits import Limits
from banyan.node import Node
from banyan.settings import Settings
from banyan.state import format_version
from banyan.task import Task
from banyan.testing.collector import Collector, Seen
from banyan.tree import tree_id
from bench.stack import Stack, wait_until

CANARY = "xyzzy-canary"
DEPTH, FAN_OUT = 2, 3
NUM_NODES = 1 + FAN_OUT + FAN_OUT**2
NUM_INNER = 1 + FAN_OUT
FOREIGN_S = 2.0
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Run:
    """A finished solve, and all that the programs told meanwhile."""

    solve: dict[str, Any]
    metrics: dict[str, float]
    """Of the worker, by name and the values of labels."""
    spans: list[Seen]
    traced: bytes
    logs: list[dict[str, Any]]
    refused: dict[str, Any]
    """A solve whose state a newer release has packed."""

    def total(self, metric: signals.Metric, *having: str) -> float:
        """A metric over all of its labels, or those of these values."""
        return sum(
            value
            for name, value in self.metrics.items()
            if name.split()[0] == metric.name and set(having) <= set(name.split()[1:])
        )

    def stretches(self) -> dict[str, Seen]:
        """Spans of nodes by their ids."""
        return {span.id: span for span in self.spans if span.name == "invoke_agent banyan"}


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Solve one tree on a worker and a service that are observed in every way, and end both."""
    with Collector() as collector:
        settings = {
            "BANYAN_METRICS_PORT": "0",
            "BANYAN_METRICS_TENANTS": "true",
            "BANYAN_TRACES_URL": collector.url,
        }
        stack = Stack(num_workers=1, slots=8, log_level="debug", settings=settings)
        with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
            reply = client.post(
                f"{stack.url}/solve",
                json={
                    "goal": f"{CANARY} fan-out {FAN_OUT}",
                    "documents": [{"text": f"{CANARY} in a document. " * 50}],
                    "gate": {"mode": "always"},
                    "limits": {"max_depth": DEPTH},
                },
                headers={"Prefer": "respond-async", "traceparent": TRACEPARENT},
            )
            solve = stack.wait(client, reply.json()["id"])
            [worker] = stack.workers
            logs = [worker.log, stack.service.log]
            [page] = [line for line in logged(worker.log) if line["event"] == "metrics.listening"]
            metrics = samples(client.get(f"http://127.0.0.1:{page['port']}/metrics").text)
            foreign = asyncio.run(plant_foreign(stack.valkey.url))
            refused = stack.wait(client, foreign)
            for child in (worker, stack.service):
                child.process.send_signal(signal.SIGTERM)
                assert child.process.wait(timeout=60) == 0
            stack.forget(worker)
            told = [line for log in logs for line in logged(log)]
        wait_until(lambda: {span.service for span in collector.seen} >= SERVICES, 30.0)
        spans = [
            span for span in collector.seen if span.attributes.get(signals.CONVERSATION) != foreign
        ]
        yield Run(solve, metrics, spans, b"".join(collector.received), told, refused)


async def plant_foreign(url: str) -> str:
    """A tree as a newer release with another format would admit it; its id."""
    task = Task(tenant="default", goal="Why?", limits=Limits(deadline_s=FOREIGN_S))
    foreign = tree_id("default", "foreign", Settings().num_shards)
    wanted = admission(task, foreign)
    root = wanted.root[:4] + bytes([format_version(Node) + 1]) + wanted.root[5:]
    store, queue = make_store(Settings(redis_url=url)), CeleryQueue(url)
    hints = (await store.admit(replace(wanted, root=root))).hints
    await queue.send(hints)
    await queue.close()
    await store.close()
    return foreign


def logged(log: Path) -> list[dict[str, Any]]:
    """Lines of a log, without the banner that Celery prints."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


SERVICES = {"banyan-worker", "banyan-service"}


def samples(page: str) -> dict[str, float]:
    """Every sample of a page."""
    return {
        " ".join([sample.name, *(sample.labels[name] for name in sorted(sample.labels))]): (
            sample.value
        )
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_metrics_add_up_to_what_the_solve_says_of_itself(run: Run) -> None:
    usage = run.solve["usage"]
    assert (run.solve["status"], usage["nodes"]) == ("completed", NUM_NODES)
    assert run.total(signals.NODES_SPAWNED) == NUM_NODES - 1
    assert run.total(signals.NODES_SPAWNED, "2") == FAN_OUT**2
    assert run.total(signals.NODES_FINISHED, "ok") == NUM_NODES
    assert run.total(signals.NODES_CLAIMED, "start") == NUM_NODES
    assert run.total(signals.NODES_CLAIMED, "continuation") == NUM_INNER
    assert run.total(signals.TREES_FINISHED, "completed") == 1
    assert run.total(signals.ENGINE_CALLS, "ok") == usage["llm_calls"]
    for type_ in ("prompt", "cached", "completion"):
        spent = usage[f"{type_}_tokens"]
        assert run.total(signals.TURN_TOKENS, type_) == spent
        assert run.total(signals.ENGINE_TOKENS, type_) == spent
        assert run.total(signals.TENANT_TOKENS, type_, "default") == spent
    assert run.total(signals.GATE_DECISIONS, "delegate") == NUM_INNER
    assert run.total(signals.TURNS) == run.total(signals.ACTIONS) == NUM_NODES + NUM_INNER


def test_what_goes_up_comes_down(run: Run) -> None:
    assert run.total(signals.SLOTS) == 8
    assert run.total(signals.SLOTS_TAKEN) == 0
    assert run.total(signals.ENGINE_IN_FLIGHT) == 0
    assert run.total(signals.LOOP_FAILURES) == 0


def test_every_node_is_in_one_trace_below_the_stretch_that_made_it(run: Run) -> None:
    stretches = run.stretches()
    assert len(stretches) == NUM_NODES + NUM_INNER
    assert len({span.trace for span in stretches.values()}) == 1
    for span in stretches.values():
        path = span.attributes[signals.NODE_PATH]
        above = path.rpartition(".")[0]
        if not above:
            assert span.parent == ""
            continue
        parent = stretches[span.parent]
        assert parent.attributes[signals.NODE_PATH] == above
        assert parent.attributes[signals.NODE_WAKE] == "start"  # it made them, and was put away


def test_a_parent_that_goes_on_is_linked_to_where_it_was_put_away(run: Run) -> None:
    stretches = run.stretches()
    again = [
        span for span in stretches.values() if span.attributes[signals.NODE_WAKE] == "continuation"
    ]
    assert len(again) == NUM_INNER
    for span in again:
        [before] = [stretches[link] for link in span.links]
        assert before.attributes[signals.NODE_PATH] == span.attributes[signals.NODE_PATH]
        assert before.attributes[signals.NODE_WAKE] == "start"
        assert before.parent == span.parent


def test_calls_of_the_model_stand_in_their_node_with_the_names_of_the_convention(run: Run) -> None:
    calls = [span for span in run.spans if span.name.startswith("chat ")]
    assert len(calls) == run.solve["usage"]["llm_calls"]
    stretches = run.stretches()
    assert {span.parent for span in calls} <= stretches.keys()
    tokens = sum(int(span.attributes["gen_ai.usage.input_tokens"]) for span in calls)
    assert tokens == run.solve["usage"]["prompt_tokens"]
    for span in calls:
        assert span.attributes["gen_ai.operation.name"] == "chat"
        assert span.attributes["gen_ai.provider.name"] == "openai"
        assert span.attributes["gen_ai.request.model"] == "base"
        assert not span.failed


def test_a_request_is_in_its_callers_trace_and_linked_to_the_tree(run: Run) -> None:
    [request] = [span for span in run.spans if span.attributes.get("http.route") == "/solve"]
    assert (request.trace, request.parent) == tuple(TRACEPARENT.split("-")[1:3])
    assert request.attributes["gen_ai.conversation.id"] == run.solve["id"]
    [first] = [stretch for stretch in run.stretches().values() if stretch.id in request.links]
    assert first.attributes[signals.NODE_PATH] == "0"


def test_neither_logs_nor_traces_hold_what_was_asked_or_read(run: Run) -> None:
    assert len(run.logs) > NUM_NODES
    assert CANARY not in json.dumps(run.logs)
    assert CANARY.encode() not in run.traced
    assert run.solve["answer"] not in json.dumps(run.logs)
    assert run.solve["answer"].encode() not in run.traced


def test_logs_of_a_node_say_which_node_it_is(run: Run) -> None:
    about = [line for line in run.logs if line.get("tree_id") == run.solve["id"]]
    [ended] = [line for line in about if line["event"] == "tree.ended"]
    assert (ended["node"], ended["tenant"], ended["status"]) == ("0", "default", "completed")


def test_a_node_of_a_newer_release_is_left_to_others_until_its_deadline(run: Run) -> None:
    about = [line["event"] for line in run.logs if line.get("tree_id") == run.refused["id"]]
    assert "node.left_to_others" in about
    assert run.refused["status"] == "failed"
    assert run.refused["error"]["code"] == "foreign_pack_version"
    assert run.refused["timing"]["wall_s"] >= FOREIGN_S
