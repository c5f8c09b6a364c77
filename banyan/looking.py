"""Looking around: which span a `read` means, and how an observation stays in the dialogue. Pure."""

from __future__ import annotations

from banyan import prompts, sizes
from banyan.action import Read
from banyan.effects import Context, Generated, Observed, ReadOn
from banyan.errors import InvalidAction
from banyan.node import Exchange, Node
from banyan.spans import Span

_READ_CHARS_AT_LEAST = 400


def span_to_read(node: Node, action: Read, reply: Generated, context: Context) -> ReadOn:
    """The span to read: from where the last read ended, as much as there is room for."""
    check_numbers((action.document,), len(node.inputs))
    whole = node.inputs[action.document - 1]
    read_to = dict(enumerate(node.read_to, start=1)).get(action.document, 0)
    offset = min(read_to if action.start is None else action.start, len(whole))
    room = sizes.room_chars(node, context.abilities.window)
    end = offset + max(_READ_CHARS_AT_LEAST, room)
    if action.end is not None:
        end = min(end, max(action.end, offset + 1))
    start = whole.start + offset
    span = Span(document=whole.document, start=start, end=min(whole.start + end, whole.end))
    return ReadOn(span, action.document, reply)


def remember(node: Node, observed: Observed) -> Node:
    """Put the exchange into the dialogue, its passages numbered on from those seen before."""
    first = len(observed.reply.effect.passages) + 1
    shown = prompts.numbered(observed.passages, first) if observed.passages else observed.text
    reply = observed.reply
    exchange = Exchange(
        request=reply.effect.request,
        reply=reply.text,
        token_ids=reply.token_ids,
        observation=shown or "Nothing was found.",
    )
    read_to = list(node.read_to)
    if observed.read is not None:
        number, position = observed.read
        read_to.extend([0] * (number - len(read_to)))
        read_to[number - 1] = position
    return node.model_copy(
        update={
            "exchanges": (*node.exchanges, exchange),
            "seen": (*node.seen, *observed.passages),
            "read_to": tuple(read_to),
        }
    )


def has_unread(node: Node) -> bool:
    """Whether some of the inputs was not yet read."""
    read_to = [*node.read_to, *([0] * len(node.inputs))]
    return any(position < len(span) for position, span in zip(read_to, node.inputs, strict=False))


def check_numbers(numbers: tuple[int, ...], highest: int) -> None:
    """Raise InvalidAction where a number stands for nothing in the prompt."""
    for number in numbers:
        if not 1 <= number <= highest:
            raise InvalidAction(f"{number} is none of the numbers 1 to {highest}")
