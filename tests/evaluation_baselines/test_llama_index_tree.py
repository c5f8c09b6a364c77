"""The peer's own package is in no extra: where it is missing, only that is tested."""

from __future__ import annotations

import pytest

from banyan.errors import AbilityMissing
from banyan.evaluation.baselines import PEERS, make_baseline
from banyan.evaluation.baselines.llama_index_tree import is_installed
from banyan.testing import ANSWER, ScriptedEngine
from tests.evaluation_baselines.texts import ask, assert_within_window, facts

WINDOW = 1_024


@pytest.mark.skipif(is_installed(), reason="llama-index-core is installed")
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_that_is_missing_says_what_to_install(name: str) -> None:
    with pytest.raises(AbilityMissing) as raised:
        make_baseline(name, engine=ScriptedEngine(), window=WINDOW)
    assert "pip install llama-index-core" in raised.value.hint


@pytest.mark.skipif(not is_installed(), reason="llama-index-core is not installed")
async def test_the_tree_covers_a_long_text_within_the_window() -> None:
    engine = ScriptedEngine()
    baseline = make_baseline("llama_index_tree", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask(facts(300)))
    assert answered.answer == ANSWER
    assert answered.llm_calls == len(engine.calls) > 3
    assert_within_window(engine, WINDOW)
    everything = "".join(call.prompt.messages[-1].content for call in engine.calls)
    assert all(f"Fact {number} " in everything for number in range(300))
