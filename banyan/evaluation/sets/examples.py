"""Three examples that come with Banyan: a contract, a module of Python, and code to write.

They show that everything works; they are no measure of quality. The score is the share of the
expected words that the answer has; code is parsed, never run.
"""

from __future__ import annotations

import ast
import heapq
import inspect
from functools import partial
from pathlib import Path

from banyan.evaluation.item import Item, object_of, text_of
from banyan.evaluation.question import Answered, Question, Score

_CONTRACT = """\
LEASE OF THE WORKSHOP AT 4 MILL LANE

1. Term. The lease begins on 1 March and runs for three years. Either party may end it earlier with
six months' notice in writing, to the end of a quarter.

2. Rent. The rent is 1,450 euros a month. It is due in advance, on the third working day of each
month. A payment that is more than ten days late bears interest of five per cent a year.

3. Deposit. The tenant pays a deposit of 4,350 euros before the keys are handed over. The landlord
returns it within thirty days of the end of the lease, less the cost of damage that is not wear.

4. Repairs. The landlord keeps roof, walls and heating in repair. The tenant bears small repairs up
to 150 euros each, and no more than 900 euros in a year.

5. Use. The tenant may run a joinery on the premises. Machines may be used between 7 and 19 o'clock
on working days. Storing solvents of more than 50 litres needs the landlord's consent in writing.

6. Subletting. Parts of the premises may be sublet with the landlord's consent, which may be refused
for good cause alone.
"""
_CODE_SCHEMA = {
    "type": "object",
    "properties": {"code": {"type": "string"}},
    "required": ["code"],
    "additionalProperties": False,
}


def load(data: Path) -> list[Item]:
    """Always the same three, wherever `data` is."""
    del data
    contract = Question(
        id="contract",
        bucket="contract",
        goal="How much is the deposit, and within how many days is it returned?",
        documents=(_CONTRACT,),
        answer_tokens=64,
    )
    codebase = Question(
        id="codebase",
        bucket="codebase",
        goal="Which function merges several sorted inputs into one sorted output, and which one "
        "turns a list into a heap in place?",
        documents=(inspect.getsource(heapq),),
        answer_tokens=64,
    )
    generation = Question(
        id="generation",
        bucket="generation",
        goal="Write a Python function is_palindrome(text) that returns whether the text reads the "
        "same in both directions.",
        answer_schema=_CODE_SCHEMA,
        answer_tokens=128,
    )
    return [
        Item(contract, partial(grade_words, words=("4,350", "thirty"))),
        Item(codebase, partial(grade_words, words=("merge", "heapify"))),
        Item(generation, partial(grade_function, name="is_palindrome")),
    ]


def grade_words(answered: Answered, words: tuple[str, ...]) -> Score:
    """The share of `words` that the answer has, in any case of letters."""
    text = text_of(answered).casefold()
    return Score(sum(word.casefold() in text for word in words) / len(words))


def grade_function(answered: Answered, name: str) -> Score:
    """1 where the code parses and defines a function of this name that returns something."""
    code = object_of(answered).get("code")
    try:
        tree = ast.parse(code) if isinstance(code, str) else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Score(0.0)
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == name and node.args.args
    ]
    return Score(
        float(any(isinstance(one, ast.Return) for node in found for one in ast.walk(node)))
    )
