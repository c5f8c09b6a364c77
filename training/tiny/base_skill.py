"""Base skill: the share of small goals that a policy solves by the likeliest words.

Where a goal cannot be divided, the kind of action is part of the skill: when to act and when to
answer. Whether to divide is none; that is left to the gate.

Every arm and seed is examined on the same goals, which are made once, so that looking often is
cheap, changes nothing of the training, and compares like with like.
"""

from __future__ import annotations

from training.environments.environment import Environment, Goal, Move
from training.tiny.policy import TinyPolicy
from training.tiny.sampler import Sampler
from training.tiny.vocabulary import Ids, kind_id

FIRST_SEED = 2_500_000_000
"""Seeds of the goals begin here, apart from those of warm-up, training and evaluation."""

GoldWord = tuple[Ids, Ids, int]
"""What stands before the word, what may stand there, and the word."""


class Exam:
    """Goals of one difficulty, with every word of their gold moves."""

    def __init__(
        self,
        environment: Environment,
        policy: TinyPolicy,
        difficulty: int,
        num_goals: int = 1_000,
    ) -> None:
        self._words = [
            gold_words(policy, environment.generate(FIRST_SEED + number, difficulty))
            for number in range(num_goals)
        ]

    def skill(self, policy: TinyPolicy) -> float:
        """The share of goals whose gold kinds and words are the likeliest ones.

        An agent that is alone has to answer them and to note them.
        """
        sampler = Sampler(policy.model)
        words = [word for words in self._words for word in words]
        rows = sampler.logprobs([prefix for prefix, _, _ in words])
        is_right = iter(
            [
                max(allowed, key=row.__getitem__) == word
                for (_, allowed, word), row in zip(words, rows, strict=True)
            ]
        )
        right = [sum(next(is_right) for _ in words) == len(words) for words in self._words]
        return sum(right) / len(right)


def gold_words(policy: TinyPolicy, goal: Goal) -> list[GoldWord]:
    """Every word of the gold moves, and their kinds where the goal cannot be divided.

    For an agent that is alone the answer stands there as a note too, so that it sees as many
    answers as any other agent does.
    """
    words = []
    for move in goal.solve():
        prompt = policy.vocabulary.prompt(goal.observe(policy.num_view_tokens))
        words += _kind_of(goal, move, prompt, is_noted=False)
        words += _words_of(policy, goal, move, prompt, is_noted=False)
        if policy.is_alone:
            words += _kind_of(goal, move, prompt, is_noted=True)
        if policy.is_alone and move.kind == "answer":
            words += _words_of(policy, goal, move, prompt, is_noted=True)
        if move.kind == "use":
            goal.use(move.words)
    return words


def _kind_of(goal: Goal, move: Move, prompt: Ids, *, is_noted: bool) -> list[GoldWord]:
    """None where the goal can be divided, and where one kind alone is possible."""
    kinds = goal.kinds()
    if "delegate" in kinds or len(kinds) == 1:
        return []
    named = {kind: "note" if is_noted and kind == "answer" else kind for kind in kinds}
    return [(prompt, tuple(kind_id(named[kind]) for kind in kinds), kind_id(named[move.kind]))]


def _words_of(
    policy: TinyPolicy, goal: Goal, move: Move, prompt: Ids, *, is_noted: bool
) -> list[GoldWord]:
    kind = "note" if is_noted and move.kind == "answer" else move.kind
    ids = policy.vocabulary.ids(move.words)
    return [
        (
            (*prompt, kind_id(kind), *ids[:place]),
            policy.vocabulary.ids(goal.choices(move.kind, move.words[:place])),
            token,
        )
        for place, token in enumerate(ids)
    ]
