"""The rules of scaling that the simulation uses are those of KEDA, the autoscaler and the chart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from banyan.signals import QUEUE_NODES, QUEUE_OLDEST, RUNNING_NODES
from bench import keda
from bench.keda import Scaler, Trigger
from tests.deploy import manifests as read
from tests.deploy.helm import Manifest


class Load:
    """A metric that the test sets."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def read(self) -> float:
        return self.value


def scaler(load: Load, *, least: int, most: int = 16, target: float = 10, kept: int = 1) -> Scaler:
    return Scaler(
        [Trigger(load.read, target)], least, most, polling_s=15, cooldown_s=600, replicas=kept
    )


def run(of: Scaler, begin: int, end: int) -> list[int]:
    """What is wanted, second by second."""
    return [of.tick(float(now)) for now in range(begin, end)]


@pytest.mark.parametrize(
    ("kind", "value", "replicas", "wish"),
    [
        ("AverageValue", 95, 5, 10),
        ("AverageValue", 54, 5, 5),  # within a tenth
        ("AverageValue", 11, 5, 2),
        ("Value", 30, 2, 6),
        ("Value", 10.5, 7, 7),
    ],
)
def test_wishes_are_as_kubernetes_describes_them(
    kind: Any, value: float, replicas: int, wish: int
) -> None:
    assert Trigger(Load(value).read, 10, kind).wish(replicas) == wish


def test_nothing_becomes_one_at_the_next_poll_and_doubles_from_there() -> None:
    load = Load()
    of = scaler(load, least=0, kept=0)
    assert set(run(of, 0, 30)) == {0}
    load.value = 1_000
    wanted = run(of, 30, 120)
    assert wanted[0] >= 1
    assert wanted[-1] == 16
    assert all(
        after <= max(2 * before, before + 4)
        for before, after in zip(wanted, wanted[15:], strict=False)
    )


def test_it_goes_down_slowly_and_only_after_five_quiet_minutes() -> None:
    load = Load(160)
    of = scaler(load, least=1)
    run(of, 0, 120)
    load.value = 0
    wanted = run(of, 120, 900)
    assert set(wanted[:280]) == {16}
    assert wanted[-1] < 16
    assert all(before - after <= 1 for before, after in zip(wanted, wanted[59:], strict=False))


def test_it_goes_to_zero_after_the_cooldown_alone() -> None:
    load = Load(5)
    of = scaler(load, least=0)
    run(of, 0, 30)
    load.value = 0
    wanted = run(of, 30, 700)
    assert set(wanted[:580]) == {1}
    assert wanted[-1] == 0


def test_the_least_and_the_most_are_kept() -> None:
    load = Load(10_000)
    of = scaler(load, least=2, most=3, kept=2)
    assert run(of, 0, 60)[-1] == 3
    load.value = 0
    assert run(of, 60, 2_000)[-1] == 2


def test_the_chart_behaves_as_the_rules_say(rendered: Mapping[str, list[Manifest]]) -> None:
    objects = read.of_kind(rendered["many-gpus"], "ScaledObject")
    assert set(objects) == {"banyan-workers", "banyan-engine-large", "banyan-engine-small"}
    for made in objects.values():
        behavior = made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        up, down = behavior["scaleUp"], behavior["scaleDown"]
        assert up["policies"] == [
            {"type": "Percent", "value": keda.UP_SHARE * 100, "periodSeconds": keda.UP_PERIOD_S},
            {"type": "Pods", "value": keda.UP_PODS, "periodSeconds": keda.UP_PERIOD_S},
        ]
        assert down["policies"] == [
            {
                "type": "Percent",
                "value": keda.DOWN_SHARE * 100,
                "periodSeconds": keda.DOWN_PERIOD_S,
            },
            {"type": "Pods", "value": keda.DOWN_PODS, "periodSeconds": keda.DOWN_PERIOD_S},
        ]
        assert down["stabilizationWindowSeconds"] == keda.DOWN_WINDOW_S
        assert made["spec"]["pollingInterval"] == 15
        assert made["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"
    assert objects["banyan-engine-small"]["spec"]["minReplicaCount"] == 0
    names = [trigger["name"] for trigger in objects["banyan-engine-small"]["spec"]["triggers"]]
    assert names == ["waiting", "requests", "nodes"]
    names = [trigger["name"] for trigger in objects["banyan-workers"]["spec"]["triggers"]]
    assert names == ["nodes", "oldest-due"]


def test_queries_ask_for_what_is_there(rendered: Mapping[str, list[Manifest]]) -> None:
    """vLLM's own names, and Banyan's of the whole queue, which every service process tells."""
    queries = [
        trigger["metadata"]["query"]
        for made in read.of_kind(rendered["many-gpus"], "ScaledObject").values()
        for trigger in made["spec"]["triggers"]
    ]
    assert all('namespace="demo"' in query for query in queries)
    assert any("vllm:num_requests_waiting{" in query for query in queries)
    assert any(query.startswith("max(banyan_queue_oldest_seconds{") for query in queries)
    assert "sum(banyan_queue" not in " ".join(queries)
    asked = {name for query in queries for name in re.findall(r"banyan_\w+", query)}
    assert asked == {QUEUE_NODES.name, QUEUE_OLDEST.name, RUNNING_NODES.name}
