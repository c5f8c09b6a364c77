"""Delegation: from a `delegate` action to child nodes. Pure; a child is always a smaller task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from banyan import aggregates, costs, counts, sizes, specialists, transfer
from banyan.action import Child, Delegate, Split
from banyan.effects import Context, Cut, Handover, Pack, Spawn
from banyan.errors import InvalidAction
from banyan.node import Brief, Node, Passage, child_path
from banyan.packed_state import PackedState
from banyan.ports import Part
from banyan.prompts import EXAMPLE_GOAL, View, passages_of
from banyan.schemas import check_expects
from banyan.spans import Place, Span, size
from banyan.specialists import Specialist


def without_brief(node: Node) -> str:
    """The action that splits the inputs and gives each part the node's own goal, as JSON."""
    split = Split(goal=node.goal, labels=node.labels)
    return Delegate(brief="", split=split).model_dump_json(exclude={"kind"}, exclude_defaults=True)


def passed_on(node: Node, parts: int | None = None) -> str:
    """The action that only divides: every part gets what the node itself was given, as JSON."""
    is_merged = bool(node.labels or node.rules)  # what such a node owes stays the same below it
    expects = None if is_merged else node.expects
    split = Split(goal=node.goal, parts=parts, labels=node.labels, expects=expects)
    action = Delegate(brief=node.brief.text, split=split)
    return action.model_dump_json(exclude={"kind"}, exclude_defaults=True)


def cut(
    node: Node,
    action: Delegate,
    handover: Handover,
    context: Context,
    passages: Sequence[Passage] = (),
) -> Cut:
    """How the inputs are to be divided for a `split`; `passages` are what the agent was shown.

    The agent may ask for more parts than planned, but not for so few that the levels left do not
    suffice, nor for more than there are nodes.
    """
    if action.split is None:
        raise InvalidAction("delegate needs either children or split")
    window = context.abilities.window
    reader = specialists.reads(node, context.task, action.split.policy)
    part_window = context.member(reader).window
    # What a node owes its parent stays the same below it, or its parts' results would not merge.
    labels = node.labels or (() if node.rules else action.split.labels)
    expects, rules = _partial_result(node, action.split, labels)
    asks_labels = bool(labels) and not node.labels
    goal = counts.goal(labels, action.split.only) if asks_labels else _goal(node, action.split)
    # The parts must leave room for what the children inherit, are told and answer.
    inheriting = node.model_copy(
        update={
            "goal": goal,
            "labels": labels,
            "brief": Brief(task_goal=node.brief.task_goal, text=action.brief),
            "packed_state": handover.state,
        }
    )
    overlap = _overlap_tokens(inheriting, action.split, context, min(window, part_window))
    planned = sizes.plan_parts(
        inheriting, context.task, window, context.budget, overlap, part_window=part_window
    )
    fewest = sizes.fewest_parts(inheriting, context.task, part_window, overlap)
    # Results that are divided again must shrink, so there the plan alone counts.
    free = action.split.parts is not None and node.divided is None
    wanted = max(action.split.parts or 0, fewest) if free else planned
    most = min(context.budget.nodes, max(sizes.MAX_FAN_OUT, fewest))
    parts = max(2, min(wanted, most))
    return Cut(
        spans=node.inputs,
        parts=parts,
        places=_between_records(node, passages, parts) if node.labels else (),
        by="record" if labels else action.split.by,
        labels=labels,
        goal=goal,
        brief=action.brief,
        expects=expects,
        rules=rules,
        context=node.context,
        overlap_chars=int(overlap / sizes.density(node)),
        max_header_chars=int(sizes.most_context(node, part_window) / sizes.density(node)),
        policy=action.split.policy,
        handover=handover,
    )


def parts_of_records(node: Node, view: View, context: Context) -> int | None:
    """Into how many parts records are divided that are too many for one answer; else None.

    A model that labels many at once was seen to lose its place, and an answer that is cut off is
    lost.
    """
    if not node.labels or node.outcomes or not view.shows_all:
        return None
    num_records = len(passages_of(node, view))
    at_once = sizes.records_at_once(node, context.policy.records_at_once)
    parts = min(sizes.MAX_FAN_OUT, math.ceil(num_records / at_once))
    window, budget = context.abilities.window, context.budget
    if parts < 2 or not sizes.may_delegate(node, context.task, window, budget):
        return None
    has_room = budget.nodes >= parts and budget.tokens >= sizes.parts_tokens(node, parts, window)
    return parts if has_room else None


def _goal(node: Node, split: Split) -> str:
    """The parts' goal: the node's own, where the agent wrote no more than its example's words."""
    is_copied = split.goal.strip(" .?!").lower() == EXAMPLE_GOAL
    return node.goal if is_copied else split.goal


def _between_records(node: Node, records: Sequence[Passage], parts: int) -> tuple[Place, ...]:
    """Where all parts but the first begin, each with about as many of the records.

    None where these were selected: their document is made of them, and is cut only between them.
    """
    own = {span.document for span in node.inputs}
    begins = [records[index * len(records) // parts] for index in range(1, parts) if records]
    places = [(one.sources[0].document, one.sources[0].start) for one in begins]
    return tuple(place for place in places if place[0] in own)


def _partial_result(
    node: Node, split: Split, labels: tuple[str, ...]
) -> tuple[Mapping[str, Any] | None, aggregates.Rules]:
    """What each part is to return, and how these results merge."""
    if labels:
        return counts.expects(labels), counts.rules(labels)
    if node.rules:
        return node.expects, node.rules
    check_expects(split.expects, merges=True)
    return aggregates.schema_of(split.expects), aggregates.rules_of(split.expects)


def _overlap_tokens(node: Node, split: Split, context: Context, window: int) -> int:
    """As asked for, as far as there is room. Results of parts do not go on from one another."""
    if node.divided is not None:
        return 0
    asked = context.policy.overlap_tokens if split.overlap is None else split.overlap
    return min(asked, sizes.most_context(node, window))


def children_of_split(
    node: Node, request: Cut, parts: Sequence[Part], context: Context
) -> list[Node]:
    """One child a part, all with the same sub-goal."""
    return [
        _child(
            node,
            index,
            context,
            goal=request.goal,
            brief=request.brief,
            state=request.handover.state,
            inputs=part.spans,
            beside=part.context,
            expects=request.expects,
            named=request.policy,
            is_part=True,
            labels=request.labels,
            joined=None if context.policy.merges else len(parts),
            rules=request.rules,
        )
        for index, part in enumerate(parts)
    ]


def listed_children(
    node: Node, action: Delegate, handover: Handover, context: Context
) -> list[Node]:
    """The children that the agent listed, with the inputs that it named by number and range."""
    children = action.children or ()
    if node.rules:
        raise InvalidAction("a partial result is put together from a split, not from a list")
    if len(children) > context.budget.nodes:
        raise InvalidAction(f"at most {context.budget.nodes} children are possible")
    nodes = []
    for index, child in enumerate(children):
        check_expects(child.expects)
        inputs = _inputs(node, child)
        if node.inputs and size(inputs) >= size(node.inputs):
            raise InvalidAction(f"child {index + 1} has a task as large as its parent's")
        if not node.inputs and child.goal.strip() == node.goal.strip():
            raise InvalidAction(f"child {index + 1} has its parent's goal")
        nodes.append(
            _child(
                node,
                index,
                context,
                goal=child.goal,
                brief=action.brief,
                state=handover.state,
                inputs=inputs,
                expects=child.expects,
                named=child.policy,
            )
        )
    return nodes


def spawn(
    node: Node, children: Sequence[Node], goal: str, handover: Handover, context: Context
) -> tuple[Node, Spawn | Pack]:
    """Share the budget out, keeping back what merging costs, and put the parent away."""
    window = context.abilities.window
    own = Specialist(context.policy, window)
    readers = [context.member(_reader(child, context)) for child in children]
    both = list(zip(children, readers, strict=True))
    kept, budgets = context.budget.split(
        [sizes.subtree_tokens(child, reader.window) for child, reader in both],
        sizes.merge_reserve(window, context.budget),
        costs=[
            (
                costs.subtree(one, context.member(one.policy), reader, bare=True),
                costs.subtree(one, context.member(one.policy), reader),
            )
            for one, reader in both
        ],
        keep_nano_usd=costs.merge_reserve(node, children, own, context.budget),
    )
    suspended = node.model_copy(
        update={
            "num_children": node.num_children + len(children),
            "child_rules": children[0].rules,
            "outcomes": (),
            "exchanges": (),
            "seen": (),
        }
    )
    created = Spawn(children=tuple(children), budgets=tuple(budgets), kept=kept, goal=goal)
    return suspended, transfer.hand_over(created, handover)


def _child(
    node: Node,
    index: int,
    context: Context,
    *,
    goal: str,
    brief: str,
    state: PackedState,
    inputs: tuple[Span, ...],
    expects: Mapping[str, Any] | None,
    named: str | None,
    beside: tuple[Span, ...] = (),
    is_part: bool = False,
    labels: tuple[str, ...] = (),
    joined: int | None = None,
    rules: Mapping[str, aggregates.Rule] | None = None,
) -> Node:
    def on(policy: str) -> Node:
        window = context.member(policy).window
        return Node.model_validate(
            {
                "path": child_path(node.path, node.num_children + index),
                "goal": goal,
                "brief": Brief(task_goal=node.brief.task_goal, text=brief),
                "policy": policy,
                "packed_state": state,
                "inputs": inputs,
                "context": beside,
                "is_part": is_part,
                "labels": labels,
                "rules": rules or {},
                "expects": expects,
                "answer_tokens": (
                    sizes.label_tokens(window)
                    if labels
                    else sizes.answer_tokens_for(node, inputs, window, joined)
                ),
                # As the parent's engine counts; another's tells if it is too few.
                "tokens_per_char": node.tokens_per_char,
            }
        )

    usual = on(specialists.of_child(node, context.task, named))
    leaves = specialists.leaves_of(node, context.task)
    if leaves is None or not inputs:
        return usual
    leaf = on(leaves)
    if sizes.fits(leaf, context.member(leaves).window):
        return leaf
    return usual.model_copy(update={"overflow": is_part})


def _reader(child: Node, context: Context) -> str:
    """The policy that reads what `child` is given."""
    divides = specialists.must_divide(child, context.task)
    return (context.task.leaves if divides else None) or child.policy


def _inputs(node: Node, child: Child) -> tuple[Span, ...]:
    spans = []
    for wanted in child.inputs:
        if wanted.document > len(node.inputs):
            raise InvalidAction(f"there is no document {wanted.document}")
        whole = node.inputs[wanted.document - 1]
        start = whole.start + min(wanted.start or 0, len(whole))
        end = whole.end if wanted.end is None else min(whole.start + wanted.end, whole.end)
        if end <= start:
            raise InvalidAction(f"document {wanted.document}: the range is empty")
        spans.append(Span(document=whole.document, start=start, end=end))
    return tuple(spans)
