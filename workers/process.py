"""Process: the event loop thread of one worker, with its ports, runner, lease keeper and reaper."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any

import structlog
import uvloop

from banyan.adapters.celery_queue import CeleryQueue
from banyan.adapters.coalescing import LINGER_S, Coalescing
from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import make_packer, make_places, make_serving
from banyan.adapters.library import BlobLibrary
from banyan.adapters.live_file import LiveFile
from banyan.adapters.looping import survived
from banyan.adapters.observed_store import ObservedStore
from banyan.adapters.observing import Observing
from banyan.adapters.places import Places
from banyan.adapters.policy_file import Listed
from banyan.adapters.served_versions import ServedVersions
from banyan.adapters.stores import make_blobs, make_flights, make_policies, make_store
from banyan.adapters.swapper import Swapper
from banyan.live_settings import LiveSettings
from banyan.policy import LIVE
from banyan.ports import Engine, Lease, Ports
from banyan.telemetry import set_level
from workers.couriers import Couriers
from workers.leases import LeaseKeeper
from workers.living import live_for_ever
from workers.runner import Runner
from workers.settings import WorkerSettings
from workers.swapping import make_swappers, swap_for_ever
from workers.sweeping import Sweeping
from workers.trajectories import Trajectories

log = structlog.get_logger(__name__)


class WorkerProcess:
    """Everything that runs in a worker beside Celery. Thread-safe: `look` and `stop`."""

    def __init__(self, settings: WorkerSettings, listed: Listed, observing: Observing) -> None:
        self._settings = settings
        self._metrics = observing.metrics
        self._observing = observing
        self._listed = listed
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="nodes", daemon=True)
        self._runner: Runner | None = None
        self._reaping: asyncio.Task[None] | None = None
        self._living: asyncio.Task[None] | None = None
        self._swappers: list[Swapper] = []
        self._swapping: asyncio.Task[None] | None = None
        self._draining: Future[None] | None = None
        self._trajectories: Trajectories | None = None
        self._couriers: Couriers | None = None
        self._sweeping: Sweeping | None = None

    def start(self) -> None:
        """Start the loop and the runner; raises what starting them raises."""
        self._thread.start()
        self._call(self._open()).result()
        # What is there now stays until the end. Looking through it again and again would take a
        # twentieth of what a node costs, and hold all nodes up for a tenth of a second.
        gc.collect()
        gc.freeze()

    def look(self, tree_id: str, paths: Sequence[str]) -> None:
        """Block until each of the nodes has a slot; see `Runner.look`."""
        if self._runner is None:
            raise RuntimeError("the worker has not started")
        self._call(self._runner.look(tree_id, paths)).result()

    def begin_stop(self) -> None:
        """Stop claiming and drain in the background; safe to call from a signal handler."""
        if self._runner is not None and self._draining is None:
            self._draining = self._call(self._runner.drain(self._settings.grace_s))

    def stop(self) -> None:
        """Drain within the grace, hand leases back, close the ports."""
        self.begin_stop()
        if self._draining is None:
            return
        self._draining.result()
        self._call(self._close()).result()
        self._runner = None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _open(self) -> None:
        settings = self._settings
        self._leases = LeaseKeeper(
            lambda: make_store(settings),
            self._lose,
            lease_s=settings.lease_s,
            renew_s=settings.renew_s,
            metrics=self._metrics,
        )
        policies = make_policies(settings)
        self._versions = ServedVersions(policies, self._listed.policies.resolve)
        self._flights = make_flights(settings) if settings.coalesce == "installation" else None
        self._serving = make_serving(
            self._listed,
            policies,
            observe=self._observing.engine,
            place=self._places,
            around=self._coalescing,
        )
        store = make_store(settings, patience_s=settings.store_patience_s)
        self._ports = Ports(
            store=ObservedStore(store, self._metrics),
            library=BlobLibrary(make_blobs(settings)),
            engine=self._serving.engine(self._serving.policies.resolve(LIVE)),
            packer=make_packer(settings),
            engine_patience_s=settings.engine_patience_s,
        )
        self._queue = CeleryQueue(settings.broker, transport_options=settings.broker_options)
        name = f"{socket.gethostname()}:{os.getpid()}"
        self._runner = Runner(
            name,
            self._ports,
            self._serving,
            self._queue,
            self._leases,
            versions=self._versions,
            num_slots=settings.slots,
            metrics=self._metrics,
            traces=self._observing.traces,
        )
        if settings.logs_trajectories:
            self._trajectories = Trajectories(settings, self._metrics)
            self._trajectories.start()
        self._couriers = Couriers(settings, self._ports.store, self._metrics)
        self._couriers.start()
        self._sweeping = Sweeping(settings, self._ports.library, self._metrics)
        self._sweeping.start()
        self._leases.start()
        self._reaping = asyncio.create_task(self._reap_for_ever(self._runner))
        if settings.alive_file is not None:
            self._living = asyncio.create_task(live_for_ever(settings.alive_file))
        self._swappers = make_swappers(
            settings, self._listed, policies, self._ports.store, self._metrics
        )
        if self._swappers:
            self._swapping = asyncio.create_task(
                swap_for_ever(self._swappers, settings.swap_s, self._metrics)
            )
        self._live = LiveFile(settings, self._take_over, self._metrics)
        self._live.start()
        log.info("worker started", worker=name, slots=settings.slots)

    def _take_over(self, live: LiveSettings) -> None:
        set_level(live.log_level or self._settings.log_level)
        if self._runner is not None:
            self._runner.resize(live.slots or self._settings.slots)

    async def _close(self) -> None:
        await self._live.close()
        for task in (self._reaping, self._living):
            if task is not None:
                task.cancel()
        if self._trajectories is not None:
            await self._trajectories.close()
        if self._couriers is not None:
            await self._couriers.close()
        if self._sweeping is not None:
            await self._sweeping.close()
        await self._stop_swapping()
        self._leases.stop()
        await self._queue.close()
        await self._serving.close()
        if self._flights is not None:
            await self._flights.close()
        if self._ports.packer is not None:
            await self._ports.packer.close()
        await self._ports.library.close()
        await self._versions.close()
        await self._ports.store.close()
        log.info("worker stopped")

    def _places(self, spec: EngineSpec, url: str) -> Places:
        return make_places(
            spec,
            url,
            self._settings.engine_concurrency,
            metrics=self._metrics,
            traces=self._observing.traces,
        )

    def _coalescing(self, engine: Engine) -> Engine:
        settings = self._settings
        if settings.coalesce == "off":
            return engine
        keep_s = max(LINGER_S, settings.result_cache_s)
        return Coalescing(engine, self._flights, keep_s=keep_s, lease_s=settings.lease_s)

    async def _stop_swapping(self) -> None:
        """A swap that is under way is left to the next worker, which finds it and does it again."""
        if self._swapping is not None:
            self._swapping.cancel()
            await asyncio.gather(self._swapping, return_exceptions=True)
        for swapper in self._swappers:
            await swapper.close()

    async def _reap_for_ever(self, runner: Runner) -> None:
        while True:
            await asyncio.sleep(self._settings.reap_s)
            with survived(log, "reaping failed", "reap", self._metrics):
                await runner.reap()

    def _lose(self, lease: Lease) -> None:
        if self._runner is not None:
            self._loop.call_soon_threadsafe(self._runner.lose, lease)
