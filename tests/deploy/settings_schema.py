"""Writes the settings into the chart's schema, from the programs' own classes.

    python -m tests.deploy.settings_schema

`settings`, `service.settings` and `workers.settings` of the chart take every setting by its name,
but for those that the chart derives from other values (`OWNED`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from banyan.live_settings import LiveSettings
from banyan.settings import Settings
from service.settings import ServiceSettings
from workers.settings import WorkerSettings

CHART = Path(__file__).resolve().parents[2] / "helm" / "banyan"
SCHEMA = CHART / "values.schema.json"

OWNED: dict[str, str] = {
    "redis_url": "redis and valkey",
    "broker_url": "broker",
    "s3_access_key_id": "s3",
    "s3_secret_access_key": "s3",
    "blob_dir": "data",
    "policy_dir": "data",
    "trajectory_dir": "data.trajectories",
    "engine_kind": "engine.kind",
    "engine_urls": "engine.pool or engine.urls",
    "engine_model": "engine.model",
    "engine_api_key": "engine.apiKey",
    "engine_window": "engine.window",
    "policies": "policies",
    "live_settings": "live",
    "metrics_host": "the chart: everywhere in the pod",
    "metrics_port": "the chart: 9090",
    "host": "the chart: everywhere in the pod",
    "port": "the chart: 8080",
    "quotas": "service.quotas",
    "engine_policy_dir": "engines.*.swap",
    "alive_file": "the chart: /tmp/alive",
}
"""Settings that have values of their own, and which."""

SECRET = frozenset(
    {
        name
        for settings in (ServiceSettings, WorkerSettings)
        for name, field in settings.model_fields.items()
        if not field.repr
    }
    | {"redis_url", "broker_url"}
)
"""Settings that are secrets or may hold one: keys, and addresses with a password in them."""

TOGETHER = (("oidc_issuer", "oidc_audience"), ("base_model", "base_fingerprint"))
"""Settings of the service that are set both or not at all."""


def fields() -> dict[str, list[str]]:
    """Names of settings below each `settings` of the chart."""
    shared = set(Settings.model_fields)
    return {
        "settings": _free(Settings.model_fields),
        "service": _free(name for name in ServiceSettings.model_fields if name not in shared),
        "workers": _free(name for name in WorkerSettings.model_fields if name not in shared),
    }


def _free(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in OWNED]


def described(settings: type[BaseModel], names: list[str]) -> dict[str, Any]:
    """A strict schema of these settings; null leaves one at its default."""
    known = settings.model_json_schema()["properties"]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(known[name]) for name in names},
    }


def _property(field: dict[str, Any]) -> dict[str, Any]:
    rules = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    if len(rules) > 1:  # a word or a number
        return {"description": field["description"], "anyOf": [*rules, {"type": "null"}]}
    [rule] = rules
    kept = {
        key: value
        for key, value in {**field, **rule}.items()
        if key not in {"anyOf", "title", "default", "format"}
    }
    return {**kept, "type": [kept["type"], "null"]} if "enum" not in kept else kept


def definitions() -> dict[str, Any]:
    names = fields()
    together = {name: [other] for pair in TOGETHER for name, other in (pair, pair[::-1])}
    return {
        "settings": described(Settings, names["settings"]),
        "serviceSettings": {
            **described(ServiceSettings, names["service"]),
            "dependentRequired": together,
        },
        "workerSettings": described(WorkerSettings, names["workers"]),
        "liveSettings": described(LiveSettings, list(LiveSettings.model_fields)),
    }


def written() -> dict[str, Any]:
    """The chart's schema as it should be."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["$defs"] |= definitions()
    return schema


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(written(), indent=2) + "\n", encoding="utf-8")
