"""Loop: rollouts, credit, update, evaluation, publication; again and again.

While an update runs, the next `ahead` batches are collected from what is live then, so that their
rows are at most that many updates old; the update leaves out what is older than the plan allows.
Every update begins at the weights that are live: one that the gate rejects is thrown away.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from banyan.adapters.policy_folder import read_manifest
from banyan.client.async_sdk import AsyncClient
from banyan.client.policies import PolicyVersion
from banyan.manifest import Evaluation, Manifest
from banyan.policy import Policy
from banyan.promotion import paired
from training.eligibility import version_number
from training.online import publishing, rollouts
from training.online.evaluating import Evaluator, Weighed
from training.online.publishing import Registry
from training.online.rollouts import Batch
from training.online.state import Iteration, Measured, RunFolder, RunState, Verdict
from training.online.telling import Tell
from training.online.updating import Update, update

INCOMING = "incoming"
LOG_PATIENCE_S = 120.0
MOVE_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where the loop runs: the service, its folders as they are seen here, the base model.

    `listed` is the policy that is trained, as the workers have it.
    """

    client: AsyncClient
    registry: Registry
    evaluator: Evaluator
    listed: Policy
    log: Path
    policies: Path
    model: Path
    base: str
    update: Callable[[Update, Path], Awaitable[None]] = update

    def folder(self, version: str) -> Path | None:
        """A version's weights; None for the policy's own."""
        return None if version == self.listed.version else self.policies / version

    def weighed(self, name: str, folder: Path | None) -> Weighed:
        """Weights with the policy that is served with them."""
        if folder is None:
            return Weighed(self.listed)
        manifest = read_manifest(folder)
        changes = {**manifest.changes(), "version": name}
        return Weighed(self.listed.model_copy(update=changes), folder, manifest)


class Loop:
    """One run. `tell` is told what it does."""

    def __init__(self, site: Site, folder: RunFolder, state: RunState, tell: Tell) -> None:
        self.site = site
        self._folder = folder
        self.tell = tell
        self.state = state

    async def run(self, num_turns: int) -> RunState:
        """All turns up to `num_turns` that are not done. Raises what a phase raises."""
        first = len(self.state.iterations)
        async with self._batches(first, num_turns) as (batches, turn_is_done):
            for number in range(first, num_turns):
                batch = await _next(batches)
                self.state = await self._turn(number, batch)
                self._folder.save(self.state)
                turn_is_done()
                self.tell("turn", number, 1, 1)
        return self.state

    @asynccontextmanager
    async def _batches(
        self, first: int, num_turns: int
    ) -> AsyncIterator[tuple[asyncio.Queue[Batch | BaseException], Callable[[], None]]]:
        """Batches as they are collected, no more than `ahead` of them before their turn."""
        plan, queue = self.state.plan, asyncio.Queue[Batch | BaseException]()
        room = asyncio.Semaphore(plan.ahead + 1)

        async def collect() -> None:
            try:
                for number in range(first, num_turns):
                    await room.acquire()
                    batch = await rollouts.collect(
                        self.site.client, plan, self.state.run_id, number, self.tell
                    )
                    await queue.put(batch)
            except Exception as error:  # noqa: BLE001 - is raised where the batch is waited for
                await queue.put(error)

        collecting = asyncio.create_task(collect())
        try:
            yield queue, room.release
        finally:
            collecting.cancel()
            with suppress(asyncio.CancelledError):
                await collecting

    async def _turn(self, number: int, batch: Batch) -> RunState:
        site, state = self.site, self.state
        await rollouts.logged(site.log, batch, within_s=LOG_PATIENCE_S)
        live = await publishing.live_version(site.registry, state.plan.policy)
        out = site.policies / INCOMING / f"{state.run_id}-{number + 1}"
        began = time.monotonic()
        self.tell("update", number, 0, 1)
        await self.update(live, rollouts.groups_of(state.run_id, number), out)
        self.tell("update", number, 1, 1)
        updated = time.monotonic()
        evaluation, manifest = await self.evaluate(number, live, out)
        evaluated = time.monotonic()
        known = await self.publish(number, out)
        published = time.monotonic()
        await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
        iteration = Iteration(
            number=number + 1,
            parent=live,
            version=known.version,
            verdict=_verdict(known),
            reasons=known.reasons,
            num_trees=manifest.data.num_trees,
            num_rows=manifest.data.num_rows,
            rollout_reward=batch.reward,
            staleness=max(state.behind(version, live) for version in batch.policies),
            first_loss=manifest.losses["first"],
            last_loss=manifest.losses["last"],
            logprob_gap=manifest.logprob_gap,
            measured=measured(evaluation),
            collect_s=batch.seconds,
            update_s=updated - began,
            evaluate_s=evaluated - updated,
            publish_s=published - evaluated,
        )
        new = known.version if known.state == "live" else live
        lives = state.lives if new in state.lives else (*state.lives, new)
        iterations = (*state.iterations, iteration)
        return state.model_copy(update={"iterations": iterations, "lives": lives})

    async def update(
        self,
        live: str,
        groups: str,
        out: Path,
        *,
        log: Path | None = None,
        more: tuple[str, ...] = (),
    ) -> None:
        """Train what is live on the batch whose groups are called so. Raises UpdateFailed.

        `more` are options that are said after the plan's own.
        """
        site, state = self.site, self.state
        staleness = version_number(live) - version_number(state.oldest(live))
        wanted = Update(
            log=log or site.log,
            out=out,
            model=site.model,
            base=site.base,
            policy=state.plan.policy,
            parent=live,
            parent_folder=site.folder(live),
            max_staleness=max(0, staleness),
            groups=groups,
            options=(*state.plan.update, *more),
        )
        await self.site.update(wanted, self._folder.path / "logs" / f"{out.name}.log")

    async def evaluate(self, number: int, live: str, out: Path) -> tuple[Evaluation, Manifest]:
        """Measure what was made against what is live, on tasks that nobody has seen."""
        site, plan = self.site, self.state.plan
        evaluation = publishing.evaluated(out, live)
        if evaluation is None:
            count = plan.num_evaluation_tasks
            evaluation = await site.evaluator.compare(
                site.weighed(live, site.folder(live)),
                site.weighed(out.name, out),
                plan.tasks("evaluation", number * count, count),
                set_name=f"{plan.environment}-{plan.difficulty}",
                tell=self.tell,
                number=number,
            )
            publishing.write_evaluation(out, evaluation)
        return evaluation, read_manifest(out)

    async def publish(self, number: int, out: Path) -> PolicyVersion:
        """Hand it to the gate, and where it is verified, to the replicas."""
        registry = self.site.registry
        self.tell("publication", number, 0, 1)
        known = await publishing.publish(registry, self.site.policies, out)
        if known.state == "verified":
            known = await publishing.promote(registry, known.version, within_s=MOVE_PATIENCE_S)
        self.tell("publication", number, 1, 1)
        return known


def measured(evaluation: Evaluation) -> Measured:
    """Means, gain and interval of a paired evaluation."""
    gain = paired(evaluation.candidate, evaluation.live)
    return Measured.of(list(evaluation.live.values()), list(evaluation.candidate.values()), gain)


def _verdict(known: PolicyVersion) -> Verdict:
    match known.state:
        case "live" | "rejected":
            return known.state
        case _:
            return "verified"


async def _next(batches: asyncio.Queue[Batch | BaseException]) -> Batch:
    batch = await batches.get()
    if isinstance(batch, BaseException):
        raise batch
    return batch
