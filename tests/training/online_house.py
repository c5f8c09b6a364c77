"""The loop's surroundings in memory: a service, who plays its worker, a replica, and an update."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from banyan import moves
from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.policy_folder import read_manifest
from banyan.adapters.publishing import change
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_writer import TrajectoryWriter
from banyan.client.async_sdk import AsyncClient
from banyan.client.policies import PolicyDetail, PolicyList, PolicyVersion
from banyan.in_process import grow
from banyan.manifest import Manifest
from banyan.policy import BASE, Policies
from banyan.ports import Hint, Message, Ports
from banyan.serving import Serving
from banyan.state import unpack
from banyan.task import Task
from banyan.testing.fake_replica import OWN, FakeReplica, logprob_of
from banyan.testing.schema_values import Schema
from banyan.testing.scripted import ScriptedEngine
from service.settings import ServiceSettings
from tests.service.house import House, WatchedStore
from tests.swap.makers import directory, floats, safetensors
from training.online.evaluating import Evaluator
from training.online.loop import Site
from training.online.plan import Plan
from training.online.telling import Phase
from training.online.updating import Update

PLAIN = BASE.model_copy(update={"json_answers": False, "cites": False})
PLAN = Plan(difficulty=2, num_tasks=2, group_size=2, num_evaluation_tasks=24, ahead=0)

R = TypeVar("R")


def weights(value: float) -> bytes:
    """A file of weights; what they are good for is in `skill`."""
    return safetensors({"layer": ("F32", (1,), floats(value))})


def skill(own: bytes) -> float:
    """The share of goals that these weights answer: their own one number, or 0.2."""
    if own == OWN:
        return 0.2
    return next(value / 10 for value in range(11) if own == weights(value / 10))


def answer(share: float, messages: Sequence[Message]) -> str:
    """The right city for this share of the names, by their first letter; else nonsense."""
    prompt = messages[-1].content
    name = re.findall(r"Where does (\w+) live", prompt)[-1]
    city = dict(re.findall(r"^(\w+) lives in (\w+)\.$", prompt, re.MULTILINE))[name]
    return city if (ord(name[0]) - ord("A")) / 26 < share else "nowhere"


def replica() -> FakeReplica:
    """A model server that answers as well as its weights can."""
    made: list[FakeReplica] = []

    def rule(messages: Sequence[Message], schema: Schema | None) -> str:
        del schema
        return answer(skill(made[0].own), messages)

    made.append(FakeReplica(_texts=ScriptedEngine(rule=rule, scores=None)))
    return made[0]


@dataclass
class Trainer:
    """Plays `banyan-train update`: every version has the next of `skills`."""

    skills: list[float]
    asked: list[Update] = field(default_factory=list)
    fails: int = 0

    async def __call__(self, wanted: Update, errors: Path) -> None:
        """Write a version whose probe is what the replica will compute."""
        del errors
        self.asked.append(wanted)
        if wanted.out.exists():
            return
        if self.fails:
            self.fails -= 1
            raise asyncio.CancelledError
        content = weights(self.skills.pop(0))
        write_version(wanted.out, content, parent=wanted.parent)


def write_version(out: Path, content: bytes, *, parent: str = "base", **changes: Any) -> None:
    """A directory as an update leaves it: full weights, and nothing measured yet."""
    token_ids = [7, 8]
    probe = {
        "prompt_token_ids": [5, 6],
        "token_ids": token_ids,
        "logprobs": [logprob_of(content, token) for token in token_ids],
    }
    directory(
        out,
        weights=content,
        parent=parent,
        kind="full",
        probe=probe,
        losses={"first": 0.2, "last": 0.1},
        evaluation={"set_name": "none", "live_version": parent, "candidate": {}, "live": {}},
        **changes,
    )


class HouseRegistry:
    """The service's registry for the loop, which calls it from a thread."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self.num_published = 0

    def list(self) -> PolicyList:
        return PolicyList.model_validate(self._send("GET", "/policies"))

    def get(self, version: str) -> PolicyDetail:
        return PolicyDetail.model_validate(self._send("GET", f"/policies/{version}"))

    def publish(self, directory: str) -> PolicyVersion:
        self.num_published += 1
        body = {"directory": directory}
        return PolicyVersion.model_validate(self._send("POST", "/policies", body))

    def promote(self, version: str) -> PolicyVersion:
        """At once: no replicas stand behind this service."""
        store = self._house.policies
        self._wait(change(store, lambda now: moves.want(now, version, 1.0)))
        self._wait(change(store, lambda now: moves.arrive(now, version, 1.0)))
        return self.get(version)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        reply = self._wait(self._house.http.request(method, path, json=body))
        assert reply.is_success, reply.text
        return reply.json()

    def _wait(self, work: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)


class OnlineHouse:
    """A service whose trees grow in this process, and are logged."""

    def __init__(self, root: Path) -> None:
        self.log, self.policies = root / "log", root / "policies"
        self.policies.mkdir()
        settings = ServiceSettings(trajectory_dir=self.log, policy_dir=self.policies)
        self.house = House(settings, store=WatchedStore(logs=True))
        self.engine = ScriptedEngine(rule=lambda messages, _: answer(0.5, messages), scores=None)
        self.replica = replica()
        self.trainer = Trainer([])
        self.update: Callable[[Update, Path], Awaitable[None]] = self.trainer
        queue = MemoryTrajectoryQueue(self.house.store)
        self._writer = TrajectoryWriter(queue, TrajectoryFolder(self.log))
        transport = httpx.ASGITransport(self.house.app, raise_app_exceptions=False)
        self.client = AsyncClient("http://127.0.0.1", transport=transport)

    async def __aenter__(self) -> Self:
        self._playing = asyncio.create_task(self._play())
        self.registry = HouseRegistry(self.house)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._playing.cancel()
        await asyncio.gather(self._playing, return_exceptions=True)
        await self.client.close()
        await self.house.http.aclose()

    def site(self) -> Site:
        evaluator = Evaluator(
            self.replica,
            self.replica,
            kind="full",
            limits=PLAN.limits,
            num_parallel=8,
            max_gap=0.01,
        )
        return Site(
            client=self.client,
            registry=self.registry,
            evaluator=evaluator,
            listed=PLAIN,
            log=self.log,
            policies=self.policies,
            model=Path("model"),
            base="smollm2",
            update=self.update,
        )

    def registry_of(self, version: str) -> Manifest:
        """The manifest that a version was published with."""
        return read_manifest(self.policies / version)

    async def _play(self) -> None:
        """Be the workers of this service."""
        queue = self.house.queue
        while True:
            await queue.sent.wait()
            queue.sent.clear()
            hints, queue.hints = queue.hints, []
            for hint in hints:
                await self._grow(hint)
            while await self._writer.write_due():
                pass

    async def _grow(self, hint: Hint) -> None:
        store = self.house.store
        task = unpack((await store.get_tree(hint.tree_id)).task, Task)
        policies = Policies([PLAIN.model_copy(update={"version": task.policy})], live=task.policy)
        await grow(
            task,
            Ports(store, self.house.library, self.engine),
            serving=Serving.only(self.engine, policies),
            resumed=(hint.tree_id, [hint]),
        )


def told(phase: Phase, number: int, done: int, total: int) -> None:
    """What the loop tells, and nobody has to hear."""
    del phase, number, done, total
