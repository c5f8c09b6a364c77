"""The metrics themselves: names as Prometheus wants them, values, and the page of their own."""

from __future__ import annotations

import re
from contextlib import closing

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from banyan import signals
from banyan.adapters.observing import Observing
from banyan.adapters.prometheus import MetricsPage, PrometheusMetrics
from banyan.errors import InvalidInput
from banyan.local.ports import free_port
from banyan.signals import METRICS, Program
from workers.settings import WorkerSettings

LABELS = re.compile(r"[a-z]+")
IDS = {"tree", "tree_id", "node", "path", "request", "request_id", "key", "goal", "document"}


def value(metrics: PrometheusMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_names_are_unique_and_say_their_unit() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names)) > 30
    for metric in METRICS:
        assert re.fullmatch(r"banyan_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert metric.kind != "histogram" or metric.name.endswith("_seconds")
        assert metric.help.endswith(".")


def test_labels_have_few_values_and_never_name_a_tenant_unasked() -> None:
    for metric in METRICS:
        assert not IDS & set(metric.labels)
        assert ("tenant" in metric.labels) == (metric in signals.BY_TENANT)
    depths = {signals.depth_label(depth) for depth in range(33)}
    assert depths == {*"01234567", "8+"}


@pytest.mark.parametrize("tenants", [False, True])
def test_tenants_are_told_only_where_that_was_asked_for(*, tenants: bool) -> None:
    settings = WorkerSettings(metrics_port=0, metrics_tenants=tenants)
    with closing(Observing(settings, "worker")) as observing:
        observing.metrics.count(signals.TENANT_TREES, "acme", "completed")
        page = observing.page().decode()
    assert ('tenant="acme"' in page) is tenants


def test_a_worker_whose_page_nobody_can_read_counts_nothing() -> None:
    with closing(Observing(WorkerSettings(), "worker")) as observing:
        observing.metrics.count(signals.LEASES_LOST)
        assert observing.page() == b""


@pytest.mark.parametrize("program", ["service", "worker"])
def test_a_program_has_its_own_metrics_and_ignores_others(program: Program) -> None:
    metrics = PrometheusMetrics(program)
    assert {metric.program for metric in metrics.kept} == {program, "both"}
    metrics.count(signals.TREES_ADMITTED)
    metrics.put(signals.SLOTS, 3)
    metrics.observe(signals.TREE_SECONDS, 1.0, "completed")
    assert value(metrics, "banyan_trees_admitted_total") == (1 if program == "service" else None)
    assert value(metrics, "banyan_worker_slots") == (3 if program == "worker" else None)


def test_counters_grow_gauges_move_and_histograms_gather() -> None:
    metrics = PrometheusMetrics("worker")
    metrics.count(signals.ENGINE_TOKENS, "a:1", "prompt", amount=5)
    metrics.count(signals.ENGINE_TOKENS, "a:1", "prompt", amount=2)
    metrics.count(signals.ENGINE_IN_FLIGHT, "a:1", amount=-1)
    metrics.observe(signals.NODE_SECONDS, 3.0, "done")
    assert value(metrics, "banyan_engine_tokens_total", engine="a:1", type="prompt") == 7
    assert value(metrics, "banyan_engine_calls_in_flight", engine="a:1") == -1
    assert value(metrics, "banyan_node_run_seconds_bucket", ended="done", le="5.0") == 1
    assert value(metrics, "banyan_node_run_seconds_bucket", ended="done", le="2.5") == 0


def test_a_counter_that_is_kept_elsewhere_follows_it_and_begins_anew_with_it() -> None:
    metrics = PrometheusMetrics("service")
    for kept in (3, 3, 5, 1):
        metrics.put(signals.LEASES_EXPIRED, kept)
        assert value(metrics, "banyan_leases_expired_total") == kept


def test_what_the_store_counts_is_not_told_before_it_was_looked_up() -> None:
    """A 0 before it would be an increase at every start of a service."""
    metrics = PrometheusMetrics("service")
    assert b"banyan_leases_expired_total" not in metrics.page()
    metrics.put(signals.LEASES_EXPIRED, 0)
    assert value(metrics, "banyan_leases_expired_total") == 0


def test_the_first_event_of_what_an_alert_waits_for_is_an_increase() -> None:
    metrics = PrometheusMetrics("worker")
    assert value(metrics, "banyan_policy_moves_total", result="rejected") == 0
    metrics.count(signals.POLICY_MOVES, "rejected")
    assert value(metrics, "banyan_policy_moves_total", result="rejected") == 1


def test_what_is_told_anew_each_time_is_forgotten_in_between() -> None:
    metrics = PrometheusMetrics("service")
    metrics.put(signals.POLICY_LIVE, 1, "base", "policy-v1")
    metrics.forget(signals.POLICY_LIVE)
    metrics.put(signals.POLICY_LIVE, 1, "base", "policy-v2")
    page = metrics.page().decode()
    assert "policy-v1" not in page
    assert 'banyan_policy_live{policy="base",version="policy-v2"} 1.0' in page


def test_the_page_is_read_without_a_key_and_is_gone_when_closed() -> None:
    metrics = PrometheusMetrics("worker")
    with closing(MetricsPage(metrics, "127.0.0.1", 0)) as page:
        url = f"http://127.0.0.1:{page.port}/metrics"
        families = {one.name for one in text_string_to_metric_families(httpx.get(url).text)}
        assert {"banyan_worker_slots", "process_cpu_seconds", "python_gc_collections"} <= {
            name.removesuffix("_total") for name in families
        }
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    metrics, port = PrometheusMetrics("worker"), free_port()
    with (
        closing(MetricsPage(metrics, "127.0.0.1", port)),
        pytest.raises(InvalidInput, match=f"cannot listen on 127.0.0.1:{port}") as raised,
    ):
        MetricsPage(metrics, "127.0.0.1", port)
    assert "BANYAN_METRICS_PORT" in raised.value.hint
