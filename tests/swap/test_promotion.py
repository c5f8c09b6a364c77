"""What a version must show before it serves: intervals by hand, by simulation, and verdicts."""

from __future__ import annotations

import random

import pytest

from banyan.promotion import Rules, judge_canary, paired, reasons_against, unpaired
from tests.swap.makers import parsed, rewards

RULES = Rules(margin=0.02, max_logprob_gap=0.1, canary_trees=20)


def tasks(*values: float) -> dict[str, float]:
    return {f"task-{index:03}": value for index, value in enumerate(values)}


def test_a_paired_interval_is_students() -> None:
    """Gains 1, 2, ..., 21: mean 11, variance 38.5, t(20) = 2.0860."""
    gain = paired(tasks(*range(1, 22)), tasks(*[0.0] * 21))

    assert gain.mean == pytest.approx(11.0)
    assert gain.high - gain.mean == pytest.approx(2.0860 * (38.5 / 21) ** 0.5, rel=1e-4)


def test_an_unpaired_interval_is_welchs() -> None:
    """Means 1 and 0, variances 0.25 n / (n - 1); t is 2.0246 for the 38 degrees that there are."""
    candidate = [0.5, 1.5] * 10
    live = [-0.5, 0.5] * 20
    gain = unpaired(candidate, live)
    shares = (0.25 * 20 / 19 / 20, 0.25 * 40 / 39 / 40)
    freedom = sum(shares) ** 2 / (shares[0] ** 2 / 19 + shares[1] ** 2 / 39)

    assert gain.mean == pytest.approx(1.0)
    assert 37 < freedom < 39
    assert gain.mean - gain.low == pytest.approx(2.0246 * sum(shares) ** 0.5, rel=2e-3)


def test_pairs_see_what_samples_cannot() -> None:
    hard = {f"task-{index}": float(index % 10) for index in range(40)}
    better = {task: value + 0.1 + 0.01 * (len(task) % 2) for task, value in hard.items()}

    assert paired(better, hard).verdict(0.0) == "non_inferior"
    assert unpaired(list(better.values()), list(hard.values())).verdict(0.0) == "open"


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """800 draws of 25 pairs; 95 % of the intervals hold the true gain, within four deviations."""
    draw = random.Random(7)  # noqa: S311 - a simulation
    held = 0
    for _ in range(800):
        live = {f"{index}": draw.gauss(0.5, 0.2) for index in range(25)}
        candidate = {task: value + draw.gauss(0.05, 0.1) for task, value in live.items()}
        gain = paired(candidate, live)
        held += gain.low <= 0.05 <= gain.high
    assert abs(held / 800 - 0.95) < 4 * (0.95 * 0.05 / 800) ** 0.5


def test_different_tasks_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="same tasks"):
        paired(tasks(1.0, 2.0), {"other": 1.0, "another": 2.0})


def evaluation(candidate: dict[str, float], live: dict[str, float]) -> dict[str, object]:
    return {"set_name": "s", "live_version": "base", "candidate": candidate, "live": live}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"logprob_gap": 0.3}, "0.3000 nats a token"),
        ({"logprob_gap": None}, None),
        ({"evaluation": evaluation(rewards(0.4), rewards(0.6))}, "not shown to be non-inferior"),
        ({"evaluation": evaluation(rewards(0.9, 5), rewards(0.1, 5))}, "5 tasks show nothing"),
        ({"evaluation": evaluation(rewards(0.9), rewards(0.1, 30))}, "same tasks"),
        (
            {"evaluation": {**evaluation(rewards(0.9), rewards(0.1)), "live_version": "policy-v3"}},
            "evaluated against policy-v3, base is live",
        ),
    ],
)
def test_a_version_is_rejected_for_stated_reasons(
    changes: dict[str, object], reason: str | None
) -> None:
    reasons = reasons_against(parsed(**changes), RULES, live_version="base")

    assert [reason in found for found in reasons] == ([True] if reason else [])  # type: ignore[operator]


def test_equal_rewards_are_non_inferior_and_noise_shows_nothing() -> None:
    same = rewards(0.5)
    assert (
        reasons_against(parsed(evaluation=evaluation(same, same)), RULES, live_version="base") == ()
    )
    draw = random.Random(1)  # noqa: S311 - a simulation
    noisy = [{task: draw.random() for task in same} for _ in range(2)]
    assert reasons_against(parsed(evaluation=evaluation(*noisy)), RULES, live_version="base")


@pytest.mark.parametrize(
    ("mean", "num", "verdict"),
    [(0.9, 30, "non_inferior"), (0.1, 30, "inferior"), (0.9, 19, "open"), (0.49, 30, "open")],
)
def test_a_canary_is_judged_by_its_rewards(mean: float, num: int, verdict: str) -> None:
    live = list(rewards(0.5, 30).values())
    canary = list(rewards(mean, num).values())
    if mean == 0.49:
        canary = [reward + (0.3 if index % 2 else -0.3) for index, reward in enumerate(canary)]

    assert judge_canary(canary, live, RULES)[0] == verdict
