"""Which replica should have which weights: everybody's claim, and no change without need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from banyan.stations import plan

VERSIONS = st.sampled_from([None, "v1", "v2", "v3"])


def test_one_replica_has_the_main_version() -> None:
    assert plan({"a": "v1"}, main="v2", others=["v1"]) == {"a": "v2"}


def test_versions_keep_the_replicas_that_they_have() -> None:
    current = {"a": "v2", "b": "v1", "c": "v2"}
    assert plan(current, main="v2", others=["v1"]) == current
    assert plan({"a": None, "b": "v1"}, main="v1", others=[None]) == {"a": None, "b": "v1"}


def test_those_with_the_lesser_claim_go_first() -> None:
    planned = plan({"a": None, "b": None}, main="v1", others=["v2", None])
    assert sorted(planned.values(), key=str) == ["v1", "v2"]


@given(
    current=st.dictionaries(st.sampled_from("abcd"), VERSIONS, min_size=1),
    main=VERSIONS,
    others=st.lists(VERSIONS),
)
def test_every_plan_serves_main_and_as_many_others_as_it_can(
    current: dict[str, str | None], main: str | None, others: list[str | None]
) -> None:
    planned = plan(current, main=main, others=others)

    assert planned.keys() == current.keys()
    assert main in planned.values()
    wanted = list(dict.fromkeys(version for version in others if version != main))
    served = wanted[: len(current) - 1]
    assert {*planned.values()} == {main, *served}
    assert plan(planned, main=main, others=others) == planned
