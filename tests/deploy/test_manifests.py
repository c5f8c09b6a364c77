"""What is rendered is what Kubernetes takes: linted, and held to the schemas of two versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.deploy.helm import CHART, Manifest, Tools
from tests.deploy.image_steps import ROOT
from tests.deploy.kubernetes import Kubernetes
from tests.deploy.manifests import named
from tests.deploy.matrix import CASES

VERSIONS = ("1.31.0", "1.37.0")
"""The oldest that the chart takes, and the newest with a schema."""
SCHEMAS = Path(__file__).parent / "schemas"
CUSTOM = {
    "ScaledObject": "scaledobject",
    "PodMonitor": "podmonitor",
    "PrometheusRule": "prometheusrule",
    "HTTPRoute": "httproute",
}


def distinct(rendered: Mapping[str, list[Manifest]], *, custom: bool) -> list[Manifest]:
    """Every manifest once, however many cases have it."""
    found = {
        json.dumps(manifest, sort_keys=True): manifest
        for manifests in rendered.values()
        for manifest in manifests
        if (manifest["kind"] in CUSTOM) == custom
    }
    return list(found.values())


def test_the_chart_passes_helms_own_checks(used: Tools) -> None:
    done = used.run(used.helm, "lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("preset", sorted(path.stem for path in (CHART / "values").iterdir()))
def test_every_preset_is_in_the_matrix(preset: str) -> None:
    assert any(preset in case.presets for case in CASES)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_manifest(
    used: Tools, rendered: Mapping[str, list[Manifest]], version: str
) -> None:
    kubernetes = Kubernetes(used.prefix, version)
    manifests = distinct(rendered, custom=False)
    assert len({manifest["kind"] for manifest in manifests}) >= 13
    for manifest in manifests:
        assert kubernetes.problems(manifest) == [], manifest["metadata"]["name"]


def test_a_field_that_kubernetes_does_not_know_is_found(used: Tools) -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"picker": {}}}
    [problem] = Kubernetes(used.prefix, VERSIONS[-1]).problems(wrong)
    assert "picker" in problem


def test_custom_resources_hold_to_the_schemas_of_their_own(
    rendered: Mapping[str, list[Manifest]],
) -> None:
    manifests = distinct(rendered, custom=True)
    assert {manifest["kind"] for manifest in manifests} == set(CUSTOM)
    for manifest in manifests:
        file = SCHEMAS / f"{CUSTOM[manifest['kind']]}.json"
        jsonschema.validate(manifest, json.loads(file.read_text(encoding="utf-8")))


def test_the_schemas_of_others_are_those_that_were_pinned() -> None:
    sources = json.loads((SCHEMAS / "sources.json").read_text(encoding="utf-8"))
    assert set(sources) == {*CUSTOM.values(), "compose"}
    for name, source in sources.items():
        content = (SCHEMAS / f"{name}.json").read_bytes()
        assert hashlib.sha256(content).hexdigest() == source["sha256"], name
        assert source["licence"] == "Apache-2.0"


def test_a_custom_resource_with_a_field_that_is_not_known_is_refused() -> None:
    schema = json.loads((SCHEMAS / "scaledobject.json").read_text(encoding="utf-8"))
    wrong = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "x"},
        "spec": {"scaleTargetRef": {"name": "x"}, "triggers": [], "coolDownPeriod": 5},
    }
    with pytest.raises(jsonschema.ValidationError, match="coolDownPeriod"):
        jsonschema.validate(wrong, schema)


def test_names_are_unique_and_belong_to_the_release(
    rendered: Mapping[str, list[Manifest]],
) -> None:
    for case, manifests in rendered.items():
        names = [(one["apiVersion"], one["kind"], one["metadata"]["name"]) for one in manifests]
        assert len(names) == len(set(names)), case
        assert all("banyan" in name or name == "plain" for _, _, name in names), case


def test_alerts_and_dashboard_are_those_of_the_project(
    rendered: Mapping[str, list[Manifest]],
) -> None:
    made = rendered["many-gpus"]
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
    assert named(made, "PrometheusRule", "banyan-alerts")["spec"] == yaml.safe_load(alerts)
    dashboard = (ROOT / "deploy" / "grafana" / "banyan.json").read_text(encoding="utf-8")
    data = named(made, "ConfigMap", "banyan-dashboard")["data"]
    assert json.loads(data["banyan.json"]) == json.loads(dashboard)
