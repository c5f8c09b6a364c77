"""Command: a run from its beginning, or from where it was killed, to its last turn."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from banyan.settings import TraitSettings
from training.environments.text_catalogue import text_environment
from training.online import publishing
from training.online.loop import Loop, Site
from training.online.plan import Plan
from training.online.site import Places, open_site
from training.online.state import RunFolder, RunState
from training.online.telling import Tell


async def run_loop(
    places: Places,
    plan: Plan,
    settings: TraitSettings,
    folder: RunFolder,
    *,
    num_turns: int,
    tell: Callable[[int], Tell],
    resume: bool = False,
) -> RunState:
    """`tell` makes what tells of a run that begins at a turn. Raises BanyanErrors of all kinds."""
    text_environment(plan.environment).generate(0, plan.difficulty)
    async with open_site(places, plan, settings) as site:
        state = await begun(site, plan, folder, resume=resume)
        return await Loop(site, folder, state, tell(len(state.iterations))).run(num_turns)


async def begun(site: Site, plan: Plan, folder: RunFolder, *, resume: bool = False) -> RunState:
    """The state of a new run, or of the one that is there. Raises RunThere, NoRun and others."""
    if resume:
        return folder.resume(plan)
    live = await publishing.live_version(site.registry, plan.policy)
    return folder.begin(RunState(run_id=f"run-{secrets.token_hex(4)}", plan=plan, lives=(live,)))
