"""What the training demo does once everything runs, and what is said about it in the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from banyan.client.policies import PolicyVersion
from banyan.promotion import paired
from banyan.settings import TraitSettings
from training.online import publishing, rollouts
from training.online.command import begun
from training.online.loop import INCOMING, Loop, measured
from training.online.plan import Plan
from training.online.report import gain
from training.online.site import Places, open_site
from training.online.state import Measured, RunFolder, RunState
from training.online.telling import Teller
from training.online.worse import turned_round

WORSE_LR = 5e-4
"""One update with it leaves nothing of what was learned before."""


@dataclass(frozen=True, slots=True)
class Story:
    """`served`: rewards of the service on fresh tasks, before (live) and after (candidate)."""

    state: RunState
    served: Measured
    worse: PolicyVersion
    worse_measured: Measured

    @property
    def went_live(self) -> list[str]:
        """The trained versions that did."""
        return [turn.version for turn in self.state.iterations if turn.verdict == "live"]

    @property
    def shows_both_ends(self) -> bool:
        """A better version went live, and a worse one was rejected."""
        return bool(self.went_live) and self.worse.state == "rejected"

    def fields(self) -> dict[str, Any]:
        """For the report in JSON."""
        return {
            "served": self.served.model_dump(),
            "worse": self.worse.model_dump(mode="json"),
            "worse_measured": self.worse_measured.model_dump(),
            "shows_both_ends": self.shows_both_ends,
        }


async def tell_story(
    places: Places,
    plan: Plan,
    settings: TraitSettings,
    out: Path,
    *,
    num_turns: int,
    num_tests: int,
) -> Story:
    """Measure what is served, train it, measure it again, and show the gate a worse version."""
    teller = Teller(_say, num_turns=num_turns, first=0)
    async with open_site(places, plan, settings) as site:
        tests = plan.tasks("test", 0, num_tests)
        before = await rollouts.served_rewards(site.client, tests, plan, _counter("before"))
        folder = RunFolder(out)
        loop = Loop(site, folder, await begun(site, plan, folder), teller)
        state = await loop.run(num_turns)
        after = await rollouts.served_rewards(site.client, tests, plan, _counter("after"))
        worse, worse_measured = await _worse(loop, out)
    return Story(state, _measured(before, after), worse, worse_measured)


def shown(story: Story) -> list[Text]:
    """The lines at the end."""
    served, worse = story.served, story.worse
    moved = served.low > 0
    lines = [
        Text(
            f"served on {served.num_tasks} fresh tasks: {served.live:.3f} before, "
            f"{served.candidate:.3f} after, {gain(served)}",
            "green" if moved else "bold",
        )
    ]
    if not moved:
        lines.append(Text("The interval holds 0: this run does not show that reward moved."))
    went = ", ".join(story.went_live) or "none"
    lines.append(Text(f"went live: {went}", "green" if story.went_live else "bold red"))
    lines.append(
        Text(
            f"trained to do badly: {worse.version}, {gain(story.worse_measured)}: {worse.state}"
            f"{''.join(f'; {reason}' for reason in worse.reasons)}",
            "green" if worse.state == "rejected" else "bold red",
        )
    )
    return lines


async def _worse(loop: Loop, out: Path) -> tuple[PolicyVersion, Measured]:
    """Train what is live on its last batch with the verdicts turned round, and publish that."""
    site, state = loop.site, loop.state
    number = len(state.iterations)
    live = await publishing.live_version(site.registry, state.plan.policy)
    batch = await rollouts.collect(site.client, state.plan, state.run_id, number, loop.tell)
    await rollouts.logged(site.log, batch, within_s=120.0)
    turned_round(site.log, batch.tree_ids, out / "turned-round")
    folder = site.policies / INCOMING / f"{state.run_id}-worse"
    groups = rollouts.groups_of(state.run_id, number)
    lr = ("--lr", str(WORSE_LR))
    await loop.update(live, groups, folder, log=out / "turned-round", more=lr)
    evaluation, _ = await loop.evaluate(number, live, folder)
    return await loop.publish(number, folder), measured(evaluation)


def _measured(before: Mapping[str, float], after: Mapping[str, float]) -> Measured:
    return Measured.of([*before.values()], [*after.values()], paired(after, before))


def _counter(what: str) -> Any:
    def count(done: int) -> None:
        if done % 20 == 0:
            _say(f"served, {what}: {done} tasks")

    return count


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
