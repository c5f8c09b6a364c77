"""How many calls the all-in-one makes at one time where nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from banyan.local.engine_choice import choose
from banyan.local.options import LLAMA_SLOTS, SERVER_SLOTS, Options
from banyan.settings import EngineKind
from tests.engine.conftest import quiet


@pytest.mark.parametrize(
    ("engine", "slots", "num_slots"),
    [
        ("llama", None, LLAMA_SLOTS),
        ("vllm", None, SERVER_SLOTS),
        ("openai", None, SERVER_SLOTS),
        ("llama", 3, 3),
        ("vllm", 3, 3),
    ],
)
def test_a_server_that_batches_gets_more_calls(
    engine: EngineKind, slots: int | None, num_slots: int
) -> None:
    assert Options(engine=engine, slots=slots).num_slots == num_slots


def test_workers_share_the_slots() -> None:
    assert Options(engine="vllm", num_workers=4).slots_per_worker == SERVER_SLOTS // 4
    assert Options(slots=9, num_workers=2).slots_per_worker == 5


def test_an_embedded_engine_computes_no_more_than_it_has_memory_for() -> None:
    assert Options(slots=100).engine_slots == LLAMA_SLOTS


def test_vllm_runs_as_many_as_workers_send(tmp_path: Path) -> None:
    plan = choose(Options(engine="vllm", model=str(tmp_path)), quiet, install=True)
    assert plan.argv is not None
    at = plan.argv.index("--max-num-seqs")
    assert plan.argv[at + 1] == str(SERVER_SLOTS)
