"""How `bench.pace` measures a server: what it reads and writes is what was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import pace
from tests.fixtures.fake_engine import fake_engine


def test_a_server_reads_whole_prompts_and_writes_all_that_it_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "pace.json"
    with fake_engine("--rule", "longest") as url:
        assert pace.main(["--engine", url, "--calls", "4", "--width", "2", "--out", str(out)]) == 0
    [found] = json.loads(out.read_text())
    assert found["read_tokens"] == pytest.approx(4 * pace.PROMPT_TOKENS, rel=0.1)
    assert found["written_tokens"] == 4 * pace.NUM_WRITTEN
    assert min(found["read_per_s"], found["written_per_s"]) > 0
