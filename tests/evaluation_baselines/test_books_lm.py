"""Bits per byte, on a model whose probabilities are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from banyan.errors import InvalidInput
from banyan.evaluation.books_lm import bits_per_byte
from banyan.ports import Message
from banyan.testing import ScriptedEngine
from tests.evaluation_baselines.texts import facts

WINDOW = 400


class ByteModel:
    """Tokens are bytes. A byte that stands among the last `memory` ones has `p_known`, else 1/256.

    With no memory every byte costs eight bits.
    """

    def __init__(self, memory: int = 0, p_known: float = 0.5) -> None:
        self.scored: list[bytes] = []
        self._memory = memory
        self._p_known = p_known

    async def tokenize(self, text: str, *, begins: bool = False) -> list[int]:
        del begins
        return list(text.encode())

    async def score(self, token_ids: Sequence[int]) -> list[float]:
        self.scored.append(bytes(token_ids))
        return [
            math.log(self._p_known if known in seen else 1 / 256)
            for index, known in enumerate(token_ids[1:], 1)
            for seen in [token_ids[max(0, index - self._memory) : index]]
        ]


def _summary(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
    del schema
    return f"summary over {messages[-1].content.count('Fact ')} facts"


async def test_a_model_that_knows_nothing_needs_eight_bits_for_a_byte() -> None:
    result = await bits_per_byte(
        facts(60),
        scorer=ByteModel(),
        engine=ScriptedEngine(),
        window=WINDOW,
        block_tokens=100,
        summary_tokens=60,
    )
    assert result.bits_per_byte == {
        "nothing": pytest.approx(8.0),
        "truncation": pytest.approx(8.0),
        "summary": pytest.approx(8.0),
    }


async def test_bytes_are_those_of_utf_8_whatever_the_text() -> None:
    text = "Ä sentence of Zoë, with 漢字. " * 100
    result = await bits_per_byte(
        text,
        scorer=ByteModel(),
        engine=ScriptedEngine(),
        window=WINDOW,
        forms=("nothing",),
        block_tokens=100,
    )
    assert result.bits_per_byte["nothing"] == pytest.approx(8.0)
    assert result.num_bytes < len(text.encode())


async def test_what_the_context_holds_makes_the_block_more_likely() -> None:
    result = await bits_per_byte(
        "abcdefghijklmnopqrstuvwxyz" * 100,
        scorer=ByteModel(memory=100),
        engine=ScriptedEngine(),
        window=WINDOW,
        forms=("nothing", "truncation"),
        block_tokens=52,
    )
    assert result.bits_per_byte["truncation"] == pytest.approx(1.0)
    assert 1.0 < result.bits_per_byte["nothing"] < 8.0


async def test_truncation_fills_the_window_with_the_tokens_right_before_the_block() -> None:
    scorer = ByteModel()
    text = facts(60)
    result = await bits_per_byte(
        text,
        scorer=scorer,
        engine=ScriptedEngine(),
        window=WINDOW,
        forms=("truncation",),
        block_tokens=100,
    )
    assert len(scorer.scored) == result.num_blocks > 5
    for scored in scorer.scored:
        assert len(scored) == WINDOW - 1
        assert scored[:1] == b"\n"
        assert scored[1:].decode() in text


async def test_a_summary_holds_all_blocks_that_the_last_tokens_do_not() -> None:
    scorer = ByteModel()
    engine = ScriptedEngine(rule=_summary)
    result = await bits_per_byte(
        facts(120, words=2),
        scorer=scorer,
        engine=engine,
        window=WINDOW,
        forms=("summary",),
        block_tokens=100,
        summary_tokens=60,
    )
    assert all(len(scored) <= WINDOW - 1 for scored in scorer.scored)
    assert b"\nWhat happened before: summary over" in scorer.scored[-1]
    assert result.summary_calls == len(engine.calls) < result.num_blocks + 5
    later = engine.calls[3].prompt.messages[-1].content
    assert "<answer_so_far>\nsummary over" in later
    assert result.summary_tokens > 0


async def test_all_forms_score_the_same_blocks() -> None:
    scorer = ByteModel()
    result = await bits_per_byte(
        facts(60),
        scorer=scorer,
        engine=ScriptedEngine(),
        window=WINDOW,
        block_tokens=100,
        summary_tokens=60,
    )
    nothing, truncation, summary = scorer.scored[0::3], scorer.scored[1::3], scorer.scored[2::3]
    for alone, filled, summarised in zip(nothing, truncation, summary, strict=True):
        assert filled.endswith(alone[1:])
        assert summarised.endswith(alone[1:])
    assert result.num_bytes == sum(len(alone) - 1 for alone in nothing)


async def test_a_passage_that_fits_the_window_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fits the window"):
        await bits_per_byte(
            facts(3), scorer=ByteModel(), engine=ScriptedEngine(), window=WINDOW, block_tokens=50
        )
