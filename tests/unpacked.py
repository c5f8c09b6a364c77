"""Programs of Debian's packages that are not installed, since a daemon of theirs would start."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from banyan.local.cached_env import cache_dir
from tests.debian import NotHere, Package


@cache
def unpacked(package: Package) -> Path:
    """Its program, from PATH or out of the package's file, which is kept in the cache.

    Nobody has to be root for that. Raises NotHere.
    """
    if found := package.find():
        return found
    folder = cache_dir() / f"debian-{package.name}"
    path = folder / "usr" / "bin" / package.programs[0]
    if not path.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{package.name}-", dir=folder.parent) as made:
            file = _downloaded(package, Path(made))
            _run(["dpkg-deb", "--extract", str(file), f"{made}/root"])
            if not folder.exists():
                Path(made, "root").rename(folder)
    return path


def _downloaded(package: Package, folder: Path) -> Path:
    """The package's file. Lists of packages are this download's own: no root is needed."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True)
    own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={folder}"]
    own += ["-o", "APT::Sandbox::User="]
    _run(["apt-get", *own, "update"], folder)
    _run(["apt-get", *own, "download", package.name], folder)
    [file] = folder.glob("*.deb")
    return file


def _run(command: list[str], folder: Path | None = None) -> None:
    if shutil.which(command[0]) is None:
        raise NotHere(f"there is no {command[0]} to have {command[-1]} with")
    done = subprocess.run(  # noqa: S603 - our own command line
        command,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotHere(f"{' '.join(command[:1] + command[-2:])} failed: {last}")
