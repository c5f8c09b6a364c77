"""Sizes: how a window is shared out, and into how many parts an input is divided.

All in tokens unless the name says otherwise. These are plans on estimates; the rendered prompt has
the last word, and a node whose prompt turns out too long is told so and divides its input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from banyan import aggregates
from banyan.budget import Budget
from banyan.node import Node, Outcome
from banyan.prompts import as_text
from banyan.spans import Span, size
from banyan.task import Task

MAX_FAN_OUT = 32
DEFAULT_TOKENS_PER_CHAR = 0.35
"""Before a text was measured: a little more than English prose needs."""

FRAME_TOKENS = 260
"""Instructions, delimiters and the chat template around goal, brief and passages."""
_JSON_TOKENS_PER_CHAR = 0.4
"""Of small values, which are mostly marks; Qwen2.5 was seen to need 0.3 to 0.38."""
_JSON_TOKENS = 48
"""What an answer needs beside its text: braces, keys, citations."""
_PASSAGE_OVERHEAD = 1.08
"""Passages are about 80 tokens long; their numbers and line ends take 5 or 6."""
SMALLEST_PROMPT_TOKENS = FRAME_TOKENS + 2 * _JSON_TOKENS
"""Of a node that works on nearly nothing."""
_DELEGATION_TOKENS = 192
"""Of a delegation beside its brief: the children's goal and JSON."""
_SHORTEST_BRIEF = 64
_LONGEST_BRIEF = 512
_BRIEF_SHARE = 32
"""A brief may take a 32nd of the window, within these bounds: every child reads it anew."""
_SHORTEST_ANSWER = 24
_SHORTEST_JOINED = 48
"""Below this a result says too little; results that together are too long then are retold."""
_JOIN_TOKENS = 2
"""The empty line between two results that are joined."""
_NUMBER_TOKENS = 6
"""A passage's number, brackets and line end."""
_LOOK_FRAME_TOKENS = 200
"""The menu of kinds, repeated after an observation, and the documents' previews."""
_NEAREST_SHARE = 0.5
_CONTEXT_SHARE = 0.25
"""Of what fits into a prompt, the most that overlap takes, and the most that headers take."""
_FILL = 0.92
"""Plan parts a little smaller than what fits, since estimates err."""


def root_answer_tokens(window: int, wanted: int | None = None) -> int:
    """Length of the final answer: what is wanted if the window has room for it."""
    if wanted is None:
        return max(64, min(2_048, window // 8))
    return min(wanted, longest_answer(window))


def longest_answer(window: int) -> int:
    """What a window has room for, beside what the answer rests on."""
    return window // 4


def child_answer_tokens(parent_answer_tokens: int, window: int) -> int:
    """Children answer more briefly than their parent."""
    return max(48, min(parent_answer_tokens, max(window // 20, 2 * parent_answer_tokens // 5)))


def answer_tokens_for(
    parent: Node, inputs: Sequence[Span], window: int, joined: int | None = None
) -> int:
    """A child's answer: at most half as long as what it works on, so that merging shrinks.

    `joined`: the answers of so many children are to be joined, and no longer than their parent's;
    where each would then be too short to say something, they are longer, and will be retold.
    """
    most = child_answer_tokens(parent.answer_tokens, window)
    if joined is not None:
        share = parent.answer_tokens // joined - _JOIN_TOKENS
        most = min(most, max(share, _SHORTEST_JOINED))
    if not inputs:
        return most
    half = int(size(inputs) * density(parent) / 2)
    return max(_SHORTEST_ANSWER, min(most, half))


def label_tokens(window: int) -> int:
    """Room for a label a record: a part whose labels take more is divided again."""
    return window // 4


def records_at_once(node: Node, wanted: int) -> int:
    """How many records are labelled in one answer: `wanted`, or as many as its tokens suffice for.

    Labels are taken to be as long as they are on average.
    """
    labels = sum(map(len, node.labels)) / len(node.labels)
    tokens = (labels + len('"100":"",')) * max(density(node), _JSON_TOKENS_PER_CHAR)
    return max(1, min(wanted, int(node.answer_tokens / tokens)))


def parts_tokens(node: Node, parts: int, window: int) -> int:
    """What it spends at most to have the inputs read in so many parts."""
    return turn_reserve(window) + input_tokens(node) + parts * 2 * call_tokens(node)


def generation_tokens(node: Node, *, plain: bool) -> int:
    """Tokens to reserve for an answer."""
    return node.answer_tokens if plain else node.answer_tokens + _JSON_TOKENS


def answer_words(node: Node) -> int:
    """Words of an answer that is within its tokens: what the agent is told."""
    words = node.answer_tokens * 3 // 4
    return words if words < 20 else words // 10 * 10


def delegate_tokens(window: int, *, lists: bool) -> int:
    """Tokens to reserve for a delegation; a list of children may take a quarter of the window."""
    split = _DELEGATION_TOKENS + brief_tokens(window)
    return max(split, window // 4) if lists else split


def brief_tokens(window: int) -> int:
    """Budget of the summary that an agent writes for its children."""
    return max(_SHORTEST_BRIEF, min(_LONGEST_BRIEF, window // _BRIEF_SHARE))


def most_listed(budget: Budget, window: int) -> int:
    """How many children may be listed one by one; each takes at least 16 tokens to write."""
    return max(2, min(budget.nodes, window // 16))


def turn_reserve(window: int) -> int:
    """The most that one turn can spend: a choice of kind and a completion, each a full window."""
    return 2 * window


def merge_reserve(window: int, budget: Budget) -> int:
    """What a parent keeps back so that it can combine its children's results."""
    return min(4 * window, budget.tokens // 2)


def num_leaves_below(node: Node, window: int) -> int:
    """How many nodes with this window read what the node works on; 1 where it reads by itself."""
    return max(1, math.ceil(input_tokens(node) / (_FILL * capacity(node, window))))


def subtree_tokens(node: Node, window: int) -> int:
    """What a node and all below it will spend, estimated on the high side.

    Every node reads its part twice, once to choose and once to act, and merges what came back.
    """
    leaves = num_leaves_below(node, window)
    calls = 2 * (2 * leaves - 1)
    return 2 * input_tokens(node) + calls * (call_tokens(node) + inherited_tokens(node))


def call_tokens(node: Node) -> int:
    """What a call takes beside the inputs and what was inherited."""
    return FRAME_TOKENS + context_tokens(node) + node.answer_tokens + _JSON_TOKENS


def inherited_tokens(node: Node) -> int:
    """What the parent's context takes in each prompt; a summary counts with the brief."""
    state = node.packed_state
    return state.tokens if state is not None and state.is_shared else 0


def density(node: Node) -> float:
    """Tokens per character of the inputs."""
    return node.tokens_per_char or DEFAULT_TOKENS_PER_CHAR


def input_tokens(node: Node) -> int:
    """Estimated tokens of the inputs, as passages in a prompt."""
    return math.ceil(size(node.inputs) * density(node) * _PASSAGE_OVERHEAD)


def context_tokens(node: Node) -> int:
    """Estimated tokens of what is shown beside the inputs; results stand alone."""
    if node.divided is not None:
        return 0
    return math.ceil(size(node.context) * density(node) * _PASSAGE_OVERHEAD)


def most_context(node: Node, window: int) -> int:
    """Tokens that a child's prompt has for overlap, and once more for the headers of tables."""
    return int(capacity(node, window) * _CONTEXT_SHARE)


def capacity(node: Node, window: int, answer_tokens: int | None = None) -> int:
    """Tokens of passages that fit into one prompt beside goal, brief and answer."""
    answer = node.answer_tokens if answer_tokens is None else answer_tokens
    words = len(node.goal)
    if not node.labels or node.outcomes:  # who labels records is shown no more than the labels
        words += len(node.brief.task_goal) + len(node.brief.text) + sum(map(len, node.notes))
    frame = FRAME_TOKENS + math.ceil(words * DEFAULT_TOKENS_PER_CHAR)
    frame += inherited_tokens(node)
    return max(32, window - frame - answer - _JSON_TOKENS - context_tokens(node))


def fits(node: Node, window: int) -> bool:
    """Whether all inputs are expected to fit into one prompt."""
    return not node.overflow and input_tokens(node) <= capacity(node, window)


def nearest_chars(node: Node, window: int) -> int:
    """Characters of the places nearest to the goal to show, leaving room to look further.

    0 for a part of what a parent decided to read, for results, and without a goal to look for.
    """
    if node.is_part or node.divided is not None or not node.inputs:
        return 0
    return int(capacity(node, window) * _NEAREST_SHARE / density(node) / _PASSAGE_OVERHEAD)


def plan_parts(
    node: Node,
    task: Task,
    window: int,
    budget: Budget,
    overlap: int = 0,
    *,
    part_window: int | None = None,
) -> int:
    """Into how many parts the inputs are best divided, at least 2; `overlap` as for children.

    As few levels as possible such that the parts' results fit into one merge, and as few parts as
    possible on these levels, so that the tree is balanced. `part_window` is that of who reads the
    parts; default: the node's own.
    """
    part_window = part_window or window
    child_answer = child_answer_tokens(node.answer_tokens, part_window)
    fan_out = max(2, min(MAX_FAN_OUT, capacity(node, window) // (child_answer + 16)))
    leaves = _num_leaves(node, part_window, overlap)
    levels = max(1, math.ceil(math.log(leaves) / math.log(fan_out) - 1e-9))
    parts = _root(leaves, min(levels, _levels_left(node, task)))
    return max(2, min(parts, budget.nodes))


def fewest_parts(node: Node, task: Task, window: int, overlap: int = 0) -> int:
    """The smallest number of parts with which the levels that are left suffice."""
    return max(2, _root(_num_leaves(node, window, overlap), _levels_left(node, task)))


def _root(leaves: int, levels: int) -> int:
    """The smallest fan-out with which `levels` levels have at least `leaves` leaves."""
    return math.ceil(math.pow(leaves, 1 / levels) - 1e-9)


def _num_leaves(node: Node, window: int, overlap: int) -> int:
    child_answer = child_answer_tokens(node.answer_tokens, window)
    if node.labels:
        child_answer = label_tokens(window)
    # A part's reader sees the overlap in the place of what the node itself sees beside its inputs.
    beside = max(0, overlap - context_tokens(node))
    one_leaf = max(32, _FILL * capacity(node, window, child_answer) - beside)
    return max(2, math.ceil(input_tokens(node) / one_leaf))


def _levels_left(node: Node, task: Task) -> int:
    return max(1, task.limits.max_depth - node.depth)


def may_delegate(node: Node, task: Task, window: int, budget: Budget) -> bool:
    """Whether depth, nodes and tokens allow at least two children and a merge."""
    return (
        node.depth < task.limits.max_depth
        and budget.nodes >= 2  # fewer than two children divide nothing
        and budget.tokens - merge_reserve(window, budget) >= 2 * SMALLEST_PROMPT_TOKENS
    )


def result_chars(results: Sequence[Outcome]) -> int:
    """Characters of children's results, as a prompt shows them."""
    return sum(len(as_text(o.answer)) for o in results if o.answer is not None)


def results_fit(node: Node, window: int) -> bool:
    """Whether all of the children's results fit into one prompt; merged ones take one line."""
    merged = aggregates.merge((one.answer for one in node.outcomes), node.child_rules)
    if merged is not None:
        line = aggregates.as_line(merged, node.child_rules)
        return bool(node.rules) or len(line) * density(node) <= capacity(node, window)
    return len(results_that_fit(node, window)) == len(node.outcomes)


def results_that_fit(node: Node, window: int) -> tuple[Outcome, ...]:
    """As many of the results, from the first on, as fit into one prompt; at least one."""
    left = float(capacity(node, window))
    kept: list[Outcome] = []
    for outcome in node.outcomes:
        if outcome.answer is not None:
            left -= len(as_text(outcome.answer)) * density(node) + _NUMBER_TOKENS
        if left < 0 and kept:
            break
        kept.append(outcome)
    return tuple(kept)


def room(node: Node, window: int) -> int:
    """Tokens that are left in the window for another observation and an answer after it."""
    spoken = sum(
        len(exchange.request) + len(exchange.reply) + len(exchange.observation)
        for exchange in node.exchanges
    )
    shown = 0 if fits(node, window) else nearest_chars(node, window) * _PASSAGE_OVERHEAD
    taken = math.ceil((spoken + shown) * density(node))
    return capacity(node, window) - taken - _LOOK_FRAME_TOKENS


def room_chars(node: Node, window: int) -> int:
    """The same in characters of the inputs."""
    return max(0, int(room(node, window) / density(node) / _PASSAGE_OVERHEAD))
