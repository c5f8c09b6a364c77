"""The all-in-one: Redis or Valkey, a model server, workers and the service on this machine.

Everything is checked before anything is started; what was started is stopped in the reverse order,
whatever happens. Use it as a context manager: inside the block it is ready.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from banyan.local import engine_choice, programs, redis_choice
from banyan.local.engine_choice import EnginePlan
from banyan.local.errors import Died, Interrupted, NotStarted
from banyan.local.memory import session_peak_bytes
from banyan.local.options import Options
from banyan.local.ports import LOOPBACK, is_free
from banyan.local.probes import is_up
from banyan.local.processes import Child, Processes
from banyan.local.stop_signal import StopSignal

SERVICE_START_S = 60.0
WORKER_START_S = 60.0
WORKER_READY = b"worker started"
"""What a worker logs when it has its ports and listens."""

STOP_GRACE_S = 2.0
"""For turns in flight: what is not finished then runs again at the next start."""

_POLL_S = 0.1
_REPORT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a part is doing: one line for people, and its state for programs."""

    part: str
    state: Literal["starting", "up", "stopping"]
    detail: str


Report = Callable[[Step], None]


class AllInOne:
    """Everything that a solve needs, on this machine. Raises Missing, NotStarted or Died."""

    def __init__(
        self,
        options: Options,
        *,
        report: Report,
        stop: StopSignal,
        install_engine: bool = False,
    ) -> None:
        self.url = f"http://{LOOPBACK}:{options.port}"
        self._options = options
        self._report = report
        self._stop = stop
        self._install_engine = install_engine
        self._processes: Processes | None = None
        self._engine: EnginePlan | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def wait(self) -> None:
        """Return at a signal to stop. Raises Died where a part ends before."""
        while not self._stop.event.wait(_POLL_S):
            self.check()

    def check(self) -> None:
        """Raises Died where a part has ended."""
        dead = self._parts.dead()
        if dead is not None:
            raise Died(f"{dead.name} {_how(dead)}", hint=_last_lines(dead))

    @property
    def engine(self) -> EnginePlan:
        """The model server that the workers talk to; others may ask it too, inside the block."""
        if self._engine is None:
            raise RuntimeError("the all-in-one is used outside its block")
        return self._engine

    def engine_peak_bytes(self) -> int | None:
        """Most memory that the model server has held; None where it is not one of the parts."""
        engine = next((part for part in self._parts.children if part.name == "engine"), None)
        return session_peak_bytes(engine.pid) if engine else None

    @property
    def _parts(self) -> Processes:
        if self._processes is None:
            raise RuntimeError("the all-in-one is used outside its block")
        return self._processes

    def _start(self) -> None:
        options = self._options
        if not is_free(options.port):
            raise NotStarted(
                f"port {options.port} is taken by another program",
                hint="Choose another with --port, or stop what listens there.",
            )
        redis = redis_choice.choose()
        engine = engine_choice.choose(
            options,
            lambda text: self._report(Step("engine", "starting", text)),
            install=self._install_engine,
        )
        self._engine = engine
        folder, temporary = _data_folder(options.data_dir)
        self._processes = parts = Processes(folder / "logs")
        if temporary:
            parts.owns_folder(folder)
        else:
            self._report(Step("logs", "up", str(folder / "logs")))

        server = None
        if redis.binary is not None:
            data = folder / "redis"
            data.mkdir(exist_ok=True)
            server = parts.start("redis", redis.argv(data), env=programs.environment())
        self._until("redis", redis.answers, redis_choice.START_S)
        self._report(Step("redis", "up", f"{redis.title}  {redis.shown_url}{_pid(server)}"))

        # The model loads while the workers and the service are starting.
        model = None
        if engine.argv is not None:
            model = parts.start("engine", engine.argv, env=engine.env)
            self._report(Step("engine", "starting", engine.title))
        env = self._environment(folder, redis.url, engine)
        workers = [
            parts.start(f"worker-{number}", programs.command("workers"), env=env)
            for number in range(1, options.num_workers + 1)
        ]
        service = parts.start("service", programs.command("service"), env=env)
        if engine.health_url:
            self._until("engine", lambda: is_up(engine.health_url), engine.start_s)
        self._report(Step("engine", "up", f"{engine.title}  {engine.url}{_pid(model)}"))
        for worker in workers:
            self._until(worker.name, partial(_worker_is_ready, worker.log), WORKER_START_S)
        self._report(
            Step(
                "workers",
                "up",
                f"{options.num_workers} x {options.slots_per_worker} nodes at one time"
                + "".join(_pid(worker) for worker in workers),
            )
        )
        self._until("service", lambda: is_up(f"{self.url}/readyz"), SERVICE_START_S)
        self._report(Step("service", "up", f"{self.url}{_pid(service)}"))

    def _environment(self, folder: Path, redis_url: str, engine: EnginePlan) -> dict[str, str]:
        options = self._options
        defaults = engine_choice.usual_environment(engine)
        if options.data_dir is not None:  # a log in a folder that is removed helps nobody
            defaults["BANYAN_TRAJECTORY_DIR"] = str(folder / "trajectories")
        return programs.environment(
            {
                **defaults,
                "BANYAN_REDIS_URL": redis_url,
                "BANYAN_BLOB_DIR": str(folder / "blobs"),
                "BANYAN_POLICY_DIR": os.environ.get("BANYAN_POLICY_DIR", str(folder / "policies")),
                "BANYAN_ENGINE_KIND": engine.kind,
                "BANYAN_ENGINE_URLS": engine.url,
                "BANYAN_ENGINE_MODEL": engine.served_model,
                "BANYAN_ENGINE_WINDOW": str(options.window),
                "BANYAN_GRACE_S": str(STOP_GRACE_S),
                "BANYAN_SLOTS": str(options.slots_per_worker),
                "BANYAN_HOST": LOOPBACK,
                "BANYAN_PORT": str(options.port),
            }
        )

    def _until(self, part: str, ready: Callable[[], bool], within_s: float) -> None:
        """Wait for a part while all of them live. Raises NotStarted or Interrupted."""
        began = reported = time.monotonic()
        while True:
            dead = self._parts.dead()
            if dead is not None:
                raise NotStarted(f"{dead.name} {_how(dead)}", hint=_last_lines(dead))
            if ready():
                return
            now = time.monotonic()
            if now - reported >= _REPORT_EVERY_S:
                reported = now
                self._report(Step(part, "starting", f"is starting, {now - began:.0f} s so far"))
            if now - began >= within_s:
                slow = next((c for c in self._parts.children if c.name == part), None)
                raise NotStarted(
                    f"{part} did not answer within {within_s:.0f} s",
                    hint=_last_lines(slow) if slow else "",
                )
            if self._stop.event.wait(_POLL_S):
                raise Interrupted("stopped while starting")

    def _end(self) -> None:
        """Stop what runs. A signal that comes meanwhile ends the waiting, not the cleaning."""
        if self._processes is None:
            return
        try:
            self._processes.stop()
        except KeyboardInterrupt:
            self._processes.kill()
        self._processes = None


def _data_folder(wanted: Path | None) -> tuple[Path, bool]:
    """The folder for all data, and whether it is temporary."""
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="banyan-")), True
    folder = wanted.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotStarted(
            f"{folder} cannot be made: {error.strerror}", hint="Choose another --data-dir."
        ) from error
    return folder, False


def _worker_is_ready(log: Path) -> bool:
    return WORKER_READY in log.read_bytes()


def _how(child: Child) -> str:
    code = child.returncode()
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _last_lines(child: Child) -> str:
    tail = child.tail()
    return f"Last lines of {child.name}.log:\n{tail}" if tail else ""


def _pid(child: Child | None) -> str:
    return f"  pid {child.pid}" if child else ""
