"""Step: what an agent does next. Pure: (node, event, context) to (node, effect), no I/O.

A node is woken, looks at its inputs (or at its children's results), lets the gate decide the kind
of its action, lets the engine write the action, and acts:

    Woken ── Look ── Looked ─┬─ Choose ── Chosen ─┬─ Generate ── Generated ─┬─ Finish
      │                      └── (forced) ────────┘                         ├─ Cut ── Parts ── Spawn
      │                                                                     ├─ Spawn
      │                             ┌── Observed ── ReadOn / Find / CallTool┤
      │                             └── Look ... (the next turn)            └─ Look (note, invalid)
      └─ Derive ── Derived ── Look   (children's results that exceed the window are divided again)

Whoever drives it (`banyan/drive.py`) performs each effect and feeds its event back. All that a
node remembers is in `Node`, so that it can be put away after every turn and go on elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import JsonValue

from banyan import (
    delegation,
    gate,
    looking,
    notices,
    outcomes,
    partial_json,
    prompts,
    schemas,
    sizes,
)
from banyan.action import Action, Answer, Delegate, Kind, Note, Read, Search, Use, parse
from banyan.attribution import attribute
from banyan.counts import count, total
from banyan.effects import (
    CallTool,
    Choose,
    Chosen,
    Context,
    Derive,
    Derived,
    Effect,
    Event,
    Failed,
    Find,
    Finish,
    Generate,
    Generated,
    Look,
    Looked,
    Observed,
    Parts,
    TooExpensive,
    TooLong,
    Woken,
)
from banyan.errors import InvalidAction
from banyan.gate import Situation
from banyan.node import Decision, Divided, Node, Passage
from banyan.prompts import View
from banyan.spans import Span, size

_LOOK_AROUND_TOKENS = 160
_SHRINKS_TO = 0.75
"""Results are divided again only if they are at most this share of what was divided before."""


def step(node: Node, event: Event, context: Context) -> tuple[Node, Effect]:
    """The node after `event`, and the one thing to do now. Total: every event has an answer."""
    match event:
        case Woken():
            return _wake(node, event, context)
        case Looked(view, tokens_per_char):
            measured = node.model_copy(update={"tokens_per_char": tokens_per_char})
            return _ask(measured, view, context)
        case TooLong():
            return _shorten(node, context)
        case TooExpensive(code, message):
            return node, _over_budget(node, code, message)
        case Chosen():
            return _decide(node, event, context)
        case Generated():
            return _act(node, event, context)
        case Parts(cut, parts):
            if len(parts) < 2:  # one part would be the same task again
                return node, _fail(node, "indivisible_input", "the input cannot be divided")
            children = delegation.children_of_split(node, cut, parts, context)
            return delegation.spawn(node, children, cut.goal, context)
        case Derived(span):
            return _look(_divide_results(node, span), context)
        case Observed():
            return _look(looking.remember(node, event), context)
        case Failed(code, message):
            return node, _fail(node, code, message)


# --- Waking up and looking ----------------------------------------------------------------------


def _wake(node: Node, woken: Woken, context: Context) -> tuple[Node, Effect]:
    if not node.answer_tokens:
        tokens = sizes.root_answer_tokens(context.abilities.window)
        node = node.model_copy(update={"answer_tokens": tokens})
    results = woken.outcomes[node.num_absorbed :]
    if node.generation != woken.generation:
        results = woken.outcomes[: node.divided.num_children if node.divided else None]
        node = outcomes.begin_again(node, woken.generation, len(woken.outcomes))
    if results:
        node = outcomes.absorb(node, results, len(woken.outcomes))
    return _look(node, context)


def _look(node: Node, context: Context) -> tuple[Node, Effect]:
    if context.now >= context.deadline_at:
        return node, _over_budget(node, "deadline_exceeded", "the task's deadline has passed")
    if node.outcomes:
        return _look_at_results(node, context)
    window = context.abilities.window
    whole = sizes.fits(node, window)
    return node, Look(node.inputs, whole, 0 if whole else sizes.nearest_chars(node, window))


def _look_at_results(node: Node, context: Context) -> tuple[Node, Effect]:
    """Combine the results if they fit; else they are an input that is too long, once more."""
    if all(outcome.answer is None for outcome in node.outcomes):
        return node, _fail(node, "children_failed", "none of the parts has a result")
    window = context.abilities.window
    if sizes.results_fit(node, window):
        return _ask(node, View(results=node.outcomes, counted=node.counted), context)
    num_chars = sizes.result_chars(node.outcomes)
    shrinks = not node.inputs or num_chars <= _SHRINKS_TO * size(node.inputs)
    if shrinks and sizes.may_delegate(node, context.task, window, context.budget):
        passages = prompts.passages_of(
            node.model_copy(update={"seen": ()}), View(results=node.outcomes, counted=node.counted)
        )
        return node, Derive(passages)
    return _ask(*_leave_out(node, window), context)


def _divide_results(node: Node, span: Span) -> Node:
    first = Divided(inputs=node.inputs, num_children=node.num_children)
    return node.model_copy(
        update={
            "inputs": (span,),
            "outcomes": (),
            "overflow": True,
            "divided": node.divided or first,
        }
    )


def _leave_out(node: Node, window: int) -> tuple[Node, View]:
    kept = sizes.results_that_fit(node, window)
    told = node.model_copy(
        update={
            "outcomes": kept,
            "incomplete": True,
            "notices": notices.union(node.notices, (notices.RESULTS_LEFT_OUT,)),
        }
    )
    return told, View(results=told.outcomes, counted=node.counted)


def _shorten(node: Node, context: Context) -> tuple[Node, Effect]:
    """The estimate was too low: drop the oldest exchange, else divide, else leave results out."""
    if node.exchanges:
        return _look(node.model_copy(update={"exchanges": (), "seen": ()}), context)
    if len(node.outcomes) > 1:
        fewer = node.outcomes[: len(node.outcomes) * 3 // 4 or 1]
        shorter = node.model_copy(update={"outcomes": fewer, "incomplete": True})
        told = notices.union(node.notices, (notices.RESULTS_LEFT_OUT,))
        return _ask(
            shorter.model_copy(update={"notices": told}),
            View(results=shorter.outcomes, counted=node.counted),
            context,
        )
    if not node.overflow and node.inputs:
        return _look(node.model_copy(update={"overflow": True}), context)
    if sizes.nearest_chars(node, context.abilities.window):
        return _look(node.model_copy(update={"is_part": True}), context)
    return node, _fail(node, "prompt_too_long", "goal and brief alone exceed the window")


# --- Deciding -----------------------------------------------------------------------------------


def _ask(node: Node, view: View, context: Context) -> tuple[Node, Effect]:
    """Let the gate decide the kind, at once where it is forced, else by its log-probabilities."""
    situation = _situation(node, view, context)
    task_gate = context.task.gate
    kinds = gate.allowed(situation, task_gate, context.policy)
    if kinds == ("answer",) and not (view.shows_all or situation.has_seen):
        return node, _fail(node, "out_of_turns", "no turns are left and nothing was read")
    if len(kinds) == 1:
        return node, _generate(node, view, gate.forced(kinds[0], task_gate), context)
    if context.abilities.scores:
        request = _request(node, view, kinds, context, letters=True)
        messages = prompts.dialogue(node, view, request)
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
    messages = prompts.dialogue(node, view, request)
    delegate = sizes.delegate_tokens(context.abilities.window, lists=_may_list(node, view))
    tokens = max(sizes.generation_tokens(node), delegate)
    passages = prompts.passages_of(node, view)
    return node, Generate(messages, request, decision, schema, tokens, passages)


def _decide(node: Node, chosen: Chosen, context: Context) -> tuple[Node, Effect]:
    """The kind is chosen from a menu; the action is written under a request for that kind alone."""
    choose = chosen.effect
    decision = gate.decide(chosen.logprobs, context.task.gate, choose.threshold, chosen.draw)
    return node, _generate(node, choose.view, decision, context)


def _generate(node: Node, view: View, decision: Decision, context: Context) -> Generate:
    if decision.kind is None:
        raise ValueError("the kind is not decided")
    request = _request(node, view, (decision.kind,), context, letters=False)
    window = context.abilities.window
    tokens = {
        "answer": sizes.generation_tokens(node),
        "delegate": sizes.delegate_tokens(window, lists=_may_list(node, view)),
    }
    return Generate(
        messages=prompts.dialogue(node, view, request),
        request=request,
        decision=decision,
        schema=schemas.schema_for(decision.kind, _bounds(node, view, context)),
        max_tokens=tokens.get(decision.kind, _LOOK_AROUND_TOKENS),
        passages=prompts.passages_of(node, view),
        fixed=_fixed(node, decision, context),
    )


def _fixed(node: Node, decision: Decision, context: Context) -> str | None:
    """The whole action where the kind leaves only one."""
    if decision.kind == "answer" and node.labels and node.outcomes:
        sums = total(o.answer for o in node.outcomes if o.answer is not None)
        return None if sums is None else json.dumps({"answer": sums}, ensure_ascii=False)
    if decision.kind == "delegate" and node.inputs and not context.policy.briefs:
        return delegation.without_brief(node)
    return None


def _situation(node: Node, view: View, context: Context) -> Situation:
    window = context.abilities.window
    passages = prompts.passages_of(node, view)
    divisible = not node.inputs or not view.shows_all or len(passages) > 1
    may_delegate = sizes.may_delegate(node, context.task, window, context.budget)
    return Situation(
        shows_all=view.shows_all,
        has_seen=bool(passages) or not node.inputs,
        share_found=view.nearest.share if view.nearest else None,
        may_delegate=may_delegate and divisible and not view.results,
        has_unread=looking.has_unread(node),
        has_tools=bool(context.tools),
        is_planned=node.is_part and not context.policy.briefs,
        out_of_turns=node.num_turns >= context.policy.max_turns or not _has_room(node, context),
    )


def _may_list(node: Node, view: View) -> bool:
    """Whether children may be listed one by one: not where one input is too long to show."""
    return view.shows_all or len(node.inputs) != 1


def _has_room(node: Node, context: Context) -> bool:
    """Whether another observation fits into this dialogue."""
    return not node.exchanges or sizes.room(node, context.abilities.window) > _LOOK_AROUND_TOKENS


def _request(
    node: Node, view: View, kinds: tuple[Kind, ...], context: Context, *, letters: bool
) -> str:
    return prompts.request(
        kinds,
        letters=letters,
        cites=context.policy.cites and bool(prompts.passages_of(node, view)),
        expects=node.expects,
        labels=() if node.outcomes else node.labels,
        structured=context.policy.structured_children,
        tools=context.tools,
    )


def _bounds(node: Node, view: View, context: Context) -> schemas.Bounds:
    window = context.abilities.window
    fewest = sizes.fewest_parts(node, context.task, window) if node.inputs else 2
    return schemas.Bounds(
        answer_tokens=node.answer_tokens,
        num_passages=len(prompts.passages_of(node, view)),
        num_documents=len(node.inputs),
        max_parts=max(2, min(context.budget.nodes, max(sizes.MAX_FAN_OUT, fewest))),
        max_children=sizes.most_listed(context.budget, window),
        explicit_children=_may_list(node, view),
        cites=context.policy.cites,
        structured_children=context.policy.structured_children,
        expects=node.expects,
        labels=() if node.outcomes else node.labels,
        tools=context.tools,
    )


# --- Acting -------------------------------------------------------------------------------------


def _act(node: Node, generated: Generated, context: Context) -> tuple[Node, Effect]:
    """Do what the agent wrote, if it is valid; else let it write again."""
    node = node.model_copy(
        update={"num_turns": node.num_turns + 1, "own_s": node.own_s + generated.seconds}
    )
    try:
        return _perform(node, generated, context)
    except InvalidAction as error:
        if generated.cut and node.labels and not node.overflow:  # more records than tokens
            return _look(node.model_copy(update={"overflow": True}), context)
        num_invalid = node.num_invalid + 1
        if num_invalid >= context.policy.max_invalid:
            return node, _fail(node, InvalidAction.code, str(error))
        return _look(node.model_copy(update={"num_invalid": num_invalid}), context)


def _perform(node: Node, generated: Generated, context: Context) -> tuple[Node, Effect]:
    action, told = _read_action(generated)
    node = node.model_copy(update={"num_invalid": 0, "notices": notices.union(node.notices, told)})
    passages, window = generated.effect.passages, context.abilities.window
    match action:
        case Answer(answer=answer, citations=citations):
            if node.labels and not node.outcomes:
                answer = count(answer, node.labels, len(passages))
            schemas.check_answer(answer, node.expects)
            looking.check_numbers(citations, len(passages))
            if node.labels:  # what was counted is all of it
                citations = tuple(range(1, len(passages) + 1))
            citations = citations or _attributed(node, answer, passages)
            if node.inputs and not node.num_children and not sizes.fits(node, window):
                told = notices.union(node.notices, (notices.NOT_ALL_READ,))
                node = node.model_copy(update={"notices": told})
            return node, Finish(outcomes.answered(node, answer, citations, passages))
        case Delegate() if action.split is not None:
            return node, delegation.cut(node, action, context)
        case Delegate():
            children = delegation.listed_children(node, action, context)
            return delegation.spawn(node, children, children[0].goal, context)
        case Read():
            return node, looking.span_to_read(node, action, generated, context)
        case Search():
            inputs = node.inputs
            if action.document is not None:
                looking.check_numbers((action.document,), len(inputs))
                inputs = (inputs[action.document - 1],)
            return node, Find(inputs, action.query, action.regex, generated)
        case Note():
            noted = node.model_copy(update={"notes": (*node.notes, action.text)})
            return _look(noted, context)
        case Use():
            return node, CallTool(action.tool, action.arguments, generated)


def _attributed(node: Node, answer: JsonValue, passages: Sequence[Passage]) -> tuple[int, ...]:
    """Citations for an answer that names none."""
    texts = [passage.text for passage in passages]
    return attribute(prompts.as_text(answer), node.goal, texts, schemas.MAX_CITATIONS)


def _read_action(generated: Generated) -> tuple[Action, tuple[str, ...]]:
    """The action, and what the caller must be told of how it was read."""
    kind = generated.effect.decision.kind
    try:
        return parse(generated.text, kind), ()
    except InvalidAction:
        text = partial_json.cut_answer(generated.text) if generated.cut else None
        if text is None or kind not in {"answer", None}:
            raise
        return Answer(answer=text), (notices.ANSWER_CUT,)


# --- Ending without an answer of its own --------------------------------------------------------


def _over_budget(node: Node, code: str, message: str) -> Finish:
    told = (notices.BUDGET_RAN_OUT,)
    return Finish(outcomes.stopped(node, "over_budget", code, message, told))


def _fail(node: Node, code: str, message: str) -> Finish:
    return Finish(outcomes.stopped(node, "failed", code, message))
