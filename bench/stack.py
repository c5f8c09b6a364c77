"""All of Banyan's processes on this machine, around a fake model server or one that runs."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import is_up
from banyan.local.processes import Child, Processes
from banyan.local.programs import command, environment
from banyan.local.valkey import Valkey
from banyan.settings import EngineKind

START_S = 240.0
_AROUND_FAKES = {"BANYAN_COALESCE": "off", "BANYAN_ENGINE_CONCURRENCY": "off"}
"""So that calls do not depend on when others are made."""


class Stack:
    """Valkey, workers, the service and a fake model server; everything ends with the block.

    `engine` is the kind and URL of a model server that runs, instead of the fake one; `policies`
    is a file of policies, whose servers run; `settings` are further variables of the service and
    the workers, and `worker_settings` of the workers alone; `num_engines` are replicas of the fake
    model server, `engine_options` further arguments of its program. These three are read when
    something starts. Around the fake one equal calls are each made, and all at once: calls are what
    is counted, and it takes any number of them.
    """

    def __init__(
        self,
        *,
        latency_s: float = 0.0,
        engine: tuple[EngineKind, str] | None = None,
        num_workers: int = 2,
        slots: int = 512,
        window: int = 65_536,
        lease_s: float = 30.0,
        queued_s: float = 15.0,
        log_level: str = "warning",
        settings: Mapping[str, str] | None = None,
        worker_settings: Mapping[str, str] | None = None,
        policies: Path | None = None,
        num_engines: int = 1,
        engine_options: Sequence[str] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="banyan-bench-")
        self._latency_s = latency_s
        self.engine_options = list(engine_options)
        self._fakes_engine = engine is None
        ports = [free_port() for _ in range(num_engines)]
        fake: tuple[EngineKind, str] = (
            "openai",
            ",".join(f"http://{LOOPBACK}:{port}" for port in ports),
        )
        self.engine_kind, self.engine_url = engine or fake
        self._num_workers = num_workers
        self._slots = slots
        self._window = window
        self._lease_s = lease_s
        self._queued_s = queued_s
        self._log_level = log_level
        self.settings = dict(settings or {})
        self.worker_settings = dict(worker_settings or {})
        self._policies = {} if policies is None else {"BANYAN_POLICIES": str(policies)}
        self.url = f"http://{LOOPBACK}:{free_port()}"
        self.folder = Path(self._folder.name)
        self.valkey = Valkey(self.folder / "valkey")
        self.workers: list[Child] = []
        self.engines: list[Child] = []
        self._num_started = 0

    def __enter__(self) -> Self:
        self.valkey.start()
        self._processes = Processes(self.folder / "logs")
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.stop(grace_s=5.0)
        self.valkey.stop()
        self._folder.cleanup()

    def _start(self) -> None:
        self._env = environment(
            {
                "BANYAN_REDIS_URL": self.valkey.url,
                "BANYAN_BLOB_DIR": str(self.folder / "blobs"),
                "BANYAN_ENGINE_KIND": self.engine_kind,
                "BANYAN_ENGINE_URLS": self.engine_url,
                "BANYAN_ENGINE_WINDOW": str(self._window),
                "BANYAN_SLOTS": str(self._slots // max(1, self._num_workers)),
                "BANYAN_QUEUED_S": str(self._queued_s),
                "BANYAN_LEASE_S": str(self._lease_s),
                "BANYAN_GRACE_S": "1",
                "BANYAN_PORT": self.url.rpartition(":")[2],
                "BANYAN_LOG_LEVEL": self._log_level,
                **(_AROUND_FAKES if self._fakes_engine else {}),
                **self.settings,
                **self._policies,
            }
        )
        if self._fakes_engine:
            for url in self.engine_urls:
                self.start_engine(url)
        self.start_service()
        for _ in range(self._num_workers):
            self.start_worker()
        for url in self.engine_urls:
            wait_until(lambda url=url: is_up(f"{url}/health"), START_S)
        wait_until(self.is_ready, START_S)

    @property
    def engine_urls(self) -> list[str]:
        """Of all model servers."""
        return self.engine_url.split(",")

    def start_engine(self, url: str) -> Child:
        """Start a fake model server that listens where `url` says."""
        engine = self._run(
            "engine",
            command(
                "banyan.testing",
                *("--port", url.rpartition(":")[2]),
                *("--latency", str(self._latency_s)),
                *("--window", str(self._window)),
                *self.engine_options,
            ),
            environment(),
        )
        self.engines.append(engine)
        return engine

    def start_service(self) -> Child:
        """Start the service; `is_ready` says when it answers."""
        self.service = self._run("service", command("service"), self._env)
        return self.service

    def is_ready(self) -> bool:
        """Whether the service answers, and what it needs too."""
        return is_up(f"{self.url}/readyz")

    def start_worker(self, settings: Mapping[str, str] | None = None) -> Child:
        """Start one more worker process, with further variables of its own."""
        env = {**self._env, **self.worker_settings, **(settings or {})}
        worker = self._run("worker", command("workers"), env)
        self.workers.append(worker)
        return worker

    def kill(self, child: Child) -> None:
        """SIGKILL: it has no chance to hand anything back."""
        child.process.kill()
        child.process.wait()
        self.forget(child)

    def terminate(self, child: Child, within_s: float = START_S) -> int:
        """SIGTERM, and wait for its end; the exit code. Raises subprocess.TimeoutExpired."""
        child.process.terminate()
        code = child.process.wait(within_s)
        self.forget(child)
        return code

    def forget(self, child: Child) -> None:
        """Leave a child that has ended out of what is watched and stopped."""
        self._processes.forget(child)
        for kept in (self.workers, self.engines):
            if child in kept:
                kept.remove(child)

    def _run(self, kind: str, argv: Sequence[str], env: Mapping[str, str]) -> Child:
        self._num_started += 1
        return self._processes.start(f"{kind}-{self._num_started}", argv, env=env)

    def cpu_s(self) -> float:
        """Seconds of CPU so far of Banyan's own processes: service, workers and Valkey."""
        pids = [self.valkey.pid, self.service.pid, *(worker.pid for worker in self.workers)]
        times = [psutil.Process(pid).cpu_times() for pid in pids]
        return sum(each.user + each.system for each in times)

    def logs(self) -> dict[str, str]:
        """By process: all that it has logged."""
        folder = Path(self._folder.name) / "logs"
        return {file.stem: file.read_text(errors="replace") for file in folder.glob("*.log")}

    def submit(self, client: httpx.Client, goal: str, **request: Any) -> str:
        """Start a tree; its id."""
        reply = client.post(
            f"{self.url}/solve",
            json={"goal": goal, **request},
            headers={"Prefer": "respond-async"},
        )
        reply.raise_for_status()
        tree_id: str = reply.json()["id"]
        return tree_id

    def wait(self, client: httpx.Client, tree_id: str) -> dict[str, Any]:
        """The tree when it has finished, by long polls."""
        while True:
            reply = client.get(f"{self.url}/solve/{tree_id}", headers={"Prefer": "wait=60"})
            solve: dict[str, Any] = reply.raise_for_status().json()
            if solve["status"] not in {"queued", "running"}:
                return solve

    def engine_stats(self, client: httpx.Client) -> dict[str, int]:
        """What the fake model servers have seen together: `calls`, `in_flight` and so on."""
        seen: Counter[str] = Counter()
        for url in self.engine_urls:
            seen.update(client.get(f"{url}/stats").json())
        return seen

    def arrivals(self, client: httpx.Client) -> list[float]:
        """When the last calls came to the fake model servers, by this machine's clock, in order."""
        times = (client.get(f"{url}/arrivals").json() for url in self.engine_urls)
        return sorted(time for one in times for time in one)


def wait_until(holds: Any, within_s: float) -> None:
    """Wait until `holds()` is true. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s")
        time.sleep(0.1)
