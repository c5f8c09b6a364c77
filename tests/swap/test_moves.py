"""The registry's changes: what moves together, what may follow what, and what trees get."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from banyan import moves
from banyan.errors import Conflict, NotFound, WrongBaseModel
from banyan.manifest import BaseModelId
from banyan.policy import BASE, LIVE, Policy
from banyan.registry import EMPTY, Registry, pinned, resolve
from banyan.versions import FOLLOWING
from tests.swap.makers import OTHER_BASE, parsed


def listed(name: str) -> Policy:
    """What an operator lists: base alone."""
    if name not in {LIVE, BASE.version}:
        raise NotFound(f"no policy {name}")
    return BASE


def published(registry: Registry = EMPTY, **changes: object) -> tuple[Registry, str]:
    """With one more version, which is verified."""
    registry, version = moves.publish(registry, parsed(**changes), 1.0)
    return moves.judge(registry, version, (), 2.0), version


def live(registry: Registry, version: str) -> Registry:
    return moves.arrive(moves.want(registry, version, 1.0), version, 3.0)


def states(registry: Registry) -> dict[str, str]:
    return {version.version: version.state for version in registry.versions.values()}


def test_a_version_goes_live_and_a_rollback_brings_the_one_before_back() -> None:
    registry, first = published()
    assert resolve(registry, listed, LIVE, "t").version == "base"
    registry = live(registry, first)
    registry, second = published(registry, parent=first)
    registry = live(registry, second)
    assert states(registry) == {first: "retired", second: "live"}
    assert resolve(registry, listed, LIVE, "t").version == second

    registry = moves.roll_back(registry, second, 9.0)

    assert states(registry) == {first: "live", second: "retired"}
    assert resolve(registry, listed, LIVE, "t").version == first
    assert states(live(registry, second)) == {first: "retired", second: "live"}


def test_the_first_version_rolls_back_to_the_engines_own_weights() -> None:
    registry, version = published()
    registry = moves.roll_back(live(registry, version), version, 4.0)

    assert resolve(registry, listed, LIVE, "t") == BASE


def test_wanting_moves_nothing_until_it_has_arrived() -> None:
    registry, version = published()
    wanted = moves.want(registry, version, 1.0)
    assert resolve(wanted, listed, LIVE, "t") == BASE
    assert wanted.needed() == {version}

    kept = moves.give_up(wanted, version, ("replica 2 is down",), 5.0, reject=False)
    assert resolve(kept, listed, LIVE, "t") == BASE
    assert kept.version(version).state == "verified"
    assert kept.version(version).reasons == ("replica 2 is down",)
    gone = moves.give_up(wanted, version, ("another model",), 5.0, reject=True)
    assert gone.version(version).state == "rejected"
    with pytest.raises(Conflict, match="not wanted any more"):
        moves.arrive(kept, version, 6.0)


def test_a_canary_gets_its_share_of_trees_and_each_tree_always_the_same() -> None:
    registry, version = published()
    registry = moves.arrive(moves.want(registry, version, 0.25), version, 3.0)
    trees = [f"tree-{index}" for index in range(4_000)]
    got = [resolve(registry, listed, LIVE, tree).version for tree in trees]

    assert got == [resolve(registry, listed, "base", tree).version for tree in trees]
    share = Counter(got)[version] / len(trees)
    assert abs(share - 0.25) < 4 * (0.25 * 0.75 / len(trees)) ** 0.5
    grown = moves.arrive(moves.want(registry, version, 0.5), version, 4.0)
    more = [resolve(grown, listed, LIVE, tree).version for tree in trees]
    assert all(
        after == version for before, after in zip(got, more, strict=True) if before == version
    )


def test_a_version_brings_its_own_threshold_and_traits() -> None:
    registry, version = published(threshold=1.5, traits={"briefs": False})
    policy = pinned(live(registry, version), listed, version)

    assert (policy.threshold, policy.briefs, policy.cites) == (1.5, False, BASE.cites)
    assert (policy.adapter, policy.is_full) == (version, False)


@pytest.mark.parametrize(("traits", "asks"), [({}, True), ({"gates_parts": False}, False)])
def test_a_trained_version_chooses_for_parts_unless_its_traits_say_otherwise(
    traits: dict[str, bool], *, asks: bool
) -> None:
    registry, version = published(traits=traits)

    assert not BASE.gates_parts
    assert pinned(live(registry, version), listed, version).gates_parts == asks


def test_what_was_rejected_or_never_verified_is_not_served() -> None:
    registry, staged = moves.publish(EMPTY, parsed(), 1.0)
    rejected = moves.judge(registry, staged, ("worse",), 2.0)
    assert pinned(rejected, listed, staged).version == staged  # a tree that runs on it ends on it
    for unserved in (registry, rejected):
        with pytest.raises(NotFound):
            resolve(unserved, listed, staged, "t")
        with pytest.raises(Conflict):
            moves.want(unserved, staged, 1.0)
    with pytest.raises(Conflict, match="rejected"):
        moves.reject(rejected, staged, ("again",), 3.0)


def test_another_base_model_is_refused_by_name() -> None:
    registry, _ = published()
    with pytest.raises(WrongBaseModel, match=r"qwen .* smollm2"):
        moves.check_base(registry, parsed(base=OTHER_BASE), None)
    served = BaseModelId.model_validate(OTHER_BASE)
    with pytest.raises(WrongBaseModel):
        moves.check_base(EMPTY, parsed(), served)
    with pytest.raises(NotFound, match="policy-v9"):
        moves.check_base(registry, parsed(parent="policy-v9"), None)


def test_versions_of_a_policy_are_of_one_kind() -> None:
    registry, _ = published()
    files = {"config.json": "0" * 64, "model.safetensors": "1" * 64}
    with pytest.raises(Conflict, match="kind adapter"):
        moves.check_base(registry, parsed(kind="full", files=files), None)


def test_one_move_at_a_time_and_a_rollback_stops_it() -> None:
    registry, first = published()
    registry, second = published(registry)
    registry = moves.want(registry, first, 1.0)
    with pytest.raises(Conflict, match=first):
        moves.want(registry, second, 1.0)
    registry = moves.roll_back(registry, first, 3.0)
    assert moves.want(registry, second, 1.0).needed() == {second}


def test_a_live_version_is_not_rejected_and_a_stranger_not_found() -> None:
    registry, version = published()
    with pytest.raises(Conflict, match="live"):
        moves.reject(live(registry, version), version, (), 4.0)
    for change in (moves.roll_back, lambda r, v, now: moves.reject(r, v, (), now)):
        with pytest.raises(NotFound):
            change(registry, "policy-v77", 1.0)


class Registers(RuleBasedStateMachine):
    """Any order of changes, refused or not, keeps one live version and a registry that agrees."""

    @initialize()
    def start(self) -> None:
        self.registry = EMPTY

    def _try(self, change: object, *arguments: object, **named: object) -> None:
        before = self.registry
        try:
            self.registry = change(before, *arguments, **named)  # type: ignore[operator]
        except (Conflict, NotFound):
            return
        for version, after in self.registry.versions.items():
            if version in before.versions and before.versions[version].state != after.state:
                assert after.state in FOLLOWING[before.versions[version].state]

    numbers = st.integers(1, 4).map(lambda number: f"policy-v{number}")

    @rule(good=st.booleans())
    def publish(self, good: bool) -> None:
        self.registry, version = moves.publish(self.registry, parsed(), 1.0)
        self.registry = moves.judge(self.registry, version, () if good else ("no",), 1.0)

    @rule(version=numbers, share=st.sampled_from([0.1, 1.0]))
    def want(self, version: str, share: float) -> None:
        self._try(moves.want, version, share)

    @rule(version=numbers)
    def arrive(self, version: str) -> None:
        self._try(moves.arrive, version, 2.0)

    @rule(version=numbers, reject=st.booleans())
    def give_up(self, version: str, reject: bool) -> None:
        self._try(moves.give_up, version, ("no",), 2.0, reject=reject)

    @rule(version=numbers)
    def roll_back(self, version: str) -> None:
        self._try(moves.roll_back, version, 2.0)

    @rule(version=numbers)
    def reject(self, version: str) -> None:
        self._try(moves.reject, version, ("no",), 2.0)

    @invariant()
    def pointers_and_states_agree(self) -> None:
        line = self.registry.line("base")
        by_state = {
            state: [v for v, s in states(self.registry).items() if s == state]
            for state in FOLLOWING
        }
        assert by_state["live"] == ([] if line.live == "base" else [line.live])
        assert by_state["canary"] == ([line.canary] if line.canary else [])
        assert (line.share > 0) == (line.canary is not None)
        assert line.previous not in by_state["rejected"]
        assert {line.live, line.canary} - {"base", None} <= self.registry.needed()
        resolve(self.registry, listed, LIVE, "tree")


TestRegisters = Registers.TestCase
TestRegisters.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
