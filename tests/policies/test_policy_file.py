"""The file of policies: what it says is served, and what is wrong with it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from banyan.adapters.policy_file import Listed, listed
from banyan.errors import InvalidInput, UnknownPolicy
from banyan.policy import BASE
from banyan.prices import Prices
from banyan.settings import Settings
from tests.docs.blocks import ROOT

ENGINE = {"kind": "openai", "urls": ["http://127.0.0.1:9/"]}


def read(tmp_path: Path, value: object, **settings: Any) -> Listed:
    path = tmp_path / "policies.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return listed(Settings(policies=path, **settings), {"briefs": False})


def one(**entry: Any) -> dict[str, Any]:
    return {"live": "large", "policies": {"large": {"engine": ENGINE, **entry}}}


def test_without_a_file_there_is_base_on_the_engine_of_the_settings() -> None:
    found = listed(Settings(engine_urls="http://a,http://b"), {"cites": False})
    assert found.policies.names == ("base",)
    assert found.policies.resolve("live") == BASE.model_copy(update={"cites": False})
    assert found.engines["base"].urls == ("http://a", "http://b")


def test_the_example_is_valid() -> None:
    settings = Settings(policies=ROOT / "examples" / "policies.toml")
    found = listed(settings, environ={"SMALL_MODEL_KEY": "secret"})
    assert found.policies.names == ("large", "small", "embedded")
    large, small = (found.policies.resolve(name) for name in ("live", "small"))
    assert large.prices == Prices(prompt=600, cached=60, completion=2_400)
    assert small.prices == Prices(prompt=50, cached=50, completion=200)
    assert (large.briefs, small.briefs, small.frequency_penalty) == (True, False, 0.4)
    assert found.engines["small"].api_key == "secret"
    assert "secret" not in repr(found)
    assert len(found.engines["large"].urls) == 2


def test_a_policy_without_an_engine_is_on_that_of_the_settings_with_their_traits(
    tmp_path: Path,
) -> None:
    file = {"live": "here", "policies": {"here": {}, "there": {"engine": ENGINE}}}
    found = read(tmp_path, file, engine_urls="http://127.0.0.1:8")
    assert found.engines["here"].urls == ("http://127.0.0.1:8",)
    assert found.engines["there"].urls == ("http://127.0.0.1:9",)
    assert not found.policies.resolve("here").briefs
    assert found.policies.resolve("there").briefs


def test_a_price_is_exact_to_a_nano_dollar_a_token(tmp_path: Path) -> None:
    found = read(tmp_path, one(prices={"prompt": 0.001, "cached": 0, "completion": 0.075}))
    assert found.policies.resolve("large").prices == Prices(prompt=1, cached=0, completion=75)


def test_a_name_that_is_not_served_is_told_what_is(tmp_path: Path) -> None:
    with pytest.raises(UnknownPolicy) as caught:
        read(tmp_path, one()).policies.resolve("v7")
    assert "live, large" in caught.value.hint


WRONG: dict[str, tuple[object, str]] = {
    "no JSON": ("{", "is no JSON"),
    "nothing in it": ({}, "live: Field required"),
    "no policies": ({"live": "a", "policies": {}}, "policies: Dictionary should have at least 1"),
    "live is not there": ({**one(), "live": "x"}, "live: x is none of large"),
    "a policy named live": (
        {"live": "live", "policies": {"live": {}}},
        "policies: live is no name",
    ),
    "a strange name": ({"live": "A b", "policies": {"A b": {}}}, "policies.A b.[key]"),
    "an unknown field": (one(colour="red"), "policies.large.colour"),
    "an unknown trait": (one(traits={"mood": 1}), "policies.large.traits.mood"),
    "an unknown engine": (one(engine={**ENGINE, "kind": "x"}), "policies.large.engine.kind"),
    "no URL": (one(engine={"kind": "vllm", "urls": ["host:1"]}), "policies.large.engine.urls"),
    "half a price": (one(prices={"prompt": 1}), "policies.large.prices.completion"),
    "too fine a price": (
        one(prices={"prompt": 0.0001, "completion": 0}),
        "policies.large.prices.prompt",
    ),
    "a key that is not set": (
        one(engine={**ENGINE, "api_key_env": "BANYAN_NOT_SET"}),
        "the variable BANYAN_NOT_SET is not set",
    ),
    "an adapter on a server without them": (one(adapter="a"), "only engines of the kind vllm"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(tmp_path: Path, case: str) -> None:
    value, says = WRONG[case]
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, value)
    assert "BANYAN_POLICIES" in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.hint


def test_traits_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="policy large: cites needs json_answers"):
        read(tmp_path, one(traits={"json_answers": False}))
    with pytest.raises(InvalidInput, match="policy base: cites needs json_answers"):
        listed(Settings(), {"json_answers": False})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nothing\.toml cannot be read"):
        listed(Settings(policies=tmp_path / "nothing.toml"))
