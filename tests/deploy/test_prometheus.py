"""What Prometheus itself says: of alerts and when they fire, and of its configuration."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from banyan.adapters.prometheus import PrometheusMetrics
from banyan.signals import METRICS, Program
from tests.debian import Package
from tests.deploy.image_steps import ROOT
from tests.not_run import needed
from tests.telemetry.queries import Asked, asked_by
from tests.unpacked import unpacked

FOLDER = ROOT / "deploy" / "prometheus"
ALERTS, CASES = FOLDER / "alerts.yaml", FOLDER / "alerts_test.yaml"
KNOWN = {series: metric for metric in METRICS for series in metric.series}
PROMETHEUS = Package("prometheus", ("promtool",))
PLACES = frozenset({"pod", "job"})
ELSEWHERE = frozenset({"up"})


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


RULES: list[dict[str, Any]] = [rule for group in read(ALERTS)["groups"] for rule in group["rules"]]
EXPECTED: list[dict[str, Any]] = [
    one for case in read(CASES)["tests"] for one in case["alert_rule_test"]
]
SERIES: list[Asked] = [
    asked
    for case in read(CASES)["tests"]
    for series in case["input_series"]
    for asked in asked_by(series["series"])
]


@pytest.fixture(scope="module")
def promtool() -> Path:
    return needed(PROMETHEUS, unpacked)


def check(promtool: Path, *words: object, given: bytes = b"") -> str:
    """What it says; it has to have nothing against it."""
    done = subprocess.run(  # noqa: S603  # our own command line, no shell
        [promtool, *map(str, words)],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said
    return said


def test_the_rules_are_taken(promtool: Path) -> None:
    assert f"{len(RULES)} rules found" in check(promtool, "check", "rules", ALERTS)


def test_alerts_fire_when_they_should_and_not_else(promtool: Path) -> None:
    assert "SUCCESS" in check(promtool, "test", "rules", CASES)


def test_the_configuration_of_compose_is_taken(promtool: Path, tmp_path: Path) -> None:
    compose = read(ROOT / "deploy" / "compose.yaml")
    mounted = "/etc/prometheus/alerts.yaml"
    assert f"./prometheus/alerts.yaml:{mounted}:ro" in compose["services"]["prometheus"]["volumes"]
    content = compose["configs"]["prometheus"]["content"]
    file = tmp_path / "prometheus.yaml"
    file.write_text(content.replace(mounted, str(ALERTS)), encoding="utf-8")
    assert f"{len(RULES)} rules found" in check(promtool, "check", "config", file)


@pytest.mark.parametrize("program", ["service", "worker"])
def test_a_programs_page_has_nothing_that_prometheus_dislikes(
    promtool: Path, program: Program
) -> None:
    page = PrometheusMetrics(program).page()
    ours = re.compile(rb"^(# (HELP|TYPE) )?(banyan_)(?!\w+_created)")
    lines = [line for line in page.splitlines(keepends=True) if ours.match(line)]
    check(promtool, "check", "metrics", given=b"".join(lines))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_alert_is_seen_to_fire_and_seen_not_to(rule: dict[str, Any]) -> None:
    ends = [one["exp_alerts"] for one in EXPECTED if one["alertname"] == rule["alert"]]
    assert any(ends)
    assert not all(ends)


@pytest.mark.parametrize("asked", dict.fromkeys(SERIES), ids=str)
def test_series_of_the_cases_are_told(asked: Asked) -> None:
    if asked.series not in ELSEWHERE:
        metric = KNOWN[asked.series]
        assert asked.labels <= PLACES | {"le"} | set(metric.labels)


def test_buckets_of_the_cases_are_those_that_are_told() -> None:
    """No quantile is above the last one, and an alert that asks for more can not fire."""
    text = CASES.read_text(encoding="utf-8")
    for name, bounds in re.findall(r'(\w+)_bucket\{[^}]*le="([\d.]+)"', text):
        [metric] = [metric for metric in METRICS if metric.name == name]
        assert float(bounds) in metric.buckets
        assert f'le="{metric.buckets[-1]}"' in text


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if "increase(" in rule["expr"]], ids=lambda r: str(r["alert"])
)
def test_an_alert_on_a_first_event_has_a_series_before_it(rule: dict[str, Any]) -> None:
    """A series that begins with its first event has no increase."""
    for name, label, values in re.findall(
        r'increase\((\w+)\{(\w+)=~?"([^"]+)"\}\[\w+\]\)\) > 0', rule["expr"]
    ):
        metric = KNOWN[name]
        assert metric.labels == (label,)
        assert set(values.split("|")) <= set(metric.first)
