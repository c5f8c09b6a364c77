"""All of Banyan's processes around a fake model server, for benchmarks on this machine alone."""

from __future__ import annotations

import tempfile
import time
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

START_S = 60.0


class Stack:
    """Valkey, a fake model server, workers and the service; everything ends with the block."""

    def __init__(
        self,
        *,
        latency_s: float,
        num_workers: int = 2,
        slots: int = 512,
        window: int = 65_536,
        lease_s: float = 30.0,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="banyan-bench-")
        self._latency_s = latency_s
        self._num_workers = num_workers
        self._slots = slots
        self._window = window
        self._lease_s = lease_s
        self.url = f"http://{LOOPBACK}:{free_port()}"
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
                "BANYAN_ENGINE_KIND": "openai",
                "BANYAN_ENGINE_URLS": self.engine_url,
                "BANYAN_ENGINE_WINDOW": str(self._window),
                "BANYAN_SLOTS": str(self._slots // self._num_workers),
                "BANYAN_LEASE_S": str(self._lease_s),
                "BANYAN_GRACE_S": "1",
                "BANYAN_PORT": self.url.rpartition(":")[2],
                "BANYAN_LOG_LEVEL": "warning",
            }
        )
        self.engine = self._processes.start(
            "engine",
            command(
                "banyan.testing",
                *("--port", self.engine_url.rpartition(":")[2]),
                *("--latency", str(self._latency_s)),
                *("--window", str(self._window)),
            ),
            env=environment(),
        )
        self.service = self._processes.start("service", command("service"), env=self._env)
        for _ in range(self._num_workers):
            self.start_worker()
        wait_until(lambda: is_up(f"{self.engine_url}/health"), START_S)
        wait_until(lambda: is_up(f"{self.url}/readyz"), START_S)

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
        self._processes.forget(worker)
        self.workers.remove(worker)

    def cpu_s(self) -> float:
        """Seconds of CPU so far of Banyan's own processes: service, workers and Valkey."""
        pids = [self.valkey.pid, self.service.pid, *(worker.pid for worker in self.workers)]
        times = [psutil.Process(pid).cpu_times() for pid in pids]
        return sum(each.user + each.system for each in times)

    def solve(self, client: httpx.Client, goal: str, **request: Any) -> dict[str, Any]:
        """Submit and wait until the tree has finished."""
        body = {"goal": goal, **request}
        reply = client.post(f"{self.url}/solve", json=body, headers={"Prefer": "wait=120"})
        reply.raise_for_status()
        solve: dict[str, Any] = reply.json()
        while solve["status"] in {"queued", "running"}:
            time.sleep(0.05)
            solve = client.get(f"{self.url}/solve/{solve['id']}").json()
        return solve

    def engine_calls(self, client: httpx.Client) -> int:
        """Completions that the fake model server has seen."""
        calls: int = client.get(f"{self.engine_url}/stats").json()["calls"]
        return calls


def wait_until(holds: Any, within_s: float) -> None:
    """Wait until `holds()` is true. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s")
        time.sleep(0.02)
