"""Algebra: nested expressions modulo 10; the difficulty is the depth of the expression.

Every operation has one operand that is as deep as it can be and one that is not deeper, at random.
An expression divides into its compound operands, whose answers are put in their places. What does
not fit the window is folded from below: the operations at the top are seen first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from banyan.action import Kind
from training.environments.environment import FAILED, HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty

OPERATORS = ("+", "-", "*")
DIGITS = tuple("0123456789")
MAX_DEPTH = 10
_NUM_SHORTEST = 5
"""Words of an operation whose operands are both folded."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`left` and `right` are digits, `FAILED`, or operations."""

    left: Expression
    operator: str
    right: Expression


Expression = Operation | str


def depth(expression: Expression) -> int:
    """Levels of operations; 0 for a digit."""
    if isinstance(expression, str):
        return 0
    return 1 + max(depth(expression.left), depth(expression.right))


def value(expression: Expression) -> int:
    """Modulo 10. Raises ValueError where a part has no answer."""
    if isinstance(expression, str):
        return int(expression)
    left, right = value(expression.left), value(expression.right)
    results = {"+": left + right, "-": left - right, "*": left * right}
    return results[expression.operator] % 10


def num_operations(expression: Expression) -> int:
    if isinstance(expression, str):
        return 0
    return 1 + num_operations(expression.left) + num_operations(expression.right)


def shown(expression: Expression, num_levels: int) -> Words:
    """The expression in words, folded below `num_levels` operations."""
    if isinstance(expression, str):
        return (expression,)
    if num_levels == 0:
        return (HIDDEN,)
    left = shown(expression.left, num_levels - 1)
    right = shown(expression.right, num_levels - 1)
    return ("(", *left, expression.operator, *right, ")")


class AlgebraGoal:
    """The value of an expression. `expression` has the answers of its parts put in."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self._value = value(expression)

    def observe(self, num_tokens: int) -> Words:
        if num_tokens < _NUM_SHORTEST:
            raise WindowTooSmall(f"an expression needs {_NUM_SHORTEST} tokens, not {num_tokens}")
        num_levels = 1
        words = shown(self.expression, num_levels)
        while HIDDEN in words:
            num_levels += 1
            longer = shown(self.expression, num_levels)
            if len(longer) > num_tokens:
                break
            words = longer
        return words

    def kinds(self) -> tuple[Kind, ...]:
        return ("answer", "delegate") if self._compound() else ("answer",)

    def choices(self, kind: Kind, written: Words) -> Words:
        return DIGITS if kind == "answer" and not written else ()

    def use(self, words: Words) -> None:
        raise NotImplementedError("an expression has no actions")

    def parts(self, words: Words) -> Sequence[AlgebraGoal]:  # noqa: ARG002 - one way to divide
        return [AlgebraGoal(operand) for operand in self._compound()]

    def merge(self, answers: Sequence[Words | None]) -> None:
        assert isinstance(self.expression, Operation)  # noqa: S101 - a digit has no parts
        put_in = iter([answer[0] if answer else FAILED for answer in answers])
        expression = self.expression
        if isinstance(expression.left, Operation):
            expression = replace(expression, left=next(put_in))
        if isinstance(expression.right, Operation):
            expression = replace(expression, right=next(put_in))
        self.expression = expression

    def verify(self, answer: Words) -> float:
        return float(answer == (str(self._value),))

    def solve(self) -> tuple[Move, ...]:
        return (Move("answer", (str(self._value),)),)

    def _compound(self) -> list[Operation]:
        if isinstance(self.expression, str):
            return []
        operands = (self.expression.left, self.expression.right)
        return [operand for operand in operands if isinstance(operand, Operation)]


class Algebra:
    name = "algebra"
    words = ("(", ")", *OPERATORS, *DIGITS, HIDDEN, FAILED)
    num_view_tokens = 16
    shares_state = False

    def generate(self, seed: int, difficulty: int) -> AlgebraGoal:
        check_difficulty(self.name, difficulty, 1, MAX_DEPTH)
        return AlgebraGoal(_made(rng(self.name, seed, difficulty), difficulty))

    def max_steps(self, difficulty: int) -> int:
        """Twice what it takes to have every operation of the fullest expression worked on alone."""
        return 4 << difficulty


def _made(random: Random, levels: int) -> Expression:
    if levels == 0:
        return random.choice(DIGITS)
    operands = [_made(random, levels - 1), _made(random, random.randrange(levels))]
    random.shuffle(operands)
    return Operation(operands[0], random.choice(OPERATORS), operands[1])
