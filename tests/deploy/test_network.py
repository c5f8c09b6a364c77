"""Who reaches whom: nothing but what the policies name, and all that the programs need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.deploy import manifests as read
from tests.deploy.helm import Manifest, Tools, render
from tests.deploy.matrix import BUCKET, CASES

Rendered = Mapping[str, list[Manifest]]
GUARDED = [case.name for case in CASES if case.name != "pinned"]


class Network:
    """What the policies of one rendering allow."""

    def __init__(self, manifests: list[Manifest]) -> None:
        policies = [one["spec"] for one in manifests if one["kind"] == "NetworkPolicy"]
        self.policies = policies
        self.labels = {pod.component: pod.metadata["labels"] for pod in read.pods(manifests)}

    def allows(self, source: str, target: str, port: str) -> bool:
        """Both ends have to agree: the egress of one and the ingress of the other."""
        return self._out(source, target, port) and self._in(source, target, port)

    def reaches(self, source: str) -> list[Any]:
        """Rules of egress of a component."""
        rules = [rule for policy in self._of(source, "Egress") for rule in policy.get("egress", [])]
        return [
            rule for rule in rules if {"port": 53, "protocol": "UDP"} not in rule.get("ports", [])
        ]

    def _of(self, component: str, kind: str) -> list[Any]:
        return [
            policy
            for policy in self.policies
            if kind in policy["policyTypes"] and self._matches(policy["podSelector"], component)
        ]

    def _matches(self, selector: Any, component: str) -> bool:
        return bool(selector["matchLabels"].items() <= self.labels[component].items())

    def _out(self, source: str, target: str, port: str) -> bool:
        return any(self._rule(rule, "to", target, port) for rule in self.reaches(source))

    def _in(self, source: str, target: str, port: str) -> bool:
        rules = [
            rule for policy in self._of(target, "Ingress") for rule in policy.get("ingress", [])
        ]
        return any(self._rule(rule, "from", source, port) for rule in rules)

    def _rule(self, rule: Any, side: str, component: str, port: str) -> bool:
        peers = [peer for peer in rule.get(side, []) if "podSelector" in peer]
        return {"port": port} in rule["ports"] and any(
            self._matches(peer["podSelector"], component) for peer in peers
        )


@pytest.mark.parametrize("case", GUARDED)
def test_everything_is_denied_at_first(rendered: Rendered, case: str) -> None:
    network = Network(rendered[case])
    for labels in network.labels.values():
        assert any(
            policy["podSelector"]["matchLabels"].items() <= labels.items()
            and policy["policyTypes"] == ["Ingress", "Egress"]
            and not policy.keys() & {"ingress", "egress"}
            for policy in network.policies
        )


def test_programs_reach_what_they_need_and_nothing_else(rendered: Rendered) -> None:
    network = Network(rendered["trainer"])
    ports = {"service": "http", "valkey": "valkey", "engine-main": "vllm", "engine-measure": "vllm"}
    allowed = {
        (source, target)
        for source in network.labels
        for target, port in ports.items()
        if source != target and network.allows(source, target, port)
    }
    assert allowed == {
        ("service", "valkey"),
        ("service", "engine-main"),
        ("service", "engine-measure"),
        ("workers", "valkey"),
        ("workers", "engine-main"),
        ("workers", "engine-measure"),
        ("trainer", "service"),
        ("trainer", "engine-main"),
        ("trainer", "engine-measure"),
        ("test", "service"),
    }


def test_only_those_who_are_named_call_the_service_or_scrape(rendered: Rendered) -> None:
    by_name = read.of_kind(rendered["gateway"], "NetworkPolicy")
    [clients] = by_name["banyan-service"]["spec"]["ingress"]
    assert {"namespaceSelector": {"matchLabels": {"team": "edge"}}} in clients["from"]
    [engine] = by_name["banyan-engine-main"]["spec"]["ingress"]
    assert {"namespaceSelector": {"matchLabels": {"team": "metrics"}}} in engine["from"]
    [pages] = by_name["banyan-metrics"]["spec"]["ingress"]
    assert pages["from"] == [{"namespaceSelector": {"matchLabels": {"team": "metrics"}}}]
    [alone] = read.of_kind(rendered["default"], "NetworkPolicy")["banyan-service"]["spec"][
        "ingress"
    ]
    assert all("namespaceSelector" not in peer for peer in alone["from"])


def test_public_addresses_are_reached_on_one_port_and_private_ones_never(
    rendered: Rendered,
) -> None:
    for source in ("workers", "engine-main"):
        blocks = [
            (peer["ipBlock"], rule["ports"])
            for rule in Network(rendered["default"]).reaches(source)
            for peer in rule.get("to", [])
            if "ipBlock" in peer
        ]
        assert [ports for _, ports in blocks] == [[{"port": 443}]]
        assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(blocks[0][0]["except"])
    assert not any(
        "ipBlock" in peer
        for rule in Network(rendered["default"]).reaches("service")
        for peer in rule.get("to", [])
    )


def test_servers_and_stores_elsewhere_are_reached_on_their_ports(rendered: Rendered) -> None:
    rules = Network(rendered["outside"]).reaches("workers")
    ports = [port["port"] for rule in rules for port in rule["ports"] if "to" not in rule]
    assert {443, 8443, 6379, 7000} <= set(ports)


def open_ports(manifests: list[Manifest], source: str) -> set[Any]:
    """What a component reaches anywhere."""
    rules = [rule for rule in Network(manifests).reaches(source) if "to" not in rule]
    return {port["port"] for rule in rules for port in rule["ports"]}


@pytest.mark.parametrize("source", ["service", "workers"])
def test_a_bucket_and_a_collector_are_reached_on_their_ports(
    rendered: Rendered, source: str
) -> None:
    assert open_ports(rendered["bucket"], source) == {9000, 4318}
    assert open_ports(rendered["default"], source) == set()


@pytest.mark.parametrize("name", ["blob_url", "trajectory_url"])
def test_a_bucket_without_an_endpoint_is_at_a_public_address(used: Tools, name: str) -> None:
    made = render(used, {"settings": {name: "s3://documents"}})
    [rule] = [rule for rule in Network(made).reaches("service") if rule["ports"] == [{"port": 443}]]
    assert "10.0.0.0/8" in rule["to"][0]["ipBlock"]["except"]


def test_a_bucket_and_a_collector_are_nowhere_else_where_it_is_said(used: Tools) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"team": name}}} for name in ("disks", "traces")]
    told = {**BUCKET, "networkPolicy": {"bucket": peers[:1], "traces": peers[1:]}}
    for source in ("service", "workers"):
        made = render(used, told)
        assert open_ports(made, source) == set()
        reached = [rule.get("to") for rule in Network(made).reaches(source)]
        assert peers[:1] in reached
        assert peers[1:] in reached


def test_a_vllm_in_a_workers_pod_is_reached_by_nobody(rendered: Rendered) -> None:
    engine, worker = read.pod(rendered["one-gpu"], "workers").containers
    assert "--host=127.0.0.1" in engine["args"]
    assert engine["restartPolicy"] == "Always"
    assert worker["name"] == "worker"
    assert not any("engine" in name for name in Network(rendered["one-gpu"]).labels)
