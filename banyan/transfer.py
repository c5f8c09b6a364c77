"""Transfer: in which form a node hands its context to its children, and how theirs begin. Pure.

`plan` chooses the form for one spawn: what the task asks for where the engine can do it and the
window has room, else a summary and a notice that says so. `continued` puts what was handed over
before a child's own dialogue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from banyan import notices, prompts, sizes, specialists
from banyan.action import Delegate
from banyan.effects import Context, Generated, Handover, Pack, Spawn
from banyan.errors import ForeignVersion, PackError
from banyan.node import Node, child_path
from banyan.packed_state import MAX_SHARED_BYTES, PackedState, SharedState
from banyan.policy import Policy
from banyan.ports import Abilities, Embeds, Message
from banyan.state import pack

MAX_PREFIX_SHARE = 1 / 3
"""Of the window. A child needs the rest for its own part, and its answer."""
NUM_VECTORS = 32
"""Vectors into which a packer turns a parent's context."""

AUTO_SHORTEST_PREFIX = 512
"""Tokens. Caches keep whole blocks (16 tokens on GPUs, 128 in vLLM's build for CPUs), and a short
context is said as well in a brief."""
AUTO_PREFIX_SHARE = 1 / 4
AUTO_FEWEST_CHILDREN = 2
"""A prefix that one child alone reads is shared with nobody."""
CACHED_COST = 0.16
"""Of a token whose keys and values are cached, relative to one that is computed: 250 ms against
1,580 ms until the first token of 1,500 on vLLM (`bench/state.py` measures it anew)."""


def plan(
    node: Node, action: Delegate, generated: Generated, context: Context
) -> tuple[Node, Handover]:
    """The form for the children of this action, and the node with what its caller must be told."""
    summary = Handover(_summary(action.brief))
    if context.task.state != "summary" and not _same_policy(node, action, context):
        if context.task.state == "auto":
            return node, summary
        noted = notices.union(node.notices, (notices.SUMMARY_FOR_SPECIALISTS,))
        return node.model_copy(update={"notices": noted}), summary
    match context.task.state:
        case "summary":
            return node, summary
        case "auto":
            prefix = _prefix(node, generated, context)
            cached = generated.effect.fixed is None and context.abilities.cache_salt
            if prefix and cached and pays(node, action, prefix.state, context):
                return node, prefix
            return node, summary
        case "prefix":
            found, told = _prefix(node, generated, context), notices.PREFIX_TOO_LONG
            if not context.abilities.token_ids:
                told = notices.PREFIX_UNAVAILABLE
        case "hidden":
            found, told = _hidden(node, generated, context), notices.HIDDEN_UNAVAILABLE
    if found is not None:
        return node, found
    noted = notices.union(node.notices, (told,))
    return node.model_copy(update={"notices": noted}), summary


def pays(node: Node, action: Delegate, prefix: PackedState, context: Context) -> bool:
    """Whether a cached prefix costs less than having every child compute the same context anew.

    It must be long and shared, and what it takes of the children's windows must not make so many
    more children that these cost what the cache saves.
    """
    tokens, window = prefix.tokens, context.abilities.window
    if not AUTO_SHORTEST_PREFIX <= tokens <= AUTO_PREFIX_SHARE * window:
        return False
    num, num_with = _num_children(node, action, prefix, context)
    if num < AUTO_FEWEST_CHILDREN:
        return False
    more = (num_with - num) * sizes.call_tokens(node)
    return CACHED_COST * tokens * num_with + more < tokens * num


def continued(
    messages: Sequence[Message], shared: SharedState | None, embeds: Embeds | None = None
) -> tuple[Message, ...]:
    """A child's dialogue behind what it was handed: its own opening says where its task begins."""
    if shared is None:
        return tuple(messages)
    system, opening, *rest = messages
    if shared.form == "prefix":
        head = Message("prefix", shared.affinity, shared.token_ids, replica=shared.replica)
        return (head, replace(opening, content=f"{prompts.AFTER_PREFIX}\n{opening.content}"), *rest)
    first = f"{prompts.AFTER_VECTORS}\n{opening.content}"
    return (system, replace(opening, content=first, embeds=embeds), *rest)


def check(shared: SharedState, policy: Policy, abilities: Abilities) -> None:
    """Raise ForeignVersion unless these weights are the ones that the state was made for."""
    if (shared.policy, shared.model) != (policy.version, abilities.model):
        raise ForeignVersion(
            f"a {shared.form} of {shared.policy} on {shared.model} cannot be read by "
            f"{policy.version} on {abilities.model}",
            hint="Children with another policy or model need the state `summary`.",
        )


def seal(spawn: Spawn, shared: SharedState) -> Spawn:
    """The spawn with what its children share, packed once. Raises PackError above the bound."""
    packed = pack(shared)
    if len(packed) > MAX_SHARED_BYTES:
        raise PackError(f"a shared state of {len(packed)} bytes; {MAX_SHARED_BYTES} are allowed")
    return replace(
        spawn,
        shared=packed,
        children=tuple(_weighed(child, len(packed)) for child in spawn.children),
    )


def hand_over(spawn: Spawn, handover: Handover) -> Spawn | Pack:
    """The spawn with its shared state, or the packing of vectors that it still waits for."""
    shared = handover.shared
    if shared is None:
        return spawn
    named = replace(spawn, shared_name=handover.state.name)
    return Pack(named, shared) if shared.form == "hidden" else seal(named, shared)


def _same_policy(node: Node, action: Delegate, context: Context) -> bool:
    """Whether all children run on the weights that the node's own context was made with."""
    if action.split is not None:
        return specialists.reads(node, context.task, action.split.policy) == node.policy
    readers = {
        specialists.reads(node, context.task, child.policy) for child in action.children or ()
    }
    return readers <= {node.policy}


def _weighed(child: Node, num_bytes: int) -> Node:
    if child.packed_state is None:
        return child
    weighed = child.packed_state.model_copy(update={"bytes": num_bytes})
    return child.model_copy(update={"packed_state": weighed})


def _summary(brief: str) -> PackedState:
    tokens = math.ceil(len(brief) * sizes.DEFAULT_TOKENS_PER_CHAR)
    return PackedState(form="summary", tokens=tokens, bytes=len(brief.encode()))


def _prefix(node: Node, generated: Generated, context: Context) -> Handover | None:
    """The prompt of this turn with its reply, else the prefix of it that the node inherited."""
    if not generated.prompt_ids or not context.abilities.token_ids:
        return None
    token_ids = (*generated.prompt_ids, *(generated.token_ids or ()))
    if len(token_ids) <= MAX_PREFIX_SHARE * context.abilities.window:
        shared = SharedState(
            form="prefix",
            policy=context.policy.version,
            model=context.abilities.model,
            affinity=generated.affinity,
            replica=generated.replica,
            token_ids=token_ids,
        )
        return Handover(PackedState(form="prefix", tokens=len(token_ids), name=_name(node)), shared)
    return _inherited(node, "prefix")


def _hidden(node: Node, generated: Generated, context: Context) -> Handover | None:
    if not context.abilities.embeds:
        return None
    if not generated.prompt_ids:  # a prompt with vectors in it: they are handed on
        return _inherited(node, "hidden")
    shared = SharedState(
        form="hidden",
        policy=context.policy.version,
        model=context.abilities.model,
        affinity=generated.affinity,
        token_ids=(*generated.prompt_ids, *(generated.token_ids or ())),
    )
    return Handover(PackedState(form="hidden", tokens=NUM_VECTORS, name=_name(node)), shared)


def _inherited(node: Node, form: str) -> Handover | None:
    state = node.packed_state
    return Handover(state) if state is not None and state.form == form else None


def _name(node: Node) -> str:
    """The first of the children that share it: unique in a tree, the same in a repeated spawn."""
    return child_path(node.path, node.num_children)


def _num_children(
    node: Node, action: Delegate, state: PackedState, context: Context
) -> tuple[int, int]:
    """How many children there would be without the prefix, and with it."""
    if action.split is None:
        num = len(action.children or ())
        return num, num
    task, window, budget = context.task, context.abilities.window, context.budget
    inheriting = node.model_copy(update={"packed_state": state})
    return (
        sizes.plan_parts(node, task, window, budget),
        sizes.plan_parts(inheriting, task, window, budget),
    )
