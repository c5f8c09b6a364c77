"""The chart sets Banyan's settings under their true names: all of them, and no other ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from banyan.adapters.policy_file import listed
from banyan.live_settings import parse
from banyan.local.vllm_server import VllmOptions
from banyan.local.vllm_server import command as vllm_command
from banyan.settings import Settings
from service.settings import ServiceSettings
from tests.deploy import manifests as read
from tests.deploy.helm import Manifest, Tools, render
from tests.deploy.matrix import CASES
from tests.deploy.settings_schema import OWNED, SCHEMA, fields, written
from workers.settings import WorkerSettings

Rendered = Mapping[str, list[Manifest]]
PREFIX = "BANYAN_"
CLASSES: dict[str, type[Settings]] = {
    "service": ServiceSettings,
    "workers": WorkerSettings,
    "trainer": WorkerSettings,
}
OF_CLIENTS = {"BANYAN_API_KEY", "BANYAN_URL"}
"""What the client and the command line read; docs/running.md lists them."""


def variables(manifests: list[Manifest], component: str) -> dict[str, str]:
    env = read.environment(manifests, read.pod(manifests, component))
    return {name: value for name, value in env.items() if name.startswith(PREFIX)}


def loaded(settings: type[Settings], env: Mapping[str, str]) -> Settings:
    """The settings that a program with these variables has. Raises ValidationError."""
    given: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in env.items()
        if name not in OF_CLIENTS
    }
    return settings(**given)


@pytest.mark.parametrize("case", [case.name for case in CASES])
def test_every_variable_is_a_setting_with_a_value_that_it_takes(
    rendered: Rendered, case: str
) -> None:
    known = {
        PREFIX + name.upper() for kind in CLASSES.values() for name in kind.model_fields
    } | OF_CLIENTS
    seen = 0
    for component, settings in CLASSES.items():
        if component not in {pod.component for pod in read.pods(rendered[case])}:
            continue
        env = variables(rendered[case], component)
        assert set(env) <= known, component
        assert loaded(settings, env).redis_url
        seen += len(env)
    assert seen >= 15


def test_every_setting_can_be_set() -> None:
    """Those of `fields` by their names; the others have values of their own."""
    names = fields()
    free = {name for of in names.values() for name in of}
    all_settings = {*ServiceSettings.model_fields, *WorkerSettings.model_fields}
    assert free | set(OWNED) == all_settings
    assert free & set(OWNED) == set()


def test_what_is_set_arrives_as_it_was_set(used: Tools) -> None:
    values: dict[str, Any] = {
        "settings": {"num_shards": 16, "retention_s": 2592000, "log_level": "debug"},
        "service": {
            "settings": {
                "max_document_bytes": 10737418240,
                "quota_usd_per_day": 12.5,
                "auth": "on",
            },
            "tmpSize": "30Gi",
        },
        "workers": {"settings": {"slots": 10000, "briefs": False, "overlap_tokens": 0}},
    }
    made = render(used, values)
    service = loaded(ServiceSettings, variables(made, "service"))
    worker = loaded(WorkerSettings, variables(made, "workers"))
    wanted = {**values["settings"], **values["service"]["settings"]}
    assert {name: getattr(service, name) for name in wanted} == wanted
    wanted = {**values["settings"], **values["workers"]["settings"]}
    assert {name: getattr(worker, name) for name in wanted} == wanted


def test_live_settings_are_a_file_that_programs_read_and_that_rolls_nothing(
    used: Tools, rendered: Rendered
) -> None:
    live = {"log_level": "debug", "slots": 10000, "quota_usd_per_day": 2.5}
    made = render(used, {"live": live})
    text = read.named(made, "ConfigMap", "banyan-live")["data"]["settings.toml"]
    assert parse(text, fixed=()).model_dump(exclude_none=True) == live
    empty = read.named(rendered["default"], "ConfigMap", "banyan-live")["data"]["settings.toml"]
    assert parse(empty, fixed=()).model_dump(exclude_none=True) == {}
    for component in ("service", "workers"):
        pods = [read.pod(manifests, component) for manifests in (made, rendered["default"])]
        assert pods[0].metadata == pods[1].metadata
        assert pods[0].spec == pods[1].spec
        [mount] = [one for one in pods[0].containers[-1]["volumeMounts"] if one["name"] == "live"]
        file = variables(made, component)["BANYAN_LIVE_SETTINGS"]
        assert file == f"{mount['mountPath']}/settings.toml"
        assert "subPath" not in mount, "Kubernetes would not renew it"


def test_the_schema_knows_the_settings_of_this_version() -> None:
    """`python -m tests.deploy.settings_schema` writes them."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == written()


def test_service_and_workers_agree_about_the_store(rendered: Rendered) -> None:
    for manifests in rendered.values():
        service, worker = (variables(manifests, name) for name in ("service", "workers"))
        shared = [
            PREFIX + name.upper() for name in Settings.model_fields if name != "engine_api_key"
        ]
        assert {n: service.get(n) for n in shared} == {n: worker.get(n) for n in shared}


def test_the_service_asks_for_keys(rendered: Rendered) -> None:
    for manifests in rendered.values():
        service = loaded(ServiceSettings, variables(manifests, "service"))
        assert isinstance(service, ServiceSettings)
        assert service.host == "0.0.0.0"  # noqa: S104  # within a pod
        assert service.authenticates


def test_each_server_of_a_pool_has_an_address_of_its_own(rendered: Rendered) -> None:
    urls = variables(rendered["many-gpus"], "workers")["BANYAN_ENGINE_URLS"].split(",")
    assert len(urls) == 8
    assert urls[7] == "http://banyan-engine-large-7.banyan-engine-large.demo.svc:8000"
    assert variables(rendered["one-gpu"], "workers")["BANYAN_ENGINE_URLS"].endswith(
        "127.0.0.1:8000"
    )


def test_the_file_of_policies_is_one_that_programs_read(rendered: Rendered, tmp_path: Path) -> None:
    manifests = rendered["many-gpus"]
    file = tmp_path / "policies.json"
    data = read.named(manifests, "ConfigMap", "banyan-files")["data"]
    file.write_text(data["policies.json"], encoding="utf-8")
    env = variables(manifests, "service")
    settings = loaded(ServiceSettings, {**env, "BANYAN_POLICIES": str(file)})
    for component in ("service", "workers"):
        secrets = read.environment(manifests, read.pod(manifests, component))
        found = listed(settings, environ=secrets)
        assert len(found.engines["reader"].urls) == 24
        assert found.engines["reader"].api_key == "SECRET"


def test_workers_wait_for_servers_that_are_scaled_to_zero(rendered: Rendered) -> None:
    worker = loaded(WorkerSettings, variables(rendered["many-gpus"], "workers"))
    assert isinstance(worker, WorkerSettings)
    assert worker.engine_patience_s == 900


def test_vllm_is_started_as_it_is_on_one_machine(rendered: Rendered) -> None:
    """The same flags as `banyan up` gives it, but for those of a CPU and of the address."""
    options = VllmOptions(model="Qwen/Qwen3-4B", port=8000, window=16384, max_num_seqs=64)
    local = vllm_command(Path("/engine/bin/python"), options)
    wanted = dict(zip(local, [*local[1:], ""], strict=True))
    names = {word for word in local if word.startswith("--")}
    [server] = read.pod(rendered["default"], "engine-main").containers
    model, *flags = server["args"]
    given = dict(flag.partition("=")[::2] for flag in flags)
    assert model == "Qwen/Qwen3-4B"
    for name in names - {"--model", "--host"}:
        expected = wanted[name]
        if expected.startswith("--") or not expected:
            assert given[name] == ""
        elif expected.startswith("{"):
            assert json.loads(given[name]) == json.loads(expected)
        else:
            assert given[name] == expected


def test_swapping_servers_see_the_versions_where_workers_say(rendered: Rendered) -> None:
    folder = variables(rendered["trainer"], "workers")["BANYAN_ENGINE_POLICY_DIR"]
    [server] = read.pod(rendered["trainer"], "engine-main").containers
    mounts = {mount["mountPath"]: mount for mount in server["volumeMounts"]}
    assert mounts[folder]["readOnly"] is True
    assert mounts[folder]["subPath"] == "policies"
    assert {"name": "VLLM_ALLOW_RUNTIME_LORA_UPDATING", "value": "1"} in server["env"]
    [full] = read.pod(rendered["pinned"], "engine-main").containers
    assert {"name": "VLLM_SERVER_DEV_MODE", "value": "1"} in full["env"]
