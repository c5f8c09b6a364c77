"""Step: what an agent does next. Pure: (node, event, context) to (node, effect), no I/O.

A node is woken, looks at its inputs (or at its children's results), lets the gate decide the kind
of its action, lets the engine write the action (both in `banyan/asking.py`), and acts:

    Woken ── Look ── Looked ─┬─ Choose ── Chosen ─┬─ Generate ── Generated ─┬─ Finish
      │                      └── (forced) ────────┘                         ├─ Cut ── Parts ── Spawn
      │                                                                     ├─ Select ── Selected
      │                                                                     ├─ Spawn
      │                             ┌── Observed ── ReadOn / Find / CallTool┤
      │                             └── Look ... (the next turn)            └─ Look (note, invalid)
      └─ Derive ── Derived ── Look   (children's results that exceed the window are divided again)

Whoever drives it (`banyan/drive.py`) performs each effect and feeds its event back. All that a
node remembers is in `Node`, so that it can be put away after every turn and go on elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from banyan import (
    asking,
    delegation,
    label_lists,
    looking,
    narrowing,
    notices,
    outcomes,
    partial_answer,
    prompts,
    reply,
    schemas,
    sizes,
    transfer,
)
from banyan.action import (
    Action,
    Answer,
    Delegate,
    Note,
    Read,
    Search,
    Use,
)
from banyan.attribution import attribute
from banyan.counts import count
from banyan.effects import (
    CallTool,
    Chosen,
    Context,
    Derive,
    Derived,
    Effect,
    Event,
    Failed,
    Find,
    Finish,
    Generated,
    Look,
    Looked,
    Observed,
    Packed,
    Parts,
    Select,
    Selected,
    TooExpensive,
    TooLong,
    Woken,
)
from banyan.errors import InvalidAction, SchemaMismatch
from banyan.node import ROOT_PATH, Divided, Node, Passage
from banyan.prompts import View
from banyan.spans import Span, size

_SHRINKS_TO = 0.75
"""Results are divided again only if they are at most this share of what was divided before."""


def step(node: Node, event: Event, context: Context) -> tuple[Node, Effect]:
    """The node after `event`, and the one thing to do now. Total: every event has an answer."""
    match event:
        case Woken():
            return _wake(node, event, context)
        case Looked(view, tokens_per_char):
            measured = node.model_copy(update={"tokens_per_char": tokens_per_char})
            if parts := delegation.parts_of_records(measured, view, context):
                return measured, asking.divide(measured, view, parts, context)
            return asking.ask(measured, view, context)
        case TooLong():
            return _shorten(node, context)
        case TooExpensive(code, message):
            return node, outcomes.over_budget(node, code, message)
        case Chosen():
            return asking.decide(node, event, context)
        case Generated():
            return _act(node, event, context)
        case Selected():
            return _go_on_with(node, event, context)
        case Parts(cut, parts):
            if len(parts) < 2:  # one part would be the same task again
                return node, outcomes.fail(node, "indivisible_input", "the input cannot be divided")
            if any(part.lacks_header for part in parts):
                told = notices.union(node.notices, (notices.HEADER_LEFT_OUT,))
                node = node.model_copy(update={"notices": told})
            children = delegation.children_of_split(node, cut, parts, context)
            return delegation.spawn(node, children, cut.goal, cut.handover, context)
        case Packed(pack, vectors):
            shared = pack.shared.model_copy(update={"vectors": vectors, "token_ids": ()})
            return node, transfer.seal(pack.spawn, shared)
        case Derived(span):
            return _look(_divide_results(node, span), context)
        case Observed():
            return _look(looking.remember(node, event), context)
        case Failed(code, message):
            return node, outcomes.fail(node, code, message)


# --- Waking up and looking ----------------------------------------------------------------------


def _wake(node: Node, woken: Woken, context: Context) -> tuple[Node, Effect]:
    if not node.answer_tokens:
        node = _with_answer_tokens(node, context)
    results = woken.outcomes[node.num_absorbed :]
    if node.generation != woken.generation:
        results = woken.outcomes[: node.divided.num_children if node.divided else None]
        node = outcomes.begin_again(node, woken.generation, len(woken.outcomes))
    if results:
        node = outcomes.absorb(node, results, len(woken.outcomes))
    return _look(node, context)


def _with_answer_tokens(node: Node, context: Context) -> Node:
    window, wanted = context.abilities.window, context.task.limits.max_answer_tokens
    told = node.notices
    if wanted is not None and wanted > sizes.longest_answer(window):
        told = notices.union(told, (notices.ANSWER_BOUNDED,))
    tokens = sizes.root_answer_tokens(window, wanted)
    return node.model_copy(update={"answer_tokens": tokens, "notices": told})


def _look(node: Node, context: Context) -> tuple[Node, Effect]:
    if context.now >= context.deadline_at:
        return node, outcomes.over_budget(
            node, "deadline_exceeded", "the task's deadline has passed"
        )
    if node.outcomes:
        return _look_at_results(node, context)
    window = context.abilities.window
    if sizes.fits(node, window):
        return node, Look(node.inputs, whole=True)
    nearest_chars = sizes.nearest_chars(node, window)
    fields = context.policy.structured_children and narrowing.may_select(node)
    fields = fields and nearest_chars > 0
    return node, Look(node.inputs, whole=False, nearest_chars=nearest_chars, fields=fields)


def _look_at_results(node: Node, context: Context) -> tuple[Node, Effect]:
    """Combine the results if they fit; else they are an input that is too long, once more."""
    if all(outcome.answer is None for outcome in node.outcomes):
        return node, outcomes.fail(node, "children_failed", "none of the parts has a result")
    window = context.abilities.window
    if sizes.results_fit(node, window):
        return asking.ask(node, View(results=node.outcomes, rules=node.child_rules), context)
    num_chars = sizes.result_chars(node.outcomes)
    shrinks = not node.inputs or num_chars <= _SHRINKS_TO * size(node.inputs)
    if shrinks and sizes.may_delegate(node, context.task, window, context.budget):
        view = View(results=node.outcomes, rules=node.child_rules)
        passages = prompts.passages_of(node.model_copy(update={"seen": ()}), view)
        return node, Derive(passages)
    return asking.ask(*_leave_out(node, window), context)


def _divide_results(node: Node, span: Span) -> Node:
    first = Divided(
        inputs=node.inputs, num_children=node.num_children, child_rules=node.child_rules
    )
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
    return told, View(results=told.outcomes, rules=node.child_rules)


def _shorten(node: Node, context: Context) -> tuple[Node, Effect]:
    """The estimate was too low: drop the oldest exchange, else divide, else leave results out."""
    if node.exchanges:
        return _look(node.model_copy(update={"exchanges": (), "seen": ()}), context)
    if len(node.outcomes) > 1:
        fewer = node.outcomes[: len(node.outcomes) * 3 // 4 or 1]
        shorter = node.model_copy(update={"outcomes": fewer, "incomplete": True})
        told = notices.union(node.notices, (notices.RESULTS_LEFT_OUT,))
        return asking.ask(
            shorter.model_copy(update={"notices": told}),
            View(results=shorter.outcomes, rules=node.child_rules),
            context,
        )
    if not node.overflow and node.inputs:
        return _look(node.model_copy(update={"overflow": True}), context)
    if sizes.nearest_chars(node, context.abilities.window):
        return _look(node.model_copy(update={"is_part": True}), context)
    return node, outcomes.fail(node, "prompt_too_long", "goal and brief alone exceed the window")


# --- Acting -------------------------------------------------------------------------------------


def _act(node: Node, generated: Generated, context: Context) -> tuple[Node, Effect]:
    """Do what the agent wrote, if it is valid; else let it write again."""
    node = node.model_copy(
        update={
            "num_turns": node.num_turns + 1,
            "was_valid": True,
            "own_s": node.own_s + generated.seconds,
        }
    )
    if generated.weights is not None:
        told = notices.union(node.notices, (notices.WEIGHTS_MOVED,))
        node = node.model_copy(update={"notices": told})
    try:
        return _perform(node, generated, context)
    except InvalidAction as error:
        node = node.model_copy(update={"was_valid": False})
        if generated.cut and node.labels and not node.overflow:  # more records than tokens
            return _look(node.model_copy(update={"overflow": True}), context)
        num_invalid = node.num_invalid + 1
        if num_invalid >= context.policy.max_invalid:
            return _give_up(node, generated, error, context)
        return _look(node.model_copy(update={"num_invalid": num_invalid}), context)


def _give_up(
    node: Node, generated: Generated, error: InvalidAction, context: Context
) -> tuple[Node, Effect]:
    """End a node whose agent writes nothing valid; what it wrote of an answer is kept as text.

    Of a part that only its parent wants an object from, text will do, which cannot be invalid; and
    inputs can be divided without a word of the agent's.
    """
    kind = generated.effect.decision.kind
    if kind == "delegate" and node.inputs and generated.effect.fixed is None:
        told = notices.union(node.notices, (notices.DIVIDED_WITHOUT_BRIEF,))
        update = {"num_invalid": context.policy.max_invalid, "notices": told}
        return _look(node.model_copy(update=update), context)
    if node.expects is None or kind not in {"answer", None}:
        return node, outcomes.fail(node, error.code, str(error))
    if node.path != ROOT_PATH and not node.rules:
        told = notices.union(node.notices, (notices.ANSWER_IN_TEXT,))
        update = {"expects": None, "num_invalid": 0, "notices": told}
        return _look(node.model_copy(update=update), context)
    cut = ", which ended at its limit of tokens (max_answer_tokens)" if generated.cut else ""
    message = f"{error}{cut}"
    return node, outcomes.fail(node, SchemaMismatch.code, message, written=generated.text)


def _perform(node: Node, generated: Generated, context: Context) -> tuple[Node, Effect]:
    action, told = reply.read(generated)
    told = notices.union(told, _of_lists(node, action, generated))
    node = node.model_copy(update={"num_invalid": 0, "notices": notices.union(node.notices, told)})
    passages, window = generated.effect.passages, context.abilities.window
    match action:
        case Answer(answer=answer, citations=citations):
            if node.labels and not node.outcomes:
                answer = count(answer, node.labels, len(passages))
            schemas.check_answer(answer, node.expects)
            looking.check_numbers(citations, len(passages))
            if node.labels or generated.effect.fixed is not None or _rests_on_counts(node):
                citations = tuple(range(1, len(passages) + 1))
            if generated.cut and node.path != ROOT_PATH and isinstance(answer, str):
                answer = partial_answer.whole_sentences(answer)  # the root's was streamed already
            citations = citations or _attributed(node, answer, passages)
            read_all = bool(node.num_children or node.outcomes) or sizes.fits(node, window)
            if node.inputs and not read_all:
                told = notices.union(node.notices, (notices.NOT_ALL_READ,))
                node = node.model_copy(update={"notices": told})
            return node, Finish(outcomes.answered(node, answer, citations, passages))
        case Delegate():
            action = label_lists.with_all_labels(action, _shown(node, generated))
            if (query := narrowing.query_of(node, action, context.task)) is not None:
                return node, Select(node.inputs, query, action, generated)
            node, handover = transfer.plan(node, action, generated, context)
            if action.split is not None:
                return node, delegation.cut(node, action, handover, context, passages)
            children = delegation.listed_children(node, action, handover, context)
            return delegation.spawn(node, children, children[0].goal, handover, context)
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


def _shown(node: Node, generated: Generated) -> tuple[str, ...]:
    """What the agent was shown, in order: the goals first."""
    goals = (node.goal, node.brief.task_goal)
    passages = (passage.text for passage in generated.effect.passages)
    return (*goals, *generated.effect.previews, *passages)


def _go_on_with(node: Node, selected: Selected, context: Context) -> tuple[Node, Effect]:
    """Answer from a field's counts, or go on with the records that were chosen."""
    effect, found = selected.effect, selected.found
    if effect.query.count_by is not None or not found.num_selected:
        return _look_at_results(narrowing.counted(node, selected), context)
    node = narrowing.narrowed(node, selected)
    if effect.action.split is None or not effect.action.split.labels or found.num_selected < 2:
        return _look(node, context)
    node, handover = transfer.plan(node, effect.action, effect.reply, context)
    return node, delegation.cut(node, effect.action, handover, context)


def _rests_on_counts(node: Node) -> bool:
    """Whether all of its children's results became one passage."""
    return bool(node.child_rules and node.outcomes)


def _of_lists(node: Node, action: Action, generated: Generated) -> tuple[str, ...]:
    """What is told where a list may have ended because of its bound."""
    if not isinstance(action, Answer) or generated.effect.fixed is not None or not node.expects:
        return ()
    ends = schemas.ends_at_its_bound(
        action.answer, node.expects, node.answer_tokens, was_invalid=node.num_invalid > 0
    )
    return (notices.LIST_BOUNDED,) if ends else ()


def _attributed(node: Node, answer: JsonValue, passages: Sequence[Passage]) -> tuple[int, ...]:
    """Citations for an answer that names none."""
    texts = [passage.text for passage in passages]
    return attribute(prompts.as_text(answer), node.goal, texts, schemas.MAX_CITATIONS)
