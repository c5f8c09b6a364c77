"""Evaluating: rewards of two sets of weights on the same tasks, before one of them is published.

Both are measured on a model server that serves nobody else, one after the other, with the kernel
that the service has, as answers are served: greedy, under the gate's threshold that was published
with the weights. So a version that nobody has judged never reaches a replica in service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from banyan import proof
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.errors import BanyanError
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.manifest import Evaluation, Manifest, WeightsKind
from banyan.node import Outcome
from banyan.policy import Policies, Policy
from banyan.ports import Engine, Ports, Weights
from banyan.serving import Serving
from banyan.spans import Span
from banyan.task import Task
from training.eligibility import OWN_FAILURES
from training.environments.text import TextTask
from training.online.errors import NotMeasured
from training.online.parallel import in_parallel
from training.online.telling import Tell

TENANT = "evaluation"
_ADAPTER = "evaluated"


@dataclass(frozen=True, slots=True)
class Weighed:
    """Weights to measure: a folder (None: the server's own) and the policy that they make."""

    policy: Policy
    folder: Path | None = None
    manifest: Manifest | None = None


class Evaluator:
    """`engine` and `replica` are one model server, whose weights this changes.

    `max_gap`: nats a token that server and trainer may differ by on a version's probe.
    """

    def __init__(
        self,
        engine: Engine,
        replica: Weights,
        *,
        kind: WeightsKind,
        limits: Limits,
        num_parallel: int,
        max_gap: float,
    ) -> None:
        self._engine = engine
        self._replica = replica
        self._kind = kind
        self._limits = limits
        self._num_parallel = num_parallel
        self._max_gap = max_gap

    async def compare(
        self,
        live: Weighed,
        candidate: Weighed,
        tasks: Mapping[str, TextTask],
        *,
        set_name: str,
        tell: Tell,
        number: int,
    ) -> Evaluation:
        """Paired rewards. Raises NotMeasured where the server has not what it was given."""
        found: list[dict[str, float]] = []
        for weighed in (live, candidate):
            before = len(found) * len(tasks)

            def count(done: int, before: int = before) -> None:
                tell("evaluation", number, before + done, 2 * len(tasks))

            try:
                policy = await self._loaded(weighed)
                found.append(await self._rewards(policy, tasks, count))
            except BanyanError as error:
                raise NotMeasured(f"{weighed.policy.version}: {error}") from error
        return Evaluation(
            set_name=set_name,
            live_version=live.policy.version,
            live=found[0],
            candidate=found[1],
        )

    async def _loaded(self, weighed: Weighed) -> Policy:
        """Put the weights on the server, prove that they are their manifest's; what runs there."""
        manifest, folder = weighed.manifest, weighed.folder
        if manifest is None or folder is None:
            if self._kind == "full":
                await self._reload(None)
            return weighed.policy
        if manifest.kind == "full":
            await self._reload(folder)
            await self._prove(manifest, None)
            return weighed.policy
        await self._replica.unload_adapter(_ADAPTER)
        await self._replica.load_adapter(_ADAPTER, folder)
        await self._prove(manifest, _ADAPTER)
        return weighed.policy.model_copy(update={"adapter": _ADAPTER})

    async def _reload(self, folder: Path | None) -> None:
        await self._replica.pause()
        try:
            await self._replica.reload(folder)
        finally:
            await self._replica.resume()

    async def _prove(self, manifest: Manifest, adapter: str | None) -> None:
        measured = await self._replica.probe(manifest.probe, adapter)
        proof.check(measured, manifest.probe.logprobs, self._max_gap)

    async def _rewards(
        self, policy: Policy, tasks: Mapping[str, TextTask], count: Callable[[int], None]
    ) -> dict[str, float]:
        serving = Serving.only(self._engine, Policies([policy], live=policy.version))
        work = {name: partial(self._reward, task, serving, policy) for name, task in tasks.items()}
        return await in_parallel(work, self._num_parallel, count)

    async def _reward(self, task: TextTask, serving: Serving, policy: Policy) -> float:
        library = MemoryLibrary()
        info = await library.put(TENANT, _chunks(task.document))
        tree = await grow(
            Task(
                tenant=TENANT,
                goal=task.goal,
                inputs=(Span(document=info.id, start=0, end=info.num_chars),),
                limits=self._limits,
                policy=policy.version,
            ),
            Ports(MemoryStore(), library, self._engine),
            serving=serving,
        )
        outcome = tree.outcome or Outcome(status="cancelled")
        if outcome.failure is not None and outcome.failure.code not in OWN_FAILURES:
            raise NotMeasured(f"a task was not finished: {outcome.failure.message}")
        return task.verify(outcome.answer) if isinstance(outcome.answer, str) else 0.0


async def _chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
