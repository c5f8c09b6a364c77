"""The matrix: values that the chart is rendered with, each a way in which it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TRAINER: dict[str, Any] = {
    "engines": {
        "main": {"model": "/models/base", "swap": "adapters", "replicas": 2},
        "measure": {"model": "/models/base", "swap": "adapters"},
    },
    "engineDefaults": {"modelVolume": {"existingClaim": "models"}},
    "data": {"trajectories": True},
    "apiKey": {"existingSecret": "banyan-key"},
    "trainer": {
        "job": {"enabled": True},
        "cronJob": {"enabled": True},
        "model": "base",
        "modelVolume": {"existingClaim": "models"},
        "evaluationPool": "measure",
        "runtimeClassName": "nvidia",
    },
}

GATEWAY: dict[str, Any] = {
    "gateway": {
        "enabled": True,
        "parentRefs": [{"name": "edge", "namespace": "gateways"}],
        "hostnames": ["banyan.example.com"],
    },
    "networkPolicy": {
        "clients": [{"namespaceSelector": {"matchLabels": {"team": "edge"}}}],
        "prometheus": [{"namespaceSelector": {"matchLabels": {"team": "metrics"}}}],
        "moreEgress": [{"ports": [{"port": 4318}]}],
    },
    "metrics": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
}

OUTSIDE: dict[str, Any] = {
    "engines": {"main": None},
    "engine": {
        "kind": "openai",
        "urls": ["https://models.example/v1", "http://models.example:8443"],
        "model": "some-model",
        "window": 32768,
        "apiKey": {"existingSecret": "models", "key": "token"},
    },
    "valkey": {"enabled": False},
    "redis": {"url": "redis+cluster://store.example:7000"},
    "broker": {"existingSecret": "broker"},
    "service": {
        "quotas": "[acme]\ntrees = 20\n",
        "settings": {"oidc_issuer": "https://id.example", "oidc_audience": "banyan"},
    },
    "data": {"existingClaim": "shared"},
    "serviceAccount": {"create": False, "name": "plain"},
    "priorityClasses": {"create": False},
    "imagePullSecrets": ["registry"],
    "commonLabels": {"team": "search"},
}

BUCKET: dict[str, Any] = {
    "settings": {
        "blob_url": "s3://documents/banyan",
        "trajectory_url": "s3://trajectories/banyan",
        "s3_endpoint": "http://bucket.example:9000",
        "traces_url": "http://collector.example:4318",
    },
    "s3": {"existingSecret": "bucket", "secretAccessKeyKey": "secret"},
}

PINNED: dict[str, Any] = {
    "service": {"image": {"digest": "sha256:" + "0" * 64}, "pdb": {"maxUnavailable": "50%"}},
    "networkPolicy": {"enabled": False},
    "valkey": {"existingSecret": "valkey", "key": "pass"},
    "workers": {
        "priorityClassName": "mine",
        "strategy": "Recreate",
        "settings": {"slots": 10_000, "grace_s": 900},
    },
    "engineDefaults": {"swap": "full", "cache": {"enabled": False}},
    "data": {"storageClassName": "fast"},
}

SMALL_FIRST: dict[str, Any] = {
    "workers": {"mode": "sidecar", "autoscaling": {"enabled": True, "minReplicas": 0}},
    "prometheus": {"serverAddress": "http://prometheus:9090"},
    "engines": {"main": {"model": "Qwen/Qwen3-4B", "gpus": 4, "args": ["--enforce-eager"]}},
}


@dataclass(frozen=True, slots=True)
class Case:
    """Values on top of those of `presets`."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    presets: tuple[str, ...] = ()


CASES = (
    Case("default"),
    Case("laptop", presets=("laptop",)),
    Case("one-gpu", presets=("one-gpu",)),
    Case("many-gpus", presets=("many-gpus",)),
    Case("trainer", TRAINER),
    Case("gateway", GATEWAY),
    Case("outside", OUTSIDE),
    Case("bucket", BUCKET),
    Case("pinned", PINNED),
    Case("scaled-sidecars", SMALL_FIRST),
)
