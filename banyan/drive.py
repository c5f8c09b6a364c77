"""Drive: performs the effects of one node's steps through the ports, until it suspends or ends.

This is the only loop that runs agents: workers call it with the durable store, training with the
in-memory one. A turn is recorded in the store before anything that follows from it happens; with
`spawn` and `finish` it is recorded in the same transition.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from banyan import costs
from banyan.action import LETTERS
from banyan.answer_deltas import AnswerDeltas
from banyan.effects import (
    CallTool,
    Choose,
    Chosen,
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
    Packed,
    Parts,
    ReadOn,
    Spawn,
    TooExpensive,
    TooLong,
    Woken,
)
from banyan.errors import (
    AbilityMissing,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    PromptTooLong,
)
from banyan.node import ROOT_PATH, Node
from banyan.packed_state import SharedState
from banyan.policy import Policy
from banyan.ports import (
    OWN_WEIGHTS,
    Abilities,
    CallOptions,
    ChildNode,
    Claimed,
    Completion,
    Embeds,
    Engine,
    Hint,
    Library,
    Message,
    Packer,
    Prompt,
    Sampling,
    Store,
)
from banyan.prices import usd
from banyan.specialists import Team
from banyan.state import pack, unpack
from banyan.step import step
from banyan.task import Task
from banyan.transfer import NUM_VECTORS, check, continued
from banyan.turns import TurnDraft
from banyan.views import look

R = TypeVar("R")

SEARCH_LIMIT = 6
_RETRY_TEMPERATURE = 0.7
_NUM_SEEDS = 2**31
_FIRST_BACKOFF_S = 0.25
_LONGEST_BACKOFF_S = 5.0


@dataclass(frozen=True, slots=True)
class Ports:
    """What a node needs of the world. `engine_patience_s`: how long a down engine is waited for."""

    store: Store
    library: Library
    engine: Engine
    engine_patience_s: float = 180.0
    packer: Packer | None = None
    draw: Callable[[], float] = field(default=random.random)


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
        self._budget = claimed.budget
        self._turn = TurnDraft(generation=claimed.generation, policy=policy)
        self._shared: SharedState | None = None
        self._embeds: Embeds | None = None
        self._clock_offset = claimed.now - asyncio.get_running_loop().time()

    async def run(self) -> list[Hint]:
        node = unpack(self._claimed.packed, Node)
        abilities = await self._patiently(self._ports.engine.abilities)
        await self._inherit(node, abilities)
        event: Event = Woken(self._claimed.outcomes, self._claimed.generation)
        while True:
            context = Context(
                task=self._task,
                policy=self._policy,
                abilities=abilities,
                budget=self._budget,
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

    async def _inherit(self, node: Node, abilities: Abilities) -> None:
        """Load what the node shares with its siblings. Raises PackError, NotFound, EngineError."""
        state = node.packed_state
        if state is None or not state.is_shared:
            return
        packed = await self._ports.store.shared(self._claimed.lease.tree_id, state.name)
        shared = self._shared = unpack(packed, SharedState)
        check(shared, self._policy, abilities)
        self._turn.inherit(state)
        if shared.form == "hidden":
            packer = self._packer()
            self._embeds = await self._patiently(lambda: packer.encode(shared.vectors))

    def _packer(self) -> Packer:
        if self._ports.packer is None:
            raise AbilityMissing("there is no packer", hint="Set BANYAN_PACKER_URL.")
        return self._ports.packer

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
            self._budget = await self._ports.store.turn(self._claimed.lease, log, pack(node))

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
                return await self._choose(effect, context)
            case Generate():
                return await self._generate(node, effect, context)
            case Cut(spans, parts, by):
                divided = await library.split(
                    tenant,
                    spans,
                    parts,
                    by,
                    context=effect.context,
                    overlap_chars=effect.overlap_chars,
                    max_header_chars=effect.max_header_chars,
                )
                return Parts(effect, tuple(divided))
            case Derive(passages):
                name = f"{self._claimed.lease.tree_id}:{node.path}:{node.num_children}"
                return Derived(await library.derive(tenant, name, passages))
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
            case Pack(_, shared):
                packer = self._packer()
                vectors = await self._patiently(lambda: packer.pack(shared.token_ids, NUM_VECTORS))
                return Packed(effect, vectors)
            case CallTool(tool, _, reply):
                return Observed(reply, text=f"There is no tool {tool}.")
            case Spawn() | Finish():
                raise ValueError("the end of a node is no effect to perform")

    async def _choose(self, effect: Choose, context: Context) -> Event:
        prompt = await self._render(effect.messages)
        refusal = self._refuse(prompt, 1, context)
        if refusal is not None:
            return refusal
        letters = {kind: LETTERS[kind] for kind in effect.kinds}
        logprobs, completion = await self._patiently(
            lambda: self._ports.engine.choose(prompt, letters, self._options())
        )
        self._spend(completion)
        self._turn.chose(prompt, completion)
        return Chosen(effect, logprobs, self._ports.draw())

    async def _generate(self, node: Node, effect: Generate, context: Context) -> Event:
        if effect.fixed is not None:
            # Nothing is generated, but children may begin with the prompt all the same.
            asks = effect.decision.kind == "delegate" and self._task.state in ("prefix", "hidden")
            rendered = await self._render(effect.messages) if asks else None
            return self._turn.determined(
                effect, effect.fixed, context.abilities, self._options(), rendered
            )
        prompt = await self._render(effect.messages)
        refusal = self._refuse(prompt, effect.max_tokens, context)
        if refusal is not None:
            return refusal
        options = self._options(retries=node.num_invalid)
        streams = (
            node.path == ROOT_PATH and effect.decision.kind == "answer" and node.expects is None
        )

        async def call() -> Completion:
            deltas = (
                AnswerDeltas(self._ports.store, self._claimed.lease, plain=effect.schema is None)
                if streams
                else None
            )
            completion = await self._ports.engine.complete(
                prompt,
                schema=effect.schema,
                max_tokens=effect.max_tokens,
                options=options,
                on_delta=deltas.feed if deltas else None,
            )
            if deltas:
                await deltas.flush()
            return completion

        completion = await self._patiently(call)
        self._spend(completion)
        return self._turn.generated(
            effect, prompt, completion, context.abilities, options, num_tries=node.num_invalid
        )

    async def _render(self, messages: Sequence[Message]) -> Prompt:
        whole = continued(messages, self._shared, self._embeds)
        return await self._patiently(lambda: self._ports.engine.render(whole))

    def _refuse(self, prompt: Prompt, max_tokens: int, context: Context) -> Event | None:
        """Check a call against the window and the budget before it costs anything."""
        cost = prompt.num_tokens + max_tokens
        if cost > context.abilities.window:
            return TooLong()
        if cost > self._budget.tokens:
            left = self._budget.tokens
            return TooExpensive(
                "token_budget_exhausted", f"a turn needs {cost} tokens, the node has {left} left"
            )
        price = self._policy.prices.at_most(prompt.num_tokens, max_tokens)
        if not costs.suffice(self._task, self._budget, price):
            return TooExpensive(
                "money_budget_exhausted",
                f"a turn may cost {usd(price):.9f} USD, "
                f"the node has {usd(self._budget.nano_usd):.9f} left",
            )
        return None

    def _spend(self, completion: Completion) -> None:
        spent = self._turn.spend(completion)
        self._budget, _ = self._budget.spend(spent.tokens, spent.nano_usd)

    def _options(self, retries: int = 0) -> CallOptions:
        """Deterministic at first; after an invalid action another sample is what helps.

        A rollout is sampled from the policy's own distribution, with a seed of its own for each
        call: under a fixed one all trees of a group would be the same.
        """
        sampling = Sampling(
            temperature=_RETRY_TEMPERATURE if retries else 0.0,
            frequency_penalty=self._policy.frequency_penalty,
            seed=retries,
        )
        if self._task.profile == "rollout":
            sampling = Sampling(temperature=1.0, seed=int(self._ports.draw() * _NUM_SEEDS))
        return CallOptions(
            salt=f"{self._task.tenant}:{self._policy.version}",
            policy=self._policy.adapter or OWN_WEIGHTS,
            weights=self._policy.version if self._policy.is_full else None,
            sampling=sampling,
        )

    async def _patiently(self, call: Callable[[], Awaitable[R]]) -> R:
        """Repeat a call while the engine is unavailable, up to the patience that was set."""
        give_up_at = self._now() + self._ports.engine_patience_s
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                return await call()
            except EngineUnavailable:
                if self._now() + backoff_s > give_up_at:
                    raise
            await asyncio.sleep(backoff_s * (0.5 + self._ports.draw()))
            backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)

    def _now(self) -> float:
        """Seconds on the store's clock, by this machine's monotonic one since the claim."""
        return asyncio.get_running_loop().time() + self._clock_offset
