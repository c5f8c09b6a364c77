"""Drive: performs the effects of one node's steps through the ports, until it suspends or ends.

This is the only loop that runs agents: workers call it with the durable store, training with the
in-memory one. A turn is recorded in the store before anything that follows from it happens; with
`spawn` and `finish` it is recorded in the same transition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from banyan.effects import (
    CallTool,
    Choose,
    Context,
    Cut,
    Derive,
    Derived,
    Effect,
    Event,
    Failed,
    Find,
    Finish,
    Generate,
    Look,
    Observed,
    Pack,
    Parts,
    ReadOn,
    Select,
    Selected,
    Spawn,
    TooExpensive,
    TooLong,
    Woken,
)
from banyan.errors import (
    EngineError,
    InvalidInput,
    PromptTooLong,
)
from banyan.model_calls import ModelCalls
from banyan.narrowing import REFUSED
from banyan.node import Node, Passage
from banyan.policy import Policy
from banyan.ports import (
    ChildNode,
    Claimed,
    Hint,
    Ports,
)
from banyan.spans import Span
from banyan.specialists import Team
from banyan.state import pack, unpack
from banyan.step import step
from banyan.task import Task
from banyan.turns import TurnDraft
from banyan.views import look

SEARCH_LIMIT = 6


async def drive(
    claimed: Claimed, task: Task, policy: Policy, ports: Ports, team: Team | None = None
) -> list[Hint]:
    """Run one claimed node until it is suspended or finished; return the hints to send.

    `policy` and the engine in `ports` are the node's own; `team` are all of the task's. Raises
    StaleLease where the node was lost to another worker or cancelled: the work is void.
    """
    return await _Driver(claimed, task, policy, ports, team or {}).run()


class _Driver:
    """One claimed node, from its waking to its next suspension or its end."""

    def __init__(
        self, claimed: Claimed, task: Task, policy: Policy, ports: Ports, team: Team
    ) -> None:
        self._claimed = claimed
        self._task = task
        self._policy = policy
        self._ports = ports
        self._team = team
        self._turn = TurnDraft(generation=claimed.generation, policy=policy)
        self._calls = ModelCalls(claimed, task, policy, ports, self._turn)
        self._clock_offset = claimed.now - asyncio.get_running_loop().time()

    async def run(self) -> list[Hint]:
        node = unpack(self._claimed.packed, Node)
        abilities = await self._calls.abilities()
        await self._calls.inherit(node, abilities)
        event: Event = Woken(self._claimed.outcomes, self._claimed.generation)
        while True:
            context = Context(
                task=self._task,
                policy=self._policy,
                abilities=abilities,
                budget=self._calls.budget,
                now=self._now(),
                deadline_at=self._claimed.deadline_at,
                team=self._team,
            )
            node, effect = step(node, event, context)
            match effect:
                case Finish(outcome):
                    log = self._turn.close(node, effect)
                    return await self._ports.store.finish(self._claimed.lease, outcome, log=log)
                case Spawn():
                    return await self._spawn(node, effect)
                case Look() | Choose() | Generate() | CallTool() if self._turn.is_open:
                    await self._record(node, effect)
            event = await self._perform_in_time(node, effect, context)

    async def _spawn(self, node: Node, effect: Spawn) -> list[Hint]:
        children = [
            ChildNode(packed=pack(child), budget=budget, policy=child.policy)
            for child, budget in zip(effect.children, effect.budgets, strict=True)
        ]
        return await self._ports.store.spawn(
            self._claimed.lease,
            children,
            packed=pack(node),
            kept=effect.kept,
            log=self._turn.close(node, effect),
            event={"goal": effect.goal},
            shared=(effect.shared_name, effect.shared) if effect.shared else None,
        )

    async def _record(self, node: Node, effect: Effect) -> None:
        log = self._turn.close(node, effect)
        if log is not None:
            self._calls.budget = await self._ports.store.turn(self._claimed.lease, log, pack(node))

    async def _perform_in_time(self, node: Node, effect: Effect, context: Context) -> Event:
        """Perform an effect; what goes wrong for good becomes an event for the agent."""
        try:
            async with asyncio.timeout(max(0.0, context.deadline_at - self._now())):
                return await self._perform(node, effect, context)
        except TimeoutError:
            return TooExpensive("deadline_exceeded", "the task's deadline passed during a turn")
        except PromptTooLong:
            return TooLong()
        except EngineError as error:
            return Failed(error.code, str(error))

    async def _perform(self, node: Node, effect: Effect, context: Context) -> Event:
        library, tenant = self._ports.library, self._task.tenant
        match effect:
            case Look():
                return await look(
                    node,
                    effect,
                    tenant,
                    library,
                    self._ports.engine,
                    numbers=context.policy.cites,
                )
            case Choose():
                return await self._calls.choose(effect, context)
            case Generate():
                return await self._calls.generate(node, effect, context)
            case Select(spans, query, _, reply):
                try:
                    chosen = await library.select(tenant, spans, query)
                except InvalidInput as error:
                    return Observed(reply, text=f"{REFUSED}{error}")
                own = await self._derive(node, chosen.records) if chosen.records else None
                return Selected(effect, chosen, own)
            case Cut(spans, parts, by):
                divided = await library.split(
                    tenant,
                    spans,
                    parts,
                    by,
                    places=effect.places,
                    context=effect.context,
                    overlap_chars=effect.overlap_chars,
                    max_header_chars=effect.max_header_chars,
                )
                return Parts(effect, tuple(divided))
            case Derive(passages):
                return Derived(await self._derive(node, passages))
            case ReadOn(span, document, reply):
                read = await library.passages(tenant, span)
                position = span.end - node.inputs[document - 1].start
                return Observed(reply, read, read=(document, position))
            case Find(spans, query, regex, reply):
                try:
                    found = await library.search(
                        tenant, spans, query, regex=regex, limit=SEARCH_LIMIT
                    )
                except InvalidInput as error:
                    return Observed(reply, text=f"The search failed: {error}")
                notes = [note for note in node.notes if query.lower() in note.lower()]
                return Observed(reply, found, text="\n".join(f"Note: {note}" for note in notes))
            case Pack():
                return await self._calls.pack(effect)
            case CallTool(tool, _, reply):
                return Observed(reply, text=f"There is no tool {tool}.")
            case Spawn() | Finish():
                raise ValueError("the end of a node is no effect to perform")

    async def _derive(self, node: Node, passages: Sequence[Passage]) -> Span:
        """The passages as a text that lives as long as the tree.

        Its name has the deadline, since another tree may have this id once this one is deleted: no
        text of the new one may be among those that are being removed.
        """
        store, lease = self._ports.store, self._claimed.lease
        name = f"{lease.tree_id}:{self._claimed.deadline_at}:{node.path}:{node.num_children}"
        return await self._ports.library.derive(
            self._task.tenant, name, passages, announce=partial(store.derive, lease)
        )

    def _now(self) -> float:
        """Seconds on the store's clock, by this machine's monotonic one since the claim."""
        return asyncio.get_running_loop().time() + self._clock_offset
