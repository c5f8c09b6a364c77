"""All of Banyan's processes on this machine, around a fake model server or one that runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
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

START_S = 180.0


class Stack:
    """Valkey, workers, the service and a fake model server; everything ends with the block.

    `engine` is the kind and URL of a model server that runs, instead of the fake one; `policies`
    is a file of policies, whose servers run; `settings` are further variables of the service and
    the workers.
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
        policies: Path | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="banyan-bench-")
        self._latency_s = latency_s
        self._engine_kind, self.engine_url = engine or ("openai", "")
        self._num_workers = num_workers
        self._slots = slots
        self._window = window
        self._lease_s = lease_s
        self._queued_s = queued_s
        self._log_level = log_level
        self._settings = dict(settings or {})
        self._policies = {} if policies is None else {"BANYAN_POLICIES": str(policies)}
        self.url = f"http://{LOOPBACK}:{free_port()}"
        self._fakes_engine = engine is None
        if self._fakes_engine:
            self.engine_url = f"http://{LOOPBACK}:{free_port()}"
        self.workers: list[Child] = []

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        self.valkey = Valkey(folder / "valkey")
        self.valkey.start()
        self._processes = Processes(folder / "logs")
        try:
            self._start(folder)
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

    def _start(self, folder: Path) -> None:
        self._env = environment(
            {
                "BANYAN_REDIS_URL": self.valkey.url,
                "BANYAN_BLOB_DIR": str(folder / "blobs"),
                "BANYAN_ENGINE_KIND": self._engine_kind,
                "BANYAN_ENGINE_URLS": self.engine_url,
                "BANYAN_ENGINE_WINDOW": str(self._window),
                "BANYAN_SLOTS": str(self._slots // max(1, self._num_workers)),
                "BANYAN_QUEUED_S": str(self._queued_s),
                "BANYAN_LEASE_S": str(self._lease_s),
                "BANYAN_GRACE_S": "1",
                "BANYAN_PORT": self.url.rpartition(":")[2],
                "BANYAN_LOG_LEVEL": self._log_level,
                **self._settings,
                **self._policies,
            }
        )
        if self._fakes_engine:
            self._start_fake_engine()
        self.service = self._processes.start("service", command("service"), env=self._env)
        for _ in range(self._num_workers):
            self.start_worker()
        wait_until(lambda: is_up(f"{self.engine_url}/health"), START_S)
        wait_until(lambda: is_up(f"{self.url}/readyz"), START_S)

    def _start_fake_engine(self) -> None:
        self._processes.start(
            "engine",
            command(
                "banyan.testing",
                *("--port", self.engine_url.rpartition(":")[2]),
                *("--latency", str(self._latency_s)),
                *("--window", str(self._window)),
            ),
            env=environment(),
        )

    def start_worker(self) -> Child:
        """Start one more worker process."""
        name = f"worker-{len(self.workers) + 1}"
        worker = self._processes.start(name, command("workers"), env=self._env)
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: Child) -> None:
        """SIGKILL: the worker has no chance to hand anything back."""
        worker.process.kill()
        worker.process.wait()
        self.forget_worker(worker)

    def forget_worker(self, worker: Child) -> None:
        """Leave a worker that has ended out of what is watched and stopped."""
        self._processes.forget(worker)
        self.workers.remove(worker)

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
        """What the fake model server has seen: `calls`, `in_flight` and so on."""
        stats: dict[str, int] = client.get(f"{self.engine_url}/stats").json()
        return stats


def wait_until(holds: Any, within_s: float) -> None:
    """Wait until `holds()` is true. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s")
        time.sleep(0.02)
