"""Reading manifests: pods and containers wherever they stand, and what one kind is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.deploy.helm import Manifest


@dataclass(frozen=True, slots=True)
class PodOf:
    """The pod that a manifest makes."""

    owner: Manifest
    metadata: Manifest
    spec: Manifest

    @property
    def component(self) -> str:
        return str(self.metadata["labels"]["app.kubernetes.io/component"])

    @property
    def containers(self) -> list[Manifest]:
        """Sidecars too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def is_served(self) -> bool:
        """Whether it runs until it is stopped."""
        return self.owner["kind"] in {"Deployment", "StatefulSet"}


def pods(manifests: Iterable[Manifest]) -> Iterator[PodOf]:
    for manifest in manifests:
        found: Any = manifest
        if manifest["kind"] == "CronJob":
            found = manifest["spec"]["jobTemplate"]
        if manifest["kind"] in {"Deployment", "StatefulSet", "Job", "CronJob"}:
            found = found["spec"]["template"]
            yield PodOf(manifest, found["metadata"], found["spec"])
        elif manifest["kind"] == "Pod":
            yield PodOf(manifest, manifest["metadata"], manifest["spec"])


def num_bytes(quantity: str) -> int:
    """Of a quantity of memory or disk, such as 1536Mi or 2G. Raises KeyError for other units."""
    number = quantity.rstrip("KMGTi")
    powers = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
    unit = quantity.removeprefix(number)
    base = 1024 if unit.endswith("i") else 1000
    return int(float(number) * base ** powers[unit.removesuffix("i")])


def named(manifests: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one manifest of this kind and name."""
    [found] = [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name]
    return found


def of_kind(manifests: Iterable[Manifest], kind: str) -> dict[str, Manifest]:
    """By name."""
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] == kind}


def pod(manifests: Iterable[Manifest], component: str) -> PodOf:
    """The pod of a component; of several owners the first."""
    return next(found for found in pods(manifests) if found.component == component)


def environment(manifests: list[Manifest], of: PodOf, container: int = -1) -> dict[str, str]:
    """The variables of a container, those of ConfigMaps too; those of Secrets are SECRET."""
    maps = of_kind(manifests, "ConfigMap")
    chosen = of.containers[container]
    found: dict[str, str] = {}
    for source in chosen.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]["data"]
    for variable in chosen.get("env", []):
        found[variable["name"]] = variable.get("value", "SECRET")
    return found
