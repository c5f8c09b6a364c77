"""`banyan up --swap`: a vLLM server whose weights can be changed, and refusals of all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from banyan.local import engine_choice
from banyan.local.errors import Missing
from banyan.local.options import Options
from tests.engine.conftest import quiet

DEV, LORA = "VLLM_SERVER_DEV_MODE", "VLLM_ALLOW_RUNTIME_LORA_UPDATING"


def started(model: Path, **changes: object) -> engine_choice.EnginePlan:
    options = Options(engine="vllm", model=str(model), **changes)  # type: ignore[arg-type]
    return engine_choice.choose(options, quiet, install=True)


def test_nothing_can_be_changed_unless_it_is_asked_for(tmp_path: Path) -> None:
    plan = started(tmp_path)
    assert plan.argv is not None
    assert "--enable-lora" not in plan.argv
    assert {DEV, LORA}.isdisjoint(plan.env)


def test_full_weights_can_be_reloaded(tmp_path: Path) -> None:
    plan = started(tmp_path, swap="full", vllm_options=("--dtype", "float32"))
    assert plan.argv is not None
    assert plan.env[DEV] == "1"
    assert LORA not in plan.env
    assert plan.argv[-2:] == ("--dtype", "float32")


def test_adapters_can_be_loaded_several_at_a_time(tmp_path: Path) -> None:
    plan = started(tmp_path, swap="adapters")
    assert plan.argv is not None
    assert plan.env[LORA] == "1"
    assert DEV not in plan.env
    assert "--enable-lora" in plan.argv
    assert plan.argv[plan.argv.index("--max-loras") + 1] == "4"


@pytest.mark.parametrize(
    "options",
    [
        Options(engine="llama", swap="full"),
        Options(engine="vllm", engine_url="http://127.0.0.1:9", swap="adapters"),
    ],
    ids=["llama", "running"],
)
def test_other_servers_are_refused_with_what_to_do(options: Options) -> None:
    with pytest.raises(Missing, match="--swap") as caught:
        engine_choice.choose(options, quiet)
    assert "--engine vllm" in caught.value.hint
