"""Programs of Debian's packages: found, else unpacked into the cache, or installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from banyan.local.cached_env import cache_dir

NOT_HERE = "a program of Debian's is not here"
"""What the tests that could not be run are known by at the end of a run."""


class NotHere(RuntimeError):
    """The program is not here and cannot be had; the message says why."""


@cache
def unpacked(program: str, package: str) -> Path:
    """A program, from PATH or out of the package, which is not installed.

    So nobody has to be root, and no daemon starts. Raises NotHere.
    """
    if found := shutil.which(program):
        return Path(found)
    folder = cache_dir() / f"debian-{package}"
    path = folder / "usr" / "bin" / program
    if not path.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{package}-", dir=folder.parent) as made:
            file = _downloaded(package, Path(made))
            _run(["dpkg-deb", "--extract", str(file), f"{made}/root"])
            if not folder.exists():
                Path(made, "root").rename(folder)
    return path


def install(programs: Mapping[str, str]) -> None:
    """Have Debian's packages installed, by the program that each is there for. Raises NotHere."""
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    if not missing:
        return
    how = f"apt-get install {' '.join(missing)}"
    if os.geteuid() != 0:
        raise NotHere(f"{', '.join(missing)} are not installed; as root: {how}")
    _run(["apt-get", "update"])
    _run(["apt-get", "install", "-y", "--no-install-recommends", *missing])


def _downloaded(package: str, folder: Path) -> Path:
    """The package's file. Lists of packages are this download's own: no root is needed."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True)
    own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={folder}"]
    own += ["-o", "APT::Sandbox::User="]
    _run(["apt-get", *own, "update"], folder)
    _run(["apt-get", *own, "download", package], folder)
    [file] = folder.glob("*.deb")
    return file


def _run(command: list[str], folder: Path | None = None) -> None:
    if shutil.which(command[0]) is None:
        raise NotHere(f"{NOT_HERE}: there is no {command[0]} to have it with")
    done = subprocess.run(  # noqa: S603  # our own command line, no shell
        command,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotHere(f"{NOT_HERE}: {' '.join(command[:1] + command[-2:])} failed: {last}")
