"""Panels and alerts ask only for what the programs tell, and every alert is explained."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from banyan.signals import METRICS, Metric
from deploy.grafana.make_dashboard import FILE, written
from tests.telemetry.queries import Asked, asked_by

ROOT = Path(__file__).resolve().parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = [
    panel for panel in json.loads(FILE.read_text())["panels"] if panel["type"] != "row"
]
KNOWN = {series: metric for metric in METRICS for series in metric.series}
PLACES = frozenset({"le", "job", "instance", "pod", "namespace"})
"""Labels that histograms and scrapers add."""


def assert_told(asked: Asked) -> None:
    metric = KNOWN.get(asked.series)
    assert metric is not None, f"nobody tells {asked.series}"
    assert asked.labels <= PLACES | set(metric.labels), f"{asked.series} has no such label"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_metrics_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    asked = asked_by(rule["expr"])
    assert asked
    for selector in asked:
        assert_told(selector)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_a_panel_asks_for_metrics_and_labels_that_there_are(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        for selector in asked_by(target["expr"]):
            assert_told(selector)
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        grouped = {label for one in asked_by(target["expr"]) for label in one.labels}
        assert shown <= grouped, "the legend shows a label that the query drops"


def test_a_metric_that_nobody_tells_is_noticed() -> None:
    with pytest.raises(AssertionError, match="nobody tells banyan_unheard_of_total"):
        assert_told(*asked_by("rate(banyan_unheard_of_total[5m])"))
    with pytest.raises(AssertionError, match="no such label"):
        assert_told(*asked_by('sum by (tenant) (banyan_queue_nodes{le="1"})'))


def test_the_dashboard_is_what_its_maker_writes() -> None:
    assert FILE.read_text() == written(), "run: python deploy/grafana/make_dashboard.py"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        KNOWN[selector.series]
        for panel in PANELS
        for target in panel["targets"]
        for selector in asked_by(target["expr"])
    }
    missing: set[Metric] = set(METRICS) - shown
    assert {metric.name for metric in missing} == set()


def test_every_alert_says_how_bad_it_is_and_has_its_section_in_the_runbook() -> None:
    runbook = (ROOT / "docs/operating.md").read_text()
    sections = set(re.findall(r"^### (Banyan\w+)$", runbook, re.MULTILINE))
    assert sections == {rule["alert"] for rule in RULES}
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
