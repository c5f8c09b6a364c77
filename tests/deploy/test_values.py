"""Wrong values are refused before anything is made, in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.helm import Refused, Tools, render
from tests.deploy.matrix import GATEWAY, TRAINER


def nested(path: str, value: Any) -> dict[str, Any]:
    """`{"a": {"b": value}}` for `a.b`."""
    for name in reversed(path.split(".")):
        value = {name: value}
    made: dict[str, Any] = value
    return made


BAD: list[tuple[str, Any, tuple[str, ...]]] = [
    ("workers.settings.slots", 0, ("/workers/settings/slots", "minimum: got 0, want 1")),
    ("workers.settings.slot", 8, ("/workers/settings", "additional properties 'slot'")),
    ("settings.redis_url", "redis://x", ("/settings", "additional properties 'redis_url'")),
    ("settings.log_level", "loud", ("/settings/log_level", "'debug', 'info', 'warning', 'error'")),
    (
        "service.settings.oidc_issuer",
        "https://id.example",
        ("/service/settings", "'oidc_audience' required, if 'oidc_issuer' exists"),
    ),
    ("service.replicas", "two", ("/service/replicas", "got string, want integer")),
    ("service.image.tag", "latest", ("/service/image/tag", "'not' failed")),
    ("workers.mode", "daemon", ("/workers/mode", "'shared', 'sidecar'")),
    ("engines.main.swap", "both", ("/engines/main/swap", "'none', 'adapters', 'full'")),
    ("engines.main.gpu", 1, ("/engines/main", "additional properties 'gpu'")),
    ("engines.main.resources.limits.memory", "lots", ("/resources/limits/memory", "pattern")),
    ("engines.more.replicas", 1, ("/engines/more", "missing property 'model'")),
    ("valkey.maxmemory", "3Gi", ("/valkey/maxmemory", "(kb|mb|gb)")),
    ("redis.url", "http://store", ("/redis/url", "does not match pattern", "redis")),
    ("replicas", 3, ("additional properties 'replicas' not allowed",)),
]

TOGETHER: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"valkey": {"enabled": False}}, ("there is no state store", "redis.existingSecret")),
    ({"redis": {"url": "redis://store:6379"}}, ("set valkey.enabled to false",)),
    (
        {"valkey": {"enabled": False}, "redis": {"url": "redis+cluster://store:7000"}},
        ("Celery's broker cannot be one", "broker.existingSecret"),
    ),
    (
        {"valkey": {"enabled": False}, "redis": {"url": "sentinel://store:26379"}},
        ("does not ask Sentinel", "broker.url"),
    ),
    (
        {"broker": {"url": "sentinel://queue:26379"}},
        ("which master is meant", "settings.broker_master_name"),
    ),
    (
        nested("workers.settings.result_cache_s", 60),
        ("workers.settings.result_cache_s", "coalesce to installation"),
    ),
    (
        {"workers": {"settings": {"result_cache_s": 60, "coalesce": "off"}}},
        ("replies are kept", "coalesce to installation"),
    ),
    (
        nested("service.settings.extract_parallel", 8),
        ("service.resources.limits.memory", "4563402752 bytes"),
    ),
    (
        nested("service.resources.limits.memory", "1.2G"),
        ("raise the limit", "1342177280 bytes"),
    ),
    (
        nested("service.settings.max_document_bytes", 10737418240),
        ("service.tmpSize", "32212254720 bytes"),
    ),
    (nested("service.tmpSize", "512Mi"), ("raise it, or lower max_document_bytes",)),
    ({"engine": {"pool": "big"}}, ('no pool "big"', "it has: main")),
    ({"engine": {"urls": ["http://x:1"]}}, ("engines.main: nobody calls this pool", "null")),
    ({"engine": {"kind": "openai"}}, ("set engine.urls",)),
    (nested("workers.autoscaling.enabled", True), ("prometheus.serverAddress",)),
    (nested("ingress.enabled", True), ("networkPolicy.clients",)),
    (
        {"workers": {"mode": "sidecar"}, "engineDefaults": {"swap": "full"}},
        ("does not reach those in other pods", "workers.mode"),
    ),
    (
        {
            "engineDefaults": {"swap": "adapters", "autoscaling": {"enabled": True}},
            "prometheus": {"serverAddress": "http://p:9090"},
        },
        ("scaled away", "set swap to none"),
    ),
    (
        {
            "engineDefaults": {"autoscaling": {"enabled": True, "minReplicas": 0}},
            "prometheus": {"serverAddress": "http://p:9090"},
            "workers": {"settings": {"engine_patience_s": 60}},
        },
        ("takes up to 1800 s to start", "give up after 60 s"),
    ),
    ({**TRAINER, "apiKey": {"existingSecret": ""}}, ("apiKey.existingSecret", "scopes")),
    ({**TRAINER, "data": {"trajectories": False}}, ("data.trajectories",)),
    (
        {**TRAINER, "settings": {"trajectory_url": "s3://trajectories"}},
        ("settings.trajectory_url", "turn the trainer off"),
    ),
    (nested("data.accessModes", ["ReadWriteOnce"]), ("ReadWriteMany", "service.replicas 1")),
    ({**GATEWAY, "gateway": {"enabled": True, "parentRefs": []}}, ("gateway.parentRefs",)),
]


@pytest.mark.parametrize(("path", "value", "words"), BAD, ids=[path for path, *_ in BAD])
def test_a_wrong_value_is_named_with_its_place(
    used: Tools, path: str, value: Any, words: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as refused:
        render(used, nested(path, value))
    message = str(refused.value)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(("values", "words"), TOGETHER, ids=[words[0] for _, words in TOGETHER])
def test_values_that_do_not_go_together_are_refused_with_a_way_out(
    used: Tools, values: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as refused:
        render(used, values)
    message = str(refused.value)
    assert all(word in message for word in words), message


def test_values_that_go_together_again_are_taken(used: Tools) -> None:
    made = {
        "broker": {"url": "sentinel://queue:26379"},
        "settings": {"broker_master_name": "queue"},
        "workers": {"settings": {"result_cache_s": 60, "coalesce": "installation"}},
        "service": {
            "settings": {"extract_parallel": 8},
            "resources": {"limits": {"memory": 4563402752}},
        },
    }
    assert render(used, made)
