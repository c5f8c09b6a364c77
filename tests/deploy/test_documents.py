"""The service has room for the documents that it takes: memory to read them, disk to wait on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml

from service.settings import MIB, ServiceSettings
from tests.deploy import manifests as read
from tests.deploy.helm import Manifest
from tests.deploy.image_steps import ROOT
from tests.deploy.matrix import CASES

Rendered = Mapping[str, list[Manifest]]
ALL = [case.name for case in CASES]
SERVICE_BYTES = 256 * MIB
"""Of the service itself; docs/performance.md has what it was measured to take."""


def settings_of(manifests: list[Manifest]) -> ServiceSettings:
    env = read.environment(manifests, read.pod(manifests, "service"))
    return ServiceSettings.model_validate(
        {name.removeprefix("BANYAN_").lower(): value for name, value in env.items()}
    )


@pytest.mark.parametrize("case", ALL)
def test_memory_holds_the_service_and_all_that_it_reads_at_one_time(
    rendered: Rendered, case: str
) -> None:
    settings = settings_of(rendered[case])
    [service] = read.pod(rendered[case], "service").containers
    readers_bytes = settings.extract_parallel * settings.extract_memory_bytes
    limit = read.num_bytes(service["resources"]["limits"]["memory"])
    assert limit >= readers_bytes + SERVICE_BYTES


@pytest.mark.parametrize("case", ALL)
def test_the_largest_document_fits_as_file_as_text_and_on_its_way_to_a_bucket(
    rendered: Rendered, case: str
) -> None:
    pod = read.pod(rendered[case], "service")
    [mount] = [one for one in pod.containers[-1]["volumeMounts"] if one["mountPath"] == "/tmp"]  # noqa: S108  # the pod's
    [volume] = [one for one in pod.spec["volumes"] if one["name"] == mount["name"]]
    room = read.num_bytes(volume["emptyDir"]["sizeLimit"])
    assert room >= 3 * settings_of(rendered[case]).max_document_bytes
    assert "medium" not in volume["emptyDir"], "it would be memory"


def test_uploads_wait_on_a_disk_with_compose_too() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["service"]
    places = {volume.split(":")[1] for volume in service["volumes"]}
    assert "/tmp" in places  # noqa: S108  # the container's
    assert "tmpfs" not in service


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("1536Mi", 1536 * MIB), ("2G", 2_000_000_000), ("0.5Gi", 512 * MIB), ("128", 128)],
)
def test_quantities_are_read_as_kubernetes_reads_them(quantity: str, expected: int) -> None:
    assert read.num_bytes(quantity) == expected
