"""Reply: the action that a model wrote, or what there is of an answer that was cut off. Pure."""

from __future__ import annotations

from banyan import cut_json, notices, partial_answer
from banyan.action import Action, Answer, Kind, parse, parse_plain
from banyan.effects import Generated
from banyan.errors import InvalidAction


def read(generated: Generated) -> tuple[Action, tuple[str, ...]]:
    """The action, and what the caller must be told of how it was read. Raises InvalidAction.

    An answer that was cut off is kept as far as it goes: a text up to there, and of a value all but
    the unfinished item of a list.
    """
    kind = generated.effect.decision.kind
    if generated.effect.schema is None:
        return parse_plain(generated.text), (notices.ANSWER_CUT,) if generated.cut else ()
    try:
        return parse(generated.text, kind), ()
    except InvalidAction:
        is_answer = kind in {"answer", None}
        kept = _kept(generated.text, kind) if generated.cut and is_answer else None
        if kept is None:
            raise
        return kept, (notices.ANSWER_CUT,)


def _kept(text: str, kind: Kind | None) -> Answer | None:
    answer = partial_answer.cut_answer(text)
    if answer is not None:
        return Answer(answer=answer)
    rest = cut_json.closed(text)
    action = None if rest is None else parse(rest, kind)
    return action if isinstance(action, Answer) else None
