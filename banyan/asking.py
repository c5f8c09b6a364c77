"""Asking: which kinds of action are possible now, and what the engine is asked. Pure.

`ask` lets the gate decide the kind of the next action: at once where only one is possible, else by
log-probabilities, which `decide` takes up. Either way the engine then writes that action alone,
under its schema.
"""

from __future__ import annotations

import json
from dataclasses import replace

from pydantic import JsonValue

from banyan import (
    aggregates,
    costs,
    delegation,
    gate,
    looking,
    notices,
    outcomes,
    prompts,
    schemas,
    sizes,
    specialists,
)
from banyan.action import Kind
from banyan.effects import Choose, Chosen, Context, Effect, Generate
from banyan.gate import Situation
from banyan.joining import joined
from banyan.node import Decision, Node
from banyan.prompts import View

LOOK_AROUND_TOKENS = 160


def ask(node: Node, view: View, context: Context) -> tuple[Node, Effect]:
    """Let the gate decide the kind, at once where it is forced, else by its log-probabilities."""
    task_gate = context.task.gate
    if _merged(node) is not None:  # nothing is left to choose, nor to write
        return node, _generate(node, view, gate.forced("answer", task_gate), context)
    view = replace(view, retold=_is_retold(node, view, context))
    situation = _situation(node, view, context)
    kinds = gate.allowed(situation, task_gate, context.policy)
    if kinds == ("answer",) and not (view.shows_all or situation.has_seen):
        return node, outcomes.fail(node, "out_of_turns", "no turns are left and nothing was read")
    if len(kinds) == 1:
        return node, _generate(node, view, gate.forced(kinds[0], task_gate), context)
    if context.abilities.scores:
        request = _request(node, view, kinds, context, letters=True)
        messages = prompts.dialogue(node, view, request, json_only=context.policy.json_answers)
        threshold = gate.threshold_for(situation, task_gate, context.policy)
        return node, Choose(messages, kinds, view, threshold)
    if task_gate.mode == "threshold":
        told = notices.union(node.notices, (notices.GATE_WITHOUT_SCORES,))
        node = node.model_copy(update={"notices": told})
        decision = gate.without_scores(kinds, situation, task_gate, context.policy)
        return node, _generate(node, view, decision, context)
    decision = Decision(kind=None, mode=task_gate.mode, forced=False)
    request = _request(node, view, kinds, context, letters=False)
    schema = schemas.open_schema(kinds, _bounds(node, view, context))
    messages = prompts.dialogue(node, view, request, json_only=context.policy.json_answers)
    delegate = sizes.delegate_tokens(context.abilities.window, lists=_may_list(node, view))
    tokens = max(sizes.generation_tokens(node, plain=False), delegate)
    passages = prompts.passages_of(node, view)
    return node, Generate(
        messages, request, decision, schema, tokens, passages, prompts.previews(view)
    )


def decide(node: Node, chosen: Chosen, context: Context) -> tuple[Node, Effect]:
    """The kind is chosen from a menu; the action is written under a request for that kind alone."""
    choose = chosen.effect
    decision = gate.decide(chosen.logprobs, context.task.gate, choose.threshold, chosen.draw)
    return node, _generate(node, choose.view, decision, context)


def divide(node: Node, view: View, parts: int, context: Context) -> Generate:
    """Divide the inputs into so many parts, without a question."""
    decision = gate.forced("delegate", context.task.gate)
    return _generate(node, view, decision, context, parts=parts)


def _generate(
    node: Node, view: View, decision: Decision, context: Context, *, parts: int | None = None
) -> Generate:
    if decision.kind is None:
        raise ValueError("the kind is not decided")
    view = replace(view, previews=not _rests_on_places(node, view, decision.kind))
    plain = _is_plain(node, view, decision.kind, context)
    request = _request(node, view, (decision.kind,), context, letters=False, plain=plain)
    window = context.abilities.window
    tokens = {
        "answer": sizes.generation_tokens(node, plain=plain),
        "delegate": sizes.delegate_tokens(window, lists=_may_list(node, view)),
    }
    return Generate(
        messages=prompts.dialogue(
            node, view, request, json_only=context.policy.json_answers and not plain
        ),
        request=request,
        decision=decision,
        schema=None if plain else schemas.schema_for(decision.kind, _bounds(node, view, context)),
        max_tokens=tokens.get(decision.kind, LOOK_AROUND_TOKENS),
        passages=prompts.passages_of(node, view),
        previews=prompts.previews(view),
        fixed=_fixed(node, view, decision, context, plain=plain, parts=parts),
    )


def _rests_on_places(node: Node, view: View, kind: Kind) -> bool:
    """Whether the answer rests on the nearest places alone: how their document begins says nothing.

    Very small models were seen to retell that beginning. Turns before this one stay as they were.
    """
    return kind == "answer" and bool(view.nearest and view.nearest.passages) and not node.exchanges


def _is_plain(node: Node, view: View, kind: Kind, context: Context) -> bool:
    """Whether the reply itself is the answer.

    So it is where it rests on counts, which are one passage: nothing is to be cited by number. In
    JSON, a model of 1.5B parameters was seen to leave out the form that a goal asks for, and to
    take the smaller of two counts for the larger.
    """
    expects_text = node.expects is None and (not node.labels or bool(node.outcomes))
    return kind == "answer" and expects_text and (view.counted or not context.policy.json_answers)


def _fixed(
    node: Node,
    view: View,
    decision: Decision,
    context: Context,
    *,
    plain: bool,
    parts: int | None,
) -> str | None:
    """The whole action where the kind leaves only one."""
    if decision.kind == "answer" and (merged := _merged(node)) is not None:
        return _answer(merged)
    if decision.kind == "answer" and view.retold:
        text = joined(node, view.results)
        return text if text is None or plain else _answer(text)
    if decision.kind == "delegate" and (node.labels or specialists.must_divide(node, context.task)):
        return delegation.passed_on(node, parts)
    writes = context.policy.briefs and node.num_invalid < context.policy.max_invalid
    if decision.kind == "delegate" and node.inputs and not writes:
        return delegation.without_brief(node)
    return None


def _holds_texts(node: Node, view: View) -> bool:
    """Whether results are there to be combined into a text."""
    return bool(view.results) and not view.counted and node.expects is None


def _is_retold(node: Node, view: View, context: Context) -> bool:
    """A policy that cannot combine results reads them as it reads any other text."""
    return _holds_texts(node, view) and not context.policy.merges


def _is_told_words(node: Node, context: Context) -> bool:
    wants_text = node.expects is None and not context.task.limits.wants_few_words
    return wants_text and context.policy.word_limits


def _answer(answer: JsonValue) -> str:
    return json.dumps({"answer": answer}, ensure_ascii=False)


def _merged(node: Node) -> dict[str, JsonValue] | None:
    """The result that a node owes its parent, where it is made of its children's exactly."""
    if not node.rules or node.rules != node.child_rules:
        return None
    return aggregates.merge((outcome.answer for outcome in node.outcomes), node.rules)


def _situation(node: Node, view: View, context: Context) -> Situation:
    window = context.abilities.window
    passages = prompts.passages_of(node, view)[len(prompts.numbered_context(view)) :]
    divisible = not node.inputs or not view.shows_all or len(passages) > 1
    may_delegate = sizes.may_delegate(
        node, context.task, window, context.budget
    ) and costs.allow_children(
        context.task,
        window,
        context.budget,
        context.policy.prices,
        context.member(specialists.reads(node, context.task, None)).policy.prices,
    )
    return Situation(
        shows_all=view.shows_all,
        has_seen=bool(passages) or not node.inputs,
        share_found=view.nearest.share if view.nearest else None,
        may_delegate=may_delegate and divisible and not view.results,
        has_unread=looking.has_unread(node),
        has_tools=bool(context.tools),
        is_part=node.is_part,
        out_of_turns=node.num_turns >= context.policy.max_turns or not _has_room(node, context),
        must_divide=specialists.must_divide(node, context.task)
        or bool(node.labels and not view.shows_all),
    )


def _may_list(node: Node, view: View) -> bool:
    """Whether children may be listed one by one: not where one input is too long to show."""
    return not node.rules and (view.shows_all or len(node.inputs) != 1)


def _has_room(node: Node, context: Context) -> bool:
    """Whether another observation fits into this dialogue."""
    return not node.exchanges or sizes.room(node, context.abilities.window) > LOOK_AROUND_TOKENS


def _request(
    node: Node,
    view: View,
    kinds: tuple[Kind, ...],
    context: Context,
    *,
    letters: bool,
    plain: bool = False,
) -> str:
    return prompts.request(
        kinds,
        letters=letters,
        plain=plain,
        merges=_holds_texts(node, view) and not view.retold,
        counted=view.counted and node.expects is None,
        briefly=context.task.limits.wants_few_words,
        words=sizes.answer_words(node) if _is_told_words(node, context) else None,
        cites=context.policy.cites and not plain and bool(prompts.passages_of(node, view)),
        expects=node.expects,
        labels=() if node.outcomes else node.labels,
        structured=context.policy.structured_children,
        named=view.named,
        tools=context.tools,
        policies=specialists.abouts(context.task, context.team),
    )


def _bounds(node: Node, view: View, context: Context) -> schemas.Bounds:
    window = context.abilities.window
    reader = context.member(specialists.reads(node, context.task, None)).window
    fewest = sizes.fewest_parts(node, context.task, reader) if node.inputs else 2
    return schemas.Bounds(
        answer_tokens=node.answer_tokens,
        num_passages=len(prompts.passages_of(node, view)),
        num_documents=len(node.inputs),
        brief_tokens=sizes.brief_tokens(window),
        max_parts=max(2, min(context.budget.nodes, max(sizes.MAX_FAN_OUT, fewest))),
        max_children=sizes.most_listed(context.budget, window),
        explicit_children=_may_list(node, view),
        cites=context.policy.cites,
        briefly=context.task.limits.wants_few_words,
        structured_children=context.policy.structured_children,
        expects=node.expects,
        was_invalid=node.num_invalid > 0,
        labels=() if node.outcomes else node.labels,
        named=view.named,
        tools=context.tools,
        policies=specialists.offered(context.task),
    )
