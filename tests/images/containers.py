"""Containers: buildah, podman and runc, with a store of images of their own in the cache."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.debian import Package, install
from tests.deploy.image_steps import ROOT

PROGRAMS = [Package(name, (name,)) for name in ("buildah", "podman", "runc", "mmdebstrap")]
HARDENED = (
    *("--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp", "--cap-drop=all"),
    "--security-opt=no-new-privileges",
)
"""As deploy/compose.yaml and the chart have it."""

_CONF = """\
[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
"""
"""Not every root may raise limits, and crun refuses machines with both versions of cgroups."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to: its exit code, what it printed, and what it said on stderr."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """All of it, for who looks for a reason."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Containers:
    """The programs, and the folder with their images."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Containers:
        """Have the programs installed. Raises NotHere."""
        if missing := [package for package in PROGRAMS if package.find() is None]:
            install(missing)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "containers.conf").write_text(_CONF, encoding="utf-8")
        return cls(folder)

    def buildah(self, *words: str) -> Done:
        return self._run("buildah", *words)

    def podman(self, *words: str) -> Done:
        return self._run("podman", *words)

    def _run(self, program: str, *words: str) -> Done:
        store = ("--root", f"{self.folder}/images", "--runroot", f"{self.folder}/run")
        done = subprocess.run(  # noqa: S603  # our own command line, no shell
            [program, *store, *words],
            env={**os.environ, "CONTAINERS_CONF": f"{self.folder}/containers.conf"},
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def has(self, image: str) -> bool:
        return self.podman("image", "exists", image).code == 0

    def build(self, target: str, base: str, arguments: Mapping[str, str]) -> str:
        """Build a target of the Dockerfile on `base`; the image's name."""
        name = f"localhost/banyan-{target}:checked"
        words = [f"--build-arg={key}={value}" for key, value in arguments.items()]
        words += [f"--volume={place}:{place}:ro" for place in _folders(arguments)]
        done = self.buildah(
            *("build", "--layers", "--isolation=chroot", "--format=docker", "--pull-never"),
            *(f"--build-arg=PYTHON_IMAGE={base}", *words),
            *(f"--target={target}", f"--tag={name}", str(ROOT)),
        )
        assert done.code == 0, done.told[-4_000:]
        return name

    def inspect(self, image: str) -> dict[str, Any]:
        """What the image says of itself."""
        [found] = json.loads(self.podman("image", "inspect", image).out)
        says: dict[str, Any] = found
        return says

    def run(self, image: str, *command: str, options: Sequence[str] = HARDENED) -> Done:
        """A container that ends by itself, without a network, and is removed."""
        return self.podman("run", "--rm", "--network=none", *options, image, *command)

    @contextmanager
    def running(
        self, image: str, env: Mapping[str, str], data: Path, *command: str
    ) -> Iterator[str]:
        """The name of a container that runs in the machine's network until the block ends."""
        words = [f"--env={name}={value}" for name, value in env.items()]
        words += ["--network=host", f"--volume={data}:/var/lib/banyan"]
        started = self.podman("run", "--detach", *HARDENED, *words, image, *command)
        assert started.code == 0, started.told
        name = started.out.strip().splitlines()[-1]
        try:
            yield name
        finally:
            self.podman("rm", "--force", "--volumes", "--time=5", name)


def _folders(arguments: Mapping[str, str]) -> list[str]:
    """Of this machine, that the arguments of a build name."""
    words = [word for value in arguments.values() for word in value.split()]
    return [word for word in words if word.startswith("/") and Path(word).is_dir()]
