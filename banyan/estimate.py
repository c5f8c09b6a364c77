"""Estimate: what a task would take, before anything is spent. Pure.

The tree is planned as its agents would plan it (`banyan/sizes.py`): what does not fit a window is
divided into equal parts until it fits, or depth or nodes run out, and results are merged upwards.
`most` has everything read; `least` is the case that the root finds its answer where the words of
the goal stand. Which of them happens is the policy's to decide, once it has looked.

Answers are counted at the length that they are allowed, so that completions are on the high side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from banyan import gate, sizes
from banyan.budget import Budget
from banyan.node import ROOT_PATH, Brief, Node, child_path
from banyan.prices import usd
from banyan.spans import Span
from banyan.specialists import Specialist
from banyan.task import Task

COMPLETION_WEIGHT = 4
"""Time of a generated token in that of a prompt's token. llama.cpp on two cores reads about 280 and
writes about 75 tokens a second; vLLM there, with several requests at once, about 1,000 and 230."""

_CHOICE_TOKENS = 1
_FEWEST_PARTS = 2


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pace(_Model):
    """How fast earlier trees went.

    `work` is prompt tokens that were not cached, and completion tokens by their weight; `parallel`
    is how many calls were under way at one time, on average.
    """

    work_per_s: float = Field(gt=0)
    parallel: float = Field(ge=1)
    num_trees: int = Field(ge=1, description="From which this was measured.")


class Plan(_Model):
    """One way in which a tree may go."""

    llm_calls: int
    nodes: int
    max_depth: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float = Field(description="By the prices of the policies, nothing cached.")
    seconds: float | None = Field(
        None, description="Null where no solve of this policy has finished yet."
    )

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Ratios(_Model):
    """What earlier trees that delegated used, over what was planned for them: medians."""

    llm_calls: float = Field(ge=0)
    nodes: float = Field(ge=0)
    max_depth: float = Field(ge=0)
    prompt_tokens: float = Field(ge=0)
    completion_tokens: float = Field(ge=0)
    num_trees: int = Field(ge=1, description="From which these were taken.")


class Estimate(_Model):
    """What a task would take: between `least` and `most`, and what is `likely` of `most`."""

    input_tokens: int
    window: int = Field(description="Of the model that the root runs on, in tokens.")
    fits: bool = Field(description="Whether one agent can read all of it at once.")
    least: Plan = Field(description="The root answers from the places that it finds.")
    most: Plan = Field(description="Everything is read, by as many agents as that takes.")
    exceeds: tuple[str, ...] = Field(
        (), description="Limits of the request that `most` does not keep; it would end `partial`."
    )
    pace: Pace | None = None
    likely: Plan | None = Field(
        None,
        description="`most`, corrected by how your latest solves on the same policies that "
        "delegated compared with their own plans; null where there are none.",
    )
    ratios: Ratios | None = Field(None, description="What `likely` was corrected by.")


@dataclass(slots=True)
class _Sum:
    """Calls so far. `work` as in `Pace`, in all and along the slowest path."""

    llm_calls: int = 0
    nodes: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nano_usd: int = 0
    work: float = 0.0
    path_work: float = 0.0
    short: set[str] = field(default_factory=set)
    """Limits for which something does not get read."""

    def add(
        self, count: int, who: Specialist, prompt: int, completion: int, *, is_choice: bool
    ) -> None:
        """`count` equal nodes act once. A choice before it reads the prompt, then it is cached."""
        reads = 2 if is_choice else 1
        written = completion + (_CHOICE_TOKENS if is_choice else 0)
        self.llm_calls += count * reads
        self.prompt_tokens += count * reads * prompt
        self.completion_tokens += count * written
        self.nano_usd += count * who.policy.prices.at_most(reads * prompt, written)
        work = prompt + COMPLETION_WEIGHT * written
        self.work += count * work
        self.path_work += work


def estimate(
    task: Task,
    num_chars: int,
    *,
    own: Specialist,
    reader: Specialist | None = None,
    tokens_per_char: float | None = None,
    pace: Pace | None = None,
) -> Estimate:
    """What `task` over `num_chars` code points would take.

    `own` is what the root runs on, `reader` what reads the parts (default: the same).
    """
    reader = reader or own
    root = Node(
        path=ROOT_PATH,
        goal=task.goal,
        brief=Brief(task_goal=task.goal),
        inputs=_inputs(num_chars),
        answer_tokens=sizes.root_answer_tokens(own.window, task.limits.max_answer_tokens),
        tokens_per_char=tokens_per_char,
    )
    fits = sizes.fits(root, own.window)
    most = _Sum()
    depth = _grow(most, 1, root, task, (own, reader))
    least = most if fits else _one_look(root, task, own)
    planned = _plan(most, depth, task, pace)
    return Estimate(
        input_tokens=sizes.input_tokens(root),
        window=own.window,
        fits=fits,
        least=planned if fits else _plan(least, 0, task, pace),
        most=planned,
        exceeds=_exceeded(planned, task, most.short),
        pace=pace,
    )


def _inputs(num_chars: int) -> tuple[Span, ...]:
    return (Span(document="planned", start=0, end=num_chars),) if num_chars else ()


def _grow(
    total: _Sum, count: int, node: Node, task: Task, who: tuple[Specialist, Specialist]
) -> int:
    """Add `count` nodes like this one with all below them, then their merges; how deep it is."""
    own, reader = who
    reads = reader if node.is_part else own
    total.nodes += count
    fits = sizes.fits(node, reads.window)
    may_divide = node.depth < task.limits.max_depth
    num_left = max(0, task.limits.max_nodes - total.nodes) // count
    if fits or not may_divide or num_left < _FEWEST_PARTS:
        if not fits:
            total.short.add("max_nodes" if may_divide else "max_depth")
        prompt = min(reads.window, sizes.FRAME_TOKENS + sizes.input_tokens(node))
        asks = not node.is_part or gate.asks_of_parts(task.gate, reads.policy)
        choice = _chooses(task, reads) and asks and may_divide
        total.add(count, reads, prompt, node.answer_tokens, is_choice=choice)
        return node.depth
    budget = Budget(tokens=task.limits.max_tokens, nodes=num_left)
    parts = sizes.plan_parts(node, task, own.window, budget, part_window=reader.window)
    child = _child(node, parts, own)
    _look(total, count, node, task, own)
    depth = _grow(total, count * parts, child, task, who)
    if own.policy.merges:
        results = min(own.window, sizes.FRAME_TOKENS + parts * child.answer_tokens)
        total.add(count, own, results, node.answer_tokens, is_choice=False)
    return depth


def _look(total: _Sum, count: int, node: Node, task: Task, own: Specialist) -> None:
    """The turn in which a node delegates: it looks at the nearest places, chooses, and writes."""
    prompt, choice = _nearest_tokens(node, own), _chooses(task, own)
    if own.policy.briefs:
        written = sizes.delegate_tokens(own.window, lists=False)
        total.add(count, own, prompt, written, is_choice=choice)
    elif choice:
        total.add(count, own, prompt, _CHOICE_TOKENS, is_choice=False)


def _nearest_tokens(node: Node, own: Specialist) -> int:
    chars = sizes.nearest_chars(node, own.window)
    return sizes.FRAME_TOKENS + int(chars * sizes.density(node))


def _child(node: Node, parts: int, own: Specialist) -> Node:
    inputs = _inputs(math.ceil(node.inputs[0].end / parts))
    joined = None if own.policy.merges else parts
    return Node(
        path=child_path(node.path, 0),
        goal=node.goal,
        brief=Brief(task_goal=node.goal),
        inputs=inputs,
        is_part=True,
        answer_tokens=sizes.answer_tokens_for(node, inputs, own.window, joined),
        tokens_per_char=node.tokens_per_char,
    )


def _one_look(root: Node, task: Task, own: Specialist) -> _Sum:
    total = _Sum(nodes=1)
    prompt = _nearest_tokens(root, own)
    total.add(1, own, prompt, root.answer_tokens, is_choice=_chooses(task, own))
    return total


def _chooses(task: Task, who: Specialist) -> bool:
    """Whether a kind is chosen by a call of its own where there is a choice."""
    return task.gate.mode in {"threshold", "sampled"} and len(who.policy.kinds) > 1


def _plan(total: _Sum, depth: int, task: Task, pace: Pace | None) -> Plan:
    seconds = None
    if pace is not None:
        parallel = min(pace.parallel, task.limits.max_parallel)
        seconds = round(max(total.path_work, total.work / parallel) / pace.work_per_s, 1)
    return Plan(
        llm_calls=total.llm_calls,
        nodes=total.nodes,
        max_depth=depth,
        prompt_tokens=total.prompt_tokens,
        completion_tokens=total.completion_tokens,
        cost_usd=usd(total.nano_usd),
        seconds=seconds,
    )


def _exceeded(plan: Plan, task: Task, short: set[str]) -> tuple[str, ...]:
    """`short`: limits for which something had to be left unread."""
    limits = task.limits
    too_much = {
        "max_depth": "max_depth" in short,
        "max_nodes": "max_nodes" in short,
        "max_tokens": plan.tokens > limits.max_tokens,
        "max_cost_usd": limits.max_cost_usd is not None and plan.cost_usd > limits.max_cost_usd,
        "deadline_s": plan.seconds is not None and plan.seconds > limits.deadline_s,
    }
    return tuple(name for name, exceeded in too_much.items() if exceeded)
