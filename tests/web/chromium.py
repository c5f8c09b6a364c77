"""Chromium: Debian's, found or installed; Playwright's own download is not needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

PACKAGE = "chromium"
NO_BROWSER = "no Chromium to run it in"
"""What the tests that could not be run are known by at the end of a run."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # Chromium refuses to start as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoChromium(RuntimeError):
    """There is no Chromium, and it cannot be installed here; the message says why."""


@cache
def chromium() -> Path:
    """The program; installed from Debian's packages where root lacks it. Raises NoChromium."""
    found = _found()
    if found is not None:
        return found
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise NoChromium(f"no {PACKAGE} on PATH; install it, for example: apt-get install chromium")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", PACKAGE]):
        done = subprocess.run(  # noqa: S603 - our own command line
            [apt, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise NoChromium(f"apt-get {arguments[0]} failed: {last}")
    found = _found()
    if found is None:
        raise NoChromium(f"the package {PACKAGE} has put no program on PATH")
    return found


def _found() -> Path | None:
    return next((Path(path) for name in NAMES if (path := shutil.which(name))), None)
