"""What holds for every pod that the chart makes, and for what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.deploy import manifests as read
from tests.deploy.helm import Manifest, Tools, render
from tests.deploy.manifests import PodOf
from tests.deploy.matrix import CASES
from tests.deploy.settings_schema import SECRET, fields

Rendered = Mapping[str, list[Manifest]]

ALL = [case.name for case in CASES]


def every_pod(rendered: Rendered) -> Iterator[tuple[str, PodOf]]:
    for case, manifests in rendered.items():
        for pod in read.pods(manifests):
            yield f"{case}: {pod.owner['metadata']['name']}", pod


def every_container(rendered: Rendered) -> Iterator[tuple[str, Manifest, PodOf]]:
    for where, pod in every_pod(rendered):
        for container in pod.containers:
            yield f"{where}: {container['name']}", container, pod


def test_every_case_has_pods(rendered: Rendered) -> None:
    assert all(len(list(read.pods(rendered[case]))) >= 2 for case in ALL)


def test_nothing_runs_as_root_or_with_rights(rendered: Rendered) -> None:
    for where, pod in every_pod(rendered):
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True, where
        assert security["runAsUser"] > 0, where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert not pod.spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}, where
    for where, container, _ in every_container(rendered):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, where
        assert security["readOnlyRootFilesystem"] is True, where
        assert security["capabilities"] == {"drop": ["ALL"]}, where
        assert security.get("runAsUser", 1) > 0, where


def test_no_pod_can_ask_the_cluster(rendered: Rendered) -> None:
    for where, pod in every_pod(rendered):
        assert pod.spec["automountServiceAccountToken"] is False, where
        assert pod.spec["serviceAccountName"], where
    accounts = [one for case in ALL for one in rendered[case] if one["kind"] == "ServiceAccount"]
    assert accounts
    assert all(account["automountServiceAccountToken"] is False for account in accounts)
    kinds = {one["kind"] for case in ALL for one in rendered[case]}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def test_kubernetes_adds_no_variable_that_would_be_a_setting(rendered: Rendered) -> None:
    """A Service `banyan` would bring BANYAN_PORT=tcp://..., one `vllm` VLLM_PORT."""
    for where, pod in every_pod(rendered):
        assert pod.spec["enableServiceLinks"] is False, where


def test_every_image_has_a_version(rendered: Rendered) -> None:
    for where, container, _ in every_container(rendered):
        name, _, digest = container["image"].partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        assert tag or digest, where
        assert tag != "latest", where


def test_every_container_says_what_it_needs(rendered: Rendered) -> None:
    for where, container, _ in every_container(rendered):
        resources = container["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys(), where
        assert "memory" in resources["limits"], where


def test_every_program_is_probed_and_slow_starts_are_waited_for(rendered: Rendered) -> None:
    for where, container, pod in every_container(rendered):
        if not pod.is_served:
            continue
        probes = {name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
        patience_s = probes["startup"]["failureThreshold"] * probes["startup"]["periodSeconds"]
        assert patience_s >= (600 if container["name"] in {"vllm", "valkey"} else 60), where
        assert probes["liveness"].get("failureThreshold", 3) >= 3, where


def test_readiness_is_apart_from_liveness_where_others_are_needed(rendered: Rendered) -> None:
    """A store that is away is a reason to send no requests, and none to start the service anew."""
    for case in ALL:
        [service] = read.pod(rendered[case], "service").containers
        assert service["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert service["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_every_pod_may_take_as_long_to_stop_as_its_longest_turn(rendered: Rendered) -> None:
    for case in ALL:
        manifests = rendered[case]
        for pod in read.pods(manifests):
            grace_s = pod.spec["terminationGracePeriodSeconds"]
            for index, container in enumerate(pod.containers):
                env = read.environment(manifests, pod, index)
                if container["name"] == "worker":
                    assert grace_s > float(env["BANYAN_GRACE_S"]), case
                elif container["name"] == "service":
                    pause_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
                    assert grace_s > pause_s + float(env.get("BANYAN_SHUTDOWN_S", "10")), case
                elif container["name"] == "vllm":
                    [flag] = [a for a in container["args"] if a.startswith("--shutdown-timeout=")]
                    assert grace_s > int(flag.partition("=")[2]), case


@pytest.mark.parametrize("case", [case for case in ALL if case != "pinned"])
def test_new_workers_come_beside_the_old_ones_where_that_takes_no_more_gpus(
    rendered: Rendered, case: str
) -> None:
    worker = read.pod(rendered[case], "workers")
    has_engine = any(container["name"] == "vllm" for container in worker.containers)
    surge = {"maxUnavailable": 1, "maxSurge": 0} if has_engine else {"maxSurge": "25%"}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, **surge}}
    assert worker.owner["spec"]["strategy"] == strategy


def test_old_workers_are_stopped_first_where_that_is_wanted(rendered: Rendered) -> None:
    workers = read.pod(rendered["pinned"], "workers").owner
    assert workers["spec"]["strategy"] == {"type": "Recreate"}


def test_pods_are_spread_and_budgets_keep_some_of_them(rendered: Rendered) -> None:
    for case in ALL:
        budgets = [one["spec"] for one in rendered[case] if one["kind"] == "PodDisruptionBudget"]
        for pod in read.pods(rendered[case]):
            assert pod.spec["topologySpreadConstraints"], case
            if pod.component in {"service", "workers"} or pod.component.startswith("engine-"):
                labels = pod.metadata["labels"].items()
                [budget] = [
                    one for one in budgets if one["selector"]["matchLabels"].items() <= labels
                ]
                assert budget["maxUnavailable"] != 0, case


def test_training_makes_room_for_what_answers(rendered: Rendered) -> None:
    classes = read.of_kind(rendered["trainer"], "PriorityClass")
    served, trainer = (read.pod(rendered["trainer"], name) for name in ("service", "trainer"))
    first = classes[served.spec["priorityClassName"]]
    second = classes[trainer.spec["priorityClassName"]]
    assert first["value"] > second["value"]
    assert second["preemptionPolicy"] == "Never"
    assert all(name.startswith("demo-") for name in classes), "classes belong to the cluster"


def test_selectors_find_the_pods_that_they_are_for(rendered: Rendered) -> None:
    for case in ALL:
        found = {pod.component: pod.metadata["labels"] for pod in read.pods(rendered[case])}
        for service in (one for one in rendered[case] if one["kind"] == "Service"):
            matching = [
                labels
                for labels in found.values()
                if service["spec"]["selector"].items() <= labels.items()
            ]
            assert len(matching) == 1, service["metadata"]["name"]
        for pod in read.pods(rendered[case]):
            if pod.is_served:
                selector = pod.owner["spec"]["selector"]["matchLabels"]
                assert selector.items() <= pod.metadata["labels"].items()


def test_every_mount_has_its_volume(rendered: Rendered) -> None:
    for where, container, pod in every_container(rendered):
        claims = pod.owner["spec"].get("volumeClaimTemplates", [])
        volumes = {one["name"] for one in pod.spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in claims}
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes, where


def test_gpus_have_shared_memory_and_their_runtime(rendered: Rendered) -> None:
    found = 0
    for where, container, pod in every_container(rendered):
        if "nvidia.com/gpu" not in container["resources"]["limits"]:
            continue
        found += 1
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        [shm] = [one for one in pod.spec["volumes"] if one["name"] == mounts["/dev/shm"]]  # noqa: S108  # the pod's
        assert shm["emptyDir"]["medium"] == "Memory", where
        assert any(one.get("key") == "nvidia.com/gpu" for one in pod.spec["tolerations"]), where
    assert found >= 8
    assert read.pod(rendered["many-gpus"], "engine-large").spec["runtimeClassName"] == "nvidia"
    assert read.pod(rendered["trainer"], "trainer").spec["runtimeClassName"] == "nvidia"


def test_pods_roll_when_what_they_read_has_changed(used: Tools, rendered: Rendered) -> None:
    changed = render(used, {"settings": {"lease_s": 31}, "engineDefaults": {"window": 8192}})
    for component in ("service", "workers"):
        before, after = (
            read.pod(made, component).metadata["annotations"]["checksum/settings"]
            for made in (rendered["default"], changed)
        )
        assert before != after


def test_a_job_that_is_started_again_goes_on_with_its_run(
    used: Tools, rendered: Rendered, tmp_path: Path
) -> None:
    [trainer] = read.pod(rendered["trainer"], "trainer").containers
    script = trainer["args"][0].replace("exec python", "echo").replace("/var/lib", str(tmp_path))
    run = tmp_path / "banyan" / "runs" / "night-7"
    first = used.run("env", "JOB_NAME=night-7", "sh", "-ec", script, *trainer["args"][1:])
    run.mkdir()
    (run / "state.json").touch()
    second = used.run("env", "JOB_NAME=night-7", "sh", "-ec", script, *trainer["args"][1:])
    flags = second.stdout.split()
    assert "--resume" not in first.stdout
    assert flags[:6] == ["-P", "-m", "training", "run", "--run", str(run)]
    assert "--resume" in flags
    assert flags[-3:] == ["--", "--lora", "16"]


@pytest.mark.parametrize("case", ALL)
def test_no_secret_is_in_a_config_map(rendered: Rendered, case: str) -> None:
    for config in read.of_kind(rendered[case], "ConfigMap").values():
        text = "\n".join(config["data"].values())
        assert "requirepass" not in text
        assert not {f"BANYAN_{name.upper()}" for name in SECRET} & config["data"].keys()


def test_no_secret_is_a_setting_of_the_chart() -> None:
    """Those become ConfigMaps."""
    assert {"redis_url", "engine_api_key", "s3_secret_access_key"} <= SECRET
    assert not SECRET & {name for names in fields().values() for name in names}


def test_the_key_of_a_bucket_comes_out_of_its_secret(rendered: Rendered) -> None:
    for component in ("service", "workers"):
        container = read.pod(rendered["bucket"], component).containers[-1]
        refs = {
            one["name"]: one["valueFrom"]["secretKeyRef"]
            for one in container["env"]
            if "S3" in one["name"]
        }
        assert refs == {
            "BANYAN_S3_ACCESS_KEY_ID": {"name": "bucket", "key": "access-key-id"},
            "BANYAN_S3_SECRET_ACCESS_KEY": {"name": "bucket", "key": "secret"},
        }
