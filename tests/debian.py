"""Programs of Debian's packages that some tests run: found, or installed where that is allowed.

`python3 -m tests.debian` installs what is missing; it needs Python alone, and no environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class NotHere(RuntimeError):
    """A program is not here and cannot be installed; the message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and the names under which its program may be known here."""

    name: str
    programs: tuple[str, ...]

    def find(self) -> Path | None:
        """The program on PATH."""
        return next((Path(path) for name in self.programs if (path := shutil.which(name))), None)


CHROMIUM = Package("chromium", ("chromium", "chromium-browser", "google-chrome"))
FISH = Package("fish", ("fish",))
ZSH = Package("zsh", ("zsh",))
# The tools hold the server's program under another name, and bring no server that starts by itself.
REDIS = Package("redis-tools", ("redis-check-rdb",))
PACKAGES = (CHROMIUM, FISH, REDIS, ZSH)


def program(package: Package) -> Path:
    """The program, installed where it is missing and this process is root. Raises NotHere."""
    found = package.find()
    if found is None:
        install([package])
        found = package.find()
    if found is None:
        raise NotHere(f"the package {package.name} has put no program on PATH")
    return found


def install(packages: Sequence[Package]) -> None:
    """Install packages with apt-get. Raises NotHere."""
    names = [package.name for package in packages]
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        listed = " ".join(names)
        raise NotHere(f"no {listed} on PATH; install it, for example: apt-get install {listed}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *names]):
        done = subprocess.run(  # noqa: S603 - our own command line
            [apt, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise NotHere(f"no {' '.join(names)}: apt-get {arguments[0]} failed: {last}")


def main() -> int:
    """Install what is missing; the exit status says whether all of it is here now."""
    missing = [package for package in PACKAGES if package.find() is None]
    try:
        if missing:
            install(missing)
    except NotHere as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
