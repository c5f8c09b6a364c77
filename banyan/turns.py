"""A turn while it happens: what it spent, and the record that it leaves in the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from banyan.affinity import affinity
from banyan.effects import Effect, Finish, Generate, Generated, Look, Spawn
from banyan.node import Node
from banyan.packed_state import PackedState
from banyan.policy import Policy
from banyan.ports import Abilities, CallOptions, Completion, Prompt, Spent, TurnLog
from banyan.prices import usd
from banyan.state import pack
from banyan.trajectory import LogprobsKind, TurnRecord


@dataclass(frozen=True, slots=True)
class _Reply:
    effect: Generate
    prompt: Prompt
    completion: Completion
    abilities: Abilities
    options: CallOptions
    num_tries: int
    """Times in a row that the action was written before, and was not valid."""


class TurnDraft:
    """Gathers one turn's calls. It is open from the model's reply until `close`.

    Calls that led to no reply (a choice whose prompt then was too long) are spent all the same:
    they are charged with the next turn that closes.
    """

    def __init__(self, generation: int, policy: Policy) -> None:
        self._generation = generation
        self._policy = policy
        self._spent = Spent()
        self._seconds = 0.0
        self._choice: Prompt | None = None
        self._choice_weights: str | None = None
        self._choice_replica = ""
        self._reply: _Reply | None = None
        self._inherited = PackedState()

    @property
    def is_open(self) -> bool:
        return self._reply is not None

    def inherit(self, state: PackedState) -> None:
        """What every prompt of the node begins with; it is stored once, and not in the records."""
        self._inherited = state

    def spend(self, completion: Completion) -> Spent:
        """Count a model call; what it spent."""
        if completion.coalesced:
            call = Spent(coalesced_calls=1)
            self._spent += call
            return call
        prompt, cached = completion.prompt_tokens, completion.cached_tokens
        generated = completion.completion_tokens
        call = Spent(
            1, prompt, cached, generated, self._policy.prices.cost(prompt, cached, generated)
        )
        self._spent += call
        self._seconds += completion.seconds
        return call

    def chose(self, prompt: Prompt, completion: Completion) -> None:
        """Remember the prompt under which the kind was chosen."""
        self._choice = prompt
        self._choice_replica = completion.replica
        self._choice_weights = completion.weights

    def generated(
        self,
        effect: Generate,
        prompt: Prompt,
        completion: Completion,
        abilities: Abilities,
        options: CallOptions,
        *,
        num_tries: int = 0,
    ) -> Generated:
        """Open the turn with the model's reply, and tell the kernel of it."""
        self._reply = _Reply(effect, prompt, completion, abilities, options, num_tries)
        if self._choice_weights != completion.weights:
            self._choice = None  # other weights chose: the choice is no sample of this version
        return Generated(
            effect=effect,
            text=completion.text,
            cut=completion.finish_reason == "length",
            seconds=self._seconds,
            token_ids=completion.token_ids,
            prompt_ids=prompt.token_ids,
            affinity=affinity(prompt.messages),
            replica=completion.replica or self._choice_replica,
            weights=completion.weights,
        )

    def determined(
        self,
        effect: Generate,
        action: str,
        abilities: Abilities,
        options: CallOptions,
        rendered: Prompt | None = None,
    ) -> Generated:
        """Open the turn with an action that no model had to write: no tokens, no call.

        `rendered`: the prompt all the same, where children begin with it.
        """
        no_tokens = () if abilities.token_ids else None
        completion = Completion(
            text=action,
            finish_reason="stop",
            prompt_tokens=0,
            completion_tokens=0,
            token_ids=no_tokens,
            logprobs=() if abilities.logprobs else None,
            engine=abilities.name,
            weights=self._choice_weights,
        )
        prompt = rendered or Prompt(effect.messages, no_tokens, 0)
        return self.generated(effect, prompt, completion, abilities, options)

    def close(self, node: Node, effect: Effect) -> TurnLog | None:
        """The log of the turn that led to `effect`; None where no model was called for it."""
        if self._reply is None and not self._spent.llm_calls:
            return None
        record = self._record(node) if self._reply is not None else b""
        log = TurnLog(record=record, spent=self._counted(node), event=self._event(node, effect))
        self._spent, self._seconds = Spent(), 0.0
        self._reply, self._choice, self._choice_weights = None, None, None
        self._choice_replica = ""
        return log

    def _counted(self, node: Node) -> Spent:
        """What was spent, and whether the action was valid as first written."""
        if self._reply is None:
            return self._spent
        if self._reply.effect.fixed is not None:
            return replace(self._spent, determined_actions=1)
        if self._reply.num_tries:
            return replace(self._spent, retries=1)
        return replace(self._spent, actions=1, invalid_actions=int(not node.was_valid))

    def _record(self, node: Node) -> bytes:
        if self._reply is None:
            raise ValueError("the turn has no reply")
        reply, completion = self._reply, self._reply.completion
        return pack(
            TurnRecord(
                index=node.num_turns,
                generation=self._generation,
                decision=reply.effect.decision,
                action=completion.text,
                valid=node.was_valid,
                prompt_text="\n".join(
                    f"{m.role}: {m.content}" for m in reply.prompt.messages if m.role != "prefix"
                ),
                completion_text=completion.text,
                inherited=self._inherited.name,
                choice_prompt_token_ids=self._own(self._choice),
                prompt_token_ids=self._own(reply.prompt),
                completion_token_ids=completion.token_ids,
                logprobs=completion.logprobs,
                logprobs_kind=_logprobs_kind(reply),
                grammar=reply.effect.schema is not None,
                prompt_tokens=self._spent.prompt_tokens,
                completion_tokens=self._spent.completion_tokens,
                cached_tokens=self._spent.cached_tokens,
                policy_version=completion.weights or self._policy.version,
                engine=completion.engine,
                finish_reason=completion.finish_reason,
                temperature=reply.options.sampling.temperature,
                top_p=reply.options.sampling.top_p,
                frequency_penalty=reply.options.sampling.frequency_penalty,
                seed=reply.options.sampling.seed,
                seconds=self._seconds,
            )
        )

    def _own(self, prompt: Prompt | None) -> tuple[int, ...] | None:
        """The prompt's token ids behind those that were inherited."""
        if prompt is None or prompt.token_ids is None:
            return None
        is_prefix = self._inherited.form == "prefix"
        return prompt.token_ids[self._inherited.tokens if is_prefix else 0 :]

    def _event(self, node: Node, effect: Effect) -> dict[str, Any]:
        event: dict[str, Any] = {
            "turn": node.num_turns,
            "prompt_tokens": self._spent.prompt_tokens,
            "completion_tokens": self._spent.completion_tokens,
            "cost_usd": usd(self._spent.nano_usd),
            "policy": self._policy.version,
            "seconds": round(self._seconds, 4),
            "led_to": _name(effect),
        }
        if self._reply is not None:
            decision = self._reply.effect.decision
            event["kind"] = decision.kind
            event["forced"] = decision.forced
            event["score"] = decision.score
        return event


def _logprobs_kind(reply: _Reply) -> LogprobsKind | None:
    """Where no schema constrained the reply, nothing was masked."""
    kind = reply.abilities.logprobs
    return kind if kind is None or reply.effect.schema is not None else "raw"


def _name(effect: Effect) -> str:
    match effect:
        case Finish(outcome):
            return f"finish:{outcome.status}"
        case Spawn(children):
            return f"spawn:{len(children)}"
        case Look():
            return "next_turn"
        case _:
            return type(effect).__name__.lower()
