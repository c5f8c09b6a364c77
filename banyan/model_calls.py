"""Model calls: what one node asks of its engine, and what that costs.

A call is checked against the window and the budget before it is made, and is made again while the
engine is unavailable. What a node shares with its siblings stands before each of its prompts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from banyan import costs
from banyan.action import LETTERS
from banyan.answer_deltas import AnswerDeltas
from banyan.effects import (
    Choose,
    Chosen,
    Context,
    Event,
    Generate,
    Pack,
    Packed,
    TooExpensive,
    TooLong,
)
from banyan.errors import AbilityMissing, EngineUnavailable
from banyan.node import ROOT_PATH, Node
from banyan.packed_state import SharedState
from banyan.policy import Policy
from banyan.ports import (
    OWN_WEIGHTS,
    Abilities,
    CallOptions,
    Claimed,
    Completion,
    Embeds,
    Message,
    Packer,
    Ports,
    Prompt,
    Sampling,
)
from banyan.prices import usd
from banyan.state import unpack
from banyan.task import Task
from banyan.transfer import NUM_VECTORS, check, continued
from banyan.turns import TurnDraft

R = TypeVar("R")

_RETRY_TEMPERATURE = 0.7
_NUM_SEEDS = 2**31
_FIRST_BACKOFF_S = 0.25
_LONGEST_BACKOFF_S = 5.0


class ModelCalls:
    """The calls of one claimed node. `budget` is what it has left; `turn` gathers what is spent."""

    def __init__(
        self, claimed: Claimed, task: Task, policy: Policy, ports: Ports, turn: TurnDraft
    ) -> None:
        self.budget = claimed.budget
        self._lease = claimed.lease
        self._task = task
        self._policy = policy
        self._ports = ports
        self._turn = turn
        self._shared: SharedState | None = None
        self._embeds: Embeds | None = None

    async def abilities(self) -> Abilities:
        """Of the node's engine. Raises EngineUnavailable after the patience that was set."""
        return await self._patiently(self._ports.engine.abilities)

    async def inherit(self, node: Node, abilities: Abilities) -> None:
        """Load what the node shares with its siblings. Raises PackError, NotFound, EngineError."""
        state = node.packed_state
        if state is None or not state.is_shared:
            return
        packed = await self._ports.store.shared(self._lease.tree_id, state.name)
        shared = self._shared = unpack(packed, SharedState)
        check(shared, self._policy, abilities)
        self._turn.inherit(state)
        if shared.form == "hidden":
            packer = self._packer()
            self._embeds = await self._patiently(lambda: packer.encode(shared.vectors))

    async def choose(self, effect: Choose, context: Context) -> Event:
        """The log-probabilities of the kinds. Raises EngineError and PromptTooLong."""
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

    async def generate(self, node: Node, effect: Generate, context: Context) -> Event:
        """The action, written or determined. Raises EngineError and PromptTooLong."""
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
                AnswerDeltas(self._ports.store, self._lease, plain=effect.schema is None)
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
        if cost > self.budget.tokens:
            left = self.budget.tokens
            return TooExpensive(
                "token_budget_exhausted", f"a turn needs {cost} tokens, the node has {left} left"
            )
        price = self._policy.prices.at_most(prompt.num_tokens, max_tokens)
        if not costs.suffice(self._task, self.budget, price):
            return TooExpensive(
                "money_budget_exhausted",
                f"a turn may cost {usd(price):.9f} USD, "
                f"the node has {usd(self.budget.nano_usd):.9f} left",
            )
        return None

    def _spend(self, completion: Completion) -> None:
        spent = self._turn.spend(completion)
        self.budget, _ = self.budget.spend(spent.tokens, spent.nano_usd)

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
        """Repeat a call while the engine is unavailable, up to the patience that was set.

        Patience begins with the first failure: a call that an engine that is too busy did not
        answer in time, however long that was, is made again.
        """
        clock = asyncio.get_running_loop().time
        give_up_at: float | None = None
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                return await call()
            except EngineUnavailable:
                if give_up_at is None:
                    give_up_at = clock() + self._ports.engine_patience_s
                if clock() + backoff_s > give_up_at:
                    raise
            await asyncio.sleep(backoff_s * (0.5 + self._ports.draw()))
            backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)

    async def pack(self, effect: Pack) -> Packed:
        """The vectors that children are to share. Raises EngineError."""
        packer = self._packer()
        token_ids = effect.shared.token_ids
        return Packed(effect, await self._patiently(lambda: packer.pack(token_ids, NUM_VECTORS)))

    def _packer(self) -> Packer:
        if self._ports.packer is None:
            raise AbilityMissing("there is no packer", hint="Set BANYAN_PACKER_URL.")
        return self._ports.packer
