"""Bits per byte with each form of state, on a model whose probabilities are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from banyan.evaluation.data import PART
from banyan.evaluation.errors import Unknown
from banyan.evaluation.language.frame import BEGINNING, Measured
from banyan.evaluation.language.states import LABEL
from banyan.evaluation.language.systems import check, frame_mark, language_systems, notes
from banyan.evaluation.language.vectors import VectorScorer
from banyan.evaluation.plan import BOOKS, Plan
from banyan.evaluation.question import Answered, Question, System
from banyan.evaluation.records import Journal, Record
from banyan.evaluation.run import run_set
from banyan.evaluation.sets import books_lm, load_set
from banyan.evaluation.systems import Cast, InputTokens
from banyan.local.errors import Missing
from banyan.transfer import MAX_PREFIX_SHARE, NUM_VECTORS
from tests.evaluation.makers import answered, write_lines

WINDOW = 1_000
ENGINE = "http://127.0.0.1:9"
PLAN = Plan(sets=(BOOKS,), engine_kind="vllm", window=WINDOW, engine_url=ENGINE)
"""On a model server that runs, without a packer: with nothing that scores vectors."""
TEXT = "".join(f"Line {number} of a tale that goes on and on.\n" for number in range(100))
TARGET = "And so it ends, well."


class ByteModel:
    """Tokens are bytes. A byte that stands among the last `memory` ones has one bit, else eight."""

    def __init__(self, memory: int = 0) -> None:
        self.scored: list[str] = []
        self._memory = memory

    async def tokenize(self, text: str, *, begins: bool = False) -> list[int]:
        del begins
        return list(text.encode())

    async def score(self, token_ids: Sequence[int]) -> list[float]:
        self.scored.append(bytes(token_ids).decode(errors="replace"))
        return [
            math.log(0.5 if known in token_ids[max(0, index - self._memory) : index] else 1 / 256)
            for index, known in enumerate(token_ids[1:], 1)
        ]


class Vectors:
    """A packer whose vectors say how many tokens they are of; behind them all is certain."""

    def __init__(self) -> None:
        self.packed: list[tuple[int, ...]] = []
        self.behind: list[tuple[int, ...]] = []

    async def pack(self, token_ids: Sequence[int], num_vectors: int) -> bytes:
        self.packed.append(tuple(token_ids))
        return f"{len(token_ids)} in {num_vectors}".encode()

    async def score(
        self, before: Sequence[int], vectors: bytes, behind: Sequence[int], num_scored: int
    ) -> list[float]:
        assert list(before) == list(BEGINNING.encode())
        assert vectors == f"{len(self.packed[-1])} in {NUM_VECTORS}".encode()
        self.behind.append(tuple(behind))
        return [0.0] * num_scored


class Summariser:
    """A service that answers the same to every question."""

    name = "banyan"

    def __init__(self, answer: Answered) -> None:
        self.settings: Mapping[str, JsonValue] = {"prompts": 7}
        self.asked: list[Question] = []
        self._answer = answer

    async def answer(self, question: Question) -> Answered:
        self.asked.append(question)
        return self._answer

    async def close(self) -> None:
        """Nothing is held."""


SHORT = answered(
    " A tale of lines. ", prompt_tokens=500, completion_tokens=20, llm_calls=4, depth=1
)


def asked(text: str = TEXT, target: str = TARGET) -> Question:
    return Question(id="p@4k", bucket="4k", goal="Sum up.", documents=(text,), continuation=target)


async def measured(
    model: ByteModel,
    question: Question,
    service: System | None = None,
    plan: Plan = PLAN,
    vectors: VectorScorer | None = None,
) -> dict[str, Answered]:
    systems = language_systems(plan, model, service, vectors)
    return {system.name: await system.answer(question) for system in systems}


def bits_per_byte(one: Answered) -> float:
    found = Measured.model_validate(one.answer)
    return found.bits / found.num_bytes


async def test_a_model_that_knows_nothing_needs_eight_bits_for_a_byte() -> None:
    text = "Ä sentence of Zoë, with 漢字. " * 100
    done = await measured(ByteModel(), asked(text, "Zoë: 漢"), Summariser(SHORT))
    assert list(done) == ["nothing", "truncation", "head_tail", "summary", "prefix"]
    for one in done.values():
        assert bits_per_byte(one) == pytest.approx(8.0)
        assert Measured.model_validate(one.answer).num_bytes == len("Zoë: 漢".encode())


async def test_what_the_context_holds_makes_the_text_more_likely() -> None:
    target = "jklmnopqrstuvwxyz"
    done = await measured(ByteModel(memory=100), asked(f"{'-' * 2_000}{target}", target))
    assert bits_per_byte(done["truncation"]) == pytest.approx(1.0)
    assert bits_per_byte(done["nothing"]) == pytest.approx(8.0)


async def test_every_form_but_nothing_fills_the_window_and_ends_with_the_target() -> None:
    model = ByteModel()
    await measured(model, asked(), Summariser(SHORT))
    nothing, truncation, head_tail, summary, prefix = model.scored
    assert nothing == f"\n{TARGET}"
    for scored in (truncation, head_tail, summary, prefix):
        assert len(scored) == WINDOW - 1
        assert scored.endswith(f"{TEXT[-100:]}{TARGET}")
    assert truncation.removeprefix("\n").removesuffix(TARGET) in TEXT
    head, gap, tail = head_tail.removeprefix("\n").removesuffix(TARGET).partition("\n[...]\n")
    assert gap
    assert TEXT.startswith(head)
    assert abs(len(head) - len(tail)) <= 1
    assert summary.startswith(f"\n{LABEL.format(summary='A tale of lines.')}")


async def test_a_prefix_is_the_beginning_as_far_as_the_service_hands_one_on() -> None:
    model = ByteModel()
    plan = replace(PLAN, state="prefix")
    done = await measured(model, asked(), Summariser(SHORT), plan)
    kept, gap, _ = model.scored[-1].partition("\n[...]\n")
    assert gap
    assert kept == f"\n{TEXT}"[: int(MAX_PREFIX_SHARE * WINDOW)]
    assert (done["prefix"].llm_calls, done["prefix"].status) == (0, "completed")


async def test_vectors_stand_for_all_that_the_last_tokens_leave_out() -> None:
    vectors, plan = Vectors(), replace(PLAN, state="hidden")
    done = (await measured(ByteModel(), asked(), Summariser(SHORT), plan, vectors))["hidden"]
    found = Measured.model_validate(done.answer)
    [packed], [behind] = vectors.packed, vectors.behind
    assert bytes((*packed, *behind)).decode() == TEXT + TARGET
    assert len(BEGINNING) + NUM_VECTORS + len(behind) == WINDOW - 1
    assert (found.state_tokens, found.last_tokens) == (NUM_VECTORS, len(behind) - len(TARGET))
    assert (found.bits, found.num_bytes) == (0.0, len(TARGET))


async def test_vectors_without_a_packer_are_a_failure_that_says_so() -> None:
    plan = replace(PLAN, state="hidden")
    done = (await measured(ByteModel(), asked(), Summariser(SHORT), plan))["hidden"]
    assert (done.status, done.answer) == ("failed", None)
    assert "packer" in (done.error or "")


async def test_the_summary_is_the_services_and_never_of_the_text_that_is_scored() -> None:
    service = Summariser(SHORT)
    done = (await measured(ByteModel(), asked(), service))["summary"]
    (question,) = service.asked
    assert question.documents == (TEXT,)
    assert TARGET not in repr(question)
    assert (done.prompt_tokens, done.completion_tokens, done.llm_calls) == (500, 20, 4)
    assert Measured.model_validate(done.answer).state == "A tale of lines."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(None, status="failed", error="engine_unavailable: gone", llm_calls=4), "gone"),
        (answered("  ", llm_calls=4), "empty"),
        (answered("so " * 600, llm_calls=4), "exceeds"),  # a summary is never cut
    ],
)
async def test_without_a_summary_that_fits_there_is_no_score(answer: Answered, words: str) -> None:
    done = (await measured(ByteModel(), asked(), Summariser(answer)))["summary"]
    assert (done.status, done.answer) == ("failed", None)
    assert done.llm_calls == 4  # it was paid for all the same
    assert words in (done.error or "")


async def test_a_text_that_fits_the_window_is_refused() -> None:
    done = await measured(ByteModel(), asked("A short tale."))
    assert {one.status for one in done.values()} == {"failed"}
    assert "fit the window" in (done["truncation"].error or "")


async def test_only_baselines_are_run_without_the_service_and_the_table_says_so() -> None:
    plan = Plan(sets=(BOOKS,), engine_kind="vllm", window=WINDOW, with_service=False)
    assert list(await measured(ByteModel(), asked(), None, plan)) == [
        "nothing",
        "truncation",
        "head_tail",
    ]
    (note,) = notes(plan)
    assert "were run: none; not run: summary (left out by the options)" in note
    assert "hidden (left out by the options)" in note


def test_the_table_says_which_forms_it_has_and_which_not() -> None:
    for plan in (replace(PLAN, engine_url=None), replace(PLAN, packer_url=ENGINE)):
        (note,) = notes(plan)
        assert note.endswith("were run: summary, prefix, hidden")
    (note,) = notes(PLAN)
    assert "were run: summary, prefix; not run: hidden (there is no --packer)" in note
    (note,) = notes(replace(PLAN, state="summary"))
    assert "not run: prefix (left out by the options), hidden (left out by the options)" in note
    assert len(notes(Plan(sets=(BOOKS, "maze"), baselines=("head",)))) == 2


def test_what_cannot_be_run_is_told_before_anything_starts() -> None:
    check(Plan(sets=("maze",), engine_kind="llama"))
    with pytest.raises(Missing, match="llama") as caught:
        check(Plan(sets=("maze", BOOKS), engine_kind="llama"))
    assert "--engine-kind vllm" in caught.value.hint
    with pytest.raises(Missing, match="packer"):
        check(replace(PLAN, state="hidden"))
    check(replace(PLAN, state="hidden", packer_url=ENGINE))
    with pytest.raises(Unknown, match="no baseline"):
        check(Plan(sets=(BOOKS,), engine_kind="vllm", baselines=("head",)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    text = "".join(f"Sentence number {number} of the book.\n" for number in range(1_500))
    passages = tmp_path / BOOKS / PART / "passages.jsonl"
    long = {"id": "long", "tokens_cl100k": 12_000, "text": text}
    write_lines(passages, long, {**long, "id": "short", "tokens_cl100k": 5_000})
    return tmp_path


def test_a_passage_is_cut_at_several_places_between_lines(data: Path) -> None:
    items = load_set(BOOKS, data)
    assert [one.question.id for one in items] == ["long@4k", "long@8k", "long@11k", "short@4k"]
    for one in items:
        (before,) = one.question.documents
        assert before.endswith(".\n")
        assert one.question.continuation.startswith("Sentence number")
        assert one.question.continuation not in before
    tokens_per_char = 12_000 / len("".join(items[2].question.documents)) * 11 / 12
    assert len(items[2].question.continuation) * tokens_per_char == pytest.approx(512, rel=0.3)


def test_bits_per_byte_is_the_score() -> None:
    found = Measured(bits=300.0, num_bytes=200, state="so", state_tokens=2, last_tokens=9)
    score = books_lm.grade(answered(found.model_dump()))
    assert (score.value, score.parts) == (1.5, {"state_tokens": 2, "last_tokens": 9})


async def test_forms_are_run_kept_and_resumed_like_any_system(tmp_path: Path, data: Path) -> None:
    service = Summariser(SHORT)

    async def run() -> list[Record]:
        with Journal(tmp_path / "out" / "books_lm.jsonl") as journal:
            return await run_set(
                BOOKS,
                load_set(BOOKS, data)[:1],
                plan=PLAN,
                cast=Cast(
                    (service,),
                    "bytes",
                    InputTokens(None),
                    language_systems(
                        Plan(sets=(BOOKS,), window=4_096, state="summary"), ByteModel(), service
                    ),
                ),
                journal=journal,
                on_record=lambda _: None,
            )

    first = await run()
    assert [one.system for one in first] == ["nothing", "truncation", "head_tail", "summary"]
    assert [one.score for one in first] == pytest.approx([8.0] * 4)
    assert first[-1].settings == {
        "model": "bytes",
        "window": WINDOW,
        "frame": frame_mark(),
        "prompts": 7,
    }
    assert await run() == first
    assert len(service.asked) == 1
