"""A base for images where no registry is reached: Debian's Python, where the official image has it.

It stands in for the base that the Dockerfile names: Debian one release older, Python 3.11 with
another patch level, programs in /usr/local/bin, pip outside of Debian's care. It trusts whom this
machine trusts, and has its index of packages.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.images.containers import Containers

NAME = "localhost/banyan-base:stand-in"

_PACKAGES = "ca-certificates,netbase,python3,python3-pip-whl,python3-setuptools-whl,tzdata"
_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
_PLACED = """\
set -eu
rm /usr/lib/python3.11/EXTERNALLY-MANAGED
wheels=/usr/share/python-wheels
PYTHONPATH=$(echo $wheels/pip-*.whl) python3 -m pip install --quiet --no-index \\
  --find-links $wheels pip setuptools
rm -r $wheels
ln -s /usr/bin/python3.11 /usr/local/bin/python3
ln -s /usr/bin/python3.11 /usr/local/bin/python
"""


def make(containers: Containers) -> str:
    """The image's name; it is made once, in a few minutes. Raises RuntimeError."""
    if containers.has(NAME):
        return NAME
    files = containers.folder / "base"
    files.mkdir(exist_ok=True)
    (files / "place").write_text(_PLACED, encoding="utf-8")
    (files / "pip.conf").write_text(_pip_conf(), encoding="utf-8")
    (files / "uv.toml").write_text(_uv_toml(), encoding="utf-8")
    _bootstrap(files)
    made = containers.podman(
        *("import", "--change=ENV LANG=C.UTF-8"),
        "--change=ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        *('--change=CMD ["python3"]', f"{files}/base.tar", NAME),
    )
    (files / "base.tar").unlink()
    if made.code:
        raise RuntimeError(made.told)
    return NAME


def _bootstrap(files: Path) -> None:
    hooks = [
        "mkdir -p $1/etc/uv",
        f"cp {files}/pip.conf $1/etc/pip.conf",
        f"cp {files}/uv.toml $1/etc/uv/uv.toml",
        f"cp {files}/place $1/tmp/place",
        "chroot $1 sh /tmp/place",
        "rm $1/tmp/place",
    ]
    if _ROOTS.exists():
        hooks.append(f"cp {_ROOTS} $1{_ROOTS}")
    done = subprocess.run(  # noqa: S603  # our own command line, no shell
        [
            *("mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}"),
            *(f"--customize-hook={hook}" for hook in hooks),
            *("bookworm", str(files / "base.tar"), "http://deb.debian.org/debian"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-4_000:])


def _pip_conf() -> str:
    index = os.environ.get("PIP_INDEX_URL")
    return f"[global]\ncert = {_ROOTS}\n" + (f"index-url = {index}\n" if index else "")


def _uv_toml() -> str:
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL")
    own = f'[[index]]\nurl = "{index}"\ndefault = true\n' if index else ""
    return f"native-tls = true\n{own}"
