"""Outcomes: what a node hands up. Pure functions from a node and what it did to an `Outcome`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from banyan import aggregates, notices
from banyan.effects import Finish
from banyan.node import Failure, Node, Outcome, OutcomeStatus, Passage
from banyan.prompts import as_text
from banyan.spans import Span, merge

_PARTIAL_CHARS = 20_000


def answered(
    node: Node, answer: JsonValue, citations: Sequence[int], passages: Sequence[Passage]
) -> Outcome:
    """The outcome of an answer that rests on numbered `passages` and cites some of them.

    Citing a child's result cites what that child cited, so that sources survive every merge.
    """
    cited = [span for number in citations for span in passages[number - 1].sources]
    if node.labels:
        cited = [*merge(cited)]
    covered = [span for passage in passages for span in passage.covered]
    return _outcome(
        node,
        "ok",
        answer=answer,
        citations=_unique(cited),
        covered=merge([*node.covered, *covered]),
    )


def stopped(
    node: Node,
    status: OutcomeStatus,
    code: str,
    message: str,
    extra_notices: Sequence[str] = (),
    *,
    written: str | None = None,
) -> Outcome:
    """The best that is there when a node cannot go on: its children's results as they came.

    Where a schema is expected nothing can be put together without the model, so the answer is null,
    except where it merges exactly; the failure then has the text: what was `written` last, else the
    results.
    """
    results = [outcome for outcome in node.outcomes if outcome.answer is not None]
    answer: JsonValue = None
    text: str | None = None
    if results:
        text = "\n".join(as_text(outcome.answer) for outcome in results)[:_PARTIAL_CHARS]
    if node.expects is None:
        answer, text = text, None
    elif written is not None:
        text = written[:_PARTIAL_CHARS]
    if node.rules:
        answer = aggregates.merge((one.answer for one in results), node.child_rules)
        text = None if answer is not None else text
    used = results if answer is not None else []
    return _outcome(
        node,
        status,
        answer=answer,
        citations=_unique([span for outcome in used for span in outcome.citations]),
        covered=merge([span for outcome in used for span in outcome.covered]),
        failure=Failure(code=code, message=message, text=text),
        complete=False,
        extra_notices=extra_notices,
    )


def fail(node: Node, code: str, message: str, *, written: str | None = None) -> Finish:
    """End a node that cannot go on. `written`: the answer that does not follow its schema."""
    return Finish(stopped(node, "failed", code, message, written=written))


def over_budget(node: Node, code: str, message: str) -> Finish:
    """End a node that has no tokens or no time left."""
    told = (notices.BUDGET_RAN_OUT,)
    return Finish(stopped(node, "over_budget", code, message, told))


def begin_again(node: Node, generation: int, num_children: int) -> Node:
    """The node when its tree was re-opened: what it noted of results is void.

    What became of its inputs, schema and children before these ran stays, and is still told.
    Where results had been divided again it goes back to its own inputs and the results of its first
    children, since some of these may have changed.
    """
    return Node(
        path=node.path,
        goal=node.goal,
        brief=node.brief,
        policy=node.policy,
        packed_state=node.packed_state,
        inputs=node.divided.inputs if node.divided else node.inputs,
        context=node.context,
        is_part=node.is_part,
        labels=node.labels,
        rules=node.rules,
        child_rules=node.divided.child_rules if node.divided else node.child_rules,
        expects=node.expects,
        answer_tokens=node.answer_tokens,
        tokens_per_char=node.tokens_per_char,
        overflow=node.overflow and node.divided is None,
        generation=generation,
        num_children=num_children,
        notices=tuple(code for code in node.notices if code not in notices.OF_RESULTS),
    )


def absorb(node: Node, outcomes: Sequence[Outcome], num_absorbed: int) -> Node:
    """The node after its children finished: these results are what it works on now."""
    failed = any(outcome.status != "ok" for outcome in outcomes)
    return node.model_copy(
        update={
            "outcomes": tuple(outcomes),
            "num_absorbed": num_absorbed,
            "incomplete": node.incomplete or not all(outcome.complete for outcome in outcomes),
            "notices": notices.union(
                node.notices,
                *(outcome.notices for outcome in outcomes),
                (notices.CHILD_FAILED,) if failed else (),
            ),
            "children_critical_s": node.children_critical_s
            + max(outcome.critical_path_s for outcome in outcomes),
            "children_sequential_s": node.children_sequential_s
            + sum(outcome.sequential_s for outcome in outcomes),
        }
    )


def _outcome(
    node: Node,
    status: OutcomeStatus,
    *,
    answer: JsonValue,
    citations: tuple[Span, ...],
    covered: tuple[Span, ...],
    failure: Failure | None = None,
    complete: bool = True,
    extra_notices: Sequence[str] = (),
) -> Outcome:
    return Outcome(
        status=status,
        answer=answer,
        citations=citations,
        covered=covered,
        complete=complete and not node.incomplete,
        notices=notices.union(node.notices, tuple(extra_notices)),
        failure=failure,
        critical_path_s=node.own_s + node.children_critical_s,
        sequential_s=node.own_s + node.children_sequential_s,
    )


def _unique(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(dict.fromkeys(spans))
