"""What workers are told of the model that Banyan brings along, and who has the last word."""

from __future__ import annotations

from pathlib import Path

import yaml

from banyan.local.engine_choice import (
    SMALL_MODEL,
    EnginePlan,
    choose,
    trait_settings,
    usual_environment,
)
from banyan.local.options import Options
from banyan.policy import BASE
from tests.engine.conftest import quiet

ROOT = Path(__file__).parents[2]


def small() -> EnginePlan:
    return choose(Options(), quiet)


def other(tmp_path: Path, *, small_model: bool = False) -> EnginePlan:
    options = Options(engine="vllm", model=str(tmp_path), small_model=small_model)
    return choose(options, quiet, install=True)


def test_the_small_model_is_spared_what_it_cannot_do() -> None:
    settings = trait_settings(small())
    assert (settings.merges, settings.word_limits) == (False, False)
    assert not settings.structured_children
    assert settings.frequency_penalty == float(SMALL_MODEL["BANYAN_FREQUENCY_PENALTY"])


def test_what_the_user_has_set_wins() -> None:
    assert "BANYAN_MERGES" not in usual_environment(small(), {"BANYAN_MERGES": "true"})


def test_other_models_are_spared_nothing(tmp_path: Path) -> None:
    assert usual_environment(other(tmp_path)) == {}
    assert trait_settings(other(tmp_path)).merges
    assert trait_settings(other(tmp_path)).structured_children
    assert BASE.structured_children


def test_any_model_is_spared_the_same_where_it_is_said_to_be_small(tmp_path: Path) -> None:
    assert usual_environment(other(tmp_path, small_model=True), {}) == SMALL_MODEL


def test_compose_and_the_chart_spare_it_the_same() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    laptop = yaml.safe_load((ROOT / "helm/banyan/values/laptop.yaml").read_text(encoding="utf-8"))
    of_compose = compose["services"]["worker-cpu"]["environment"]
    of_chart = {
        f"BANYAN_{name.upper()}": str(value).lower()
        for name, value in laptop["workers"]["settings"].items()
    }

    for told in (of_compose, of_chart):
        assert {name: told.get(name) for name in SMALL_MODEL} == SMALL_MODEL


def test_a_server_that_runs_already_is_not_taken_to_be_small() -> None:
    url = "http://127.0.0.1:9"
    assert not Options(engine_url=url).is_small
    assert Options(engine_url=url, small_model=True).is_small
