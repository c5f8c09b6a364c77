"""Requests: what an agent is asked to do in a turn, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from banyan import aggregates
from banyan.action import LETTERS, Kind
from banyan.documents import quote
from banyan.selection import Named

NO_POLICIES: Mapping[str, str] = {}

_TO_DO: dict[Kind, str] = {
    "answer": "Answer the goal in full sentences from the passages",
    "delegate": "Each part of the material goes to a reader of its own. "
    "Write what a reader should know, and what to find out in one part",
    "read": "Read on in a document",
    "search": "Search the documents for words",
    "note": "Write a note for yourself",
    "use": "Use a tool",
}

_TO_ANSWER_BRIEFLY = "Answer the goal from the passages, in a few words"

_TO_MERGE_BRIEFLY = (
    "Combine the results into one answer to the goal, in a few words; "
    "where results contradict each other, give both"
)

_TO_MERGE = (
    "Combine the results into one answer to the goal, in their order. Keep names, facts and "
    "numbers, and who said what; where results contradict each other, give both"
)

_FROM_COUNTS = (
    "Answer the goal from the counts. "
    "Where it says in which form, give the answer in exactly that form"
)

_CHOICES: dict[Kind, str] = {
    "answer": "Answer the goal now",
    "delegate": "Cut the material into parts and let a copy of yourself work on each part",
    "read": "Read on in a document",
    "search": "Search the documents for words",
    "note": "Write a note for yourself",
    "use": "Use a tool",
}

EXAMPLE_GOAL = "what to find out"
"""Stands in the example in the place of the parts' goal."""

_EXAMPLES: dict[Kind, str] = {
    "delegate": f'{{"brief": what to know, "split": {{"goal": {EXAMPLE_GOAL}, "expects": null}}}}',
    "read": '{"document": 1}',
    "search": '{"query": the words}',
    "note": '{"text": the note}',
    "use": '{"tool": "...", "arguments": {}}',
}


_STRUCTURED = (
    f'{{"brief": what to know, "split": {{"goal": {EXAMPLE_GOAL}, '
    '"expects": null or a JSON Schema, '
    f'where each property may have "{aggregates.MERGE}": one of {", ".join(aggregates.RULES)}, '
    "by which the parts' results become one, "
    '"labels": where records are to be counted or compared all labels that the material says a '
    "record can have, even if the goal asks for one, else [], "
    '"only": which of these records count, or null for all}}'
)


def request(
    kinds: Sequence[Kind],
    *,
    letters: bool,
    cites: bool,
    plain: bool = False,
    merges: bool = False,
    counted: bool = False,
    briefly: bool = False,
    words: int | None = None,
    expects: Mapping[str, JsonValue] | None = None,
    labels: Sequence[str] = (),
    structured: bool = False,
    named: Sequence[Named] = (),
    tools: Sequence[str] = (),
    policies: Mapping[str, str] = NO_POLICIES,
) -> str:
    """What the agent is to do now.

    `letters`: it only has to name the letter of a kind. `plain`: its reply is the answer itself.
    `merges`: it answers from results of parts. `counted`: from those that were merged already, of
    which it says what is asked for. `briefly`: in a few words. `words`: how many
    its answer may have. `named`: by what it may select records, and count them.
    `policies`, with a few words about each, are offered for children.
    """
    bound = f", in at most {words} words" if words and not counted else ""
    examples = {
        kind: _example(
            kind,
            cites=cites,
            expects=expects,
            labels=labels,
            structured=structured,
            named=named,
            tools=tools,
        )
        for kind in kinds
    }
    answer = _to_answer(merges=merges, counted=counted, briefly=briefly) + bound
    to_do = {kind: _to_do(kind, answer=answer, cites=cites, labels=labels) for kind in kinds}
    if policies and "delegate" in kinds:
        examples["delegate"] = _with_policy(examples["delegate"], policies)
        to_do["delegate"] += f". Readers: {_readers(policies)}"
    if plain:
        return f"{to_do[kinds[0]]}."
    if len(kinds) == 1:
        return f"{to_do[kinds[0]]}. Reply with JSON: {examples[kinds[0]]}"
    if letters:
        lines = [f"{LETTERS[kind]}: {_CHOICES[kind]}" for kind in kinds]
        return "\n".join(["Choose what to do next. Reply with its letter alone.", *lines])
    lines = [f'- {to_do[kind]}, as {{"kind": "{kind}", {examples[kind][1:]}' for kind in kinds]
    return "\n".join(["Choose one. Reply with its JSON.", *lines])


def _to_answer(*, merges: bool, counted: bool, briefly: bool) -> str:
    if counted:
        return _FROM_COUNTS
    if briefly:
        return _TO_MERGE_BRIEFLY if merges else _TO_ANSWER_BRIEFLY
    return _TO_MERGE if merges else _TO_DO["answer"]


def _with_policy(example: str, policies: Mapping[str, str]) -> str:
    return example.replace('"expects"', f'"policy": one of {json.dumps([*policies])}, "expects"')


def _readers(policies: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({about})" if about else name for name, about in policies.items())


def _to_do(kind: Kind, *, answer: str, cites: bool, labels: Sequence[str]) -> str:
    if labels and kind == "answer":
        return "Every numbered line is a record. Read each line by itself, and give it its label"
    if kind != "answer":
        return _TO_DO[kind]
    return answer + (", and cite their numbers" if cites else "")


def _example(
    kind: Kind,
    *,
    cites: bool,
    expects: Mapping[str, JsonValue] | None,
    labels: Sequence[str],
    structured: bool,
    named: Sequence[Named],
    tools: Sequence[str],
) -> str:
    if kind == "use":
        return f'{{"tool": one of {json.dumps(list(tools))}, "arguments": {{}}}}'
    if kind == "delegate" and structured:
        return _STRUCTURED.replace('"expects"', f'{_by_fields(named)}"expects"')
    if kind != "answer":
        return _EXAMPLES[kind]
    if labels:
        return '{"answer": {"1": the label of record 1, and so on for each record}}'
    answer = "the answer" if expects is None else f"JSON that matches {json.dumps(expects)}"
    citations = ', "citations": [the numbers]' if cites else ""
    return f'{{"answer": {answer}{citations}}}'


def _by_fields(named: Sequence[Named]) -> str:
    """What may be written of the fields that the goal names, whose names are a document's."""
    counted = " or ".join(json.dumps(one.field, ensure_ascii=False) for one in named if one.counts)
    values = {one.field: one.values for one in named if one.values}
    told = ""
    if counted:
        told += (
            f'"count_by": {counted} if the goal asks which of its values is the most or least '
            "common or how many there are, else null, "
        )
    if values:
        told += (
            f'"where": {json.dumps(values, ensure_ascii=False)} '
            "where only the records with these values count, or {} where all do, "
        )
    return quote(told)
