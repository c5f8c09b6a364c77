"""The gate's probability, what moves it, and which decisions count."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from banyan.action import Kind
from banyan.gate import decide, delegation_score
from banyan.node import Decision
from banyan.task import Gate, GateMode
from tests.training_torch.rows import ratio_batch
from training.gate_loss import (
    decision_entropies,
    decision_logprobs,
    delegation_scores,
    is_sample,
    joined,
)

KINDS: tuple[Kind, ...] = ("answer", "delegate", "read")
DELEGATE = KINDS.index("delegate")
logprobs_of_kinds = st.lists(st.floats(-20, 0), min_size=3, max_size=3)
taus = st.floats(-8, 8)


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def kinds(values: list[float]) -> Tensor:
    return tensor(*values)[None, None]


def allowed(*values: bool) -> Tensor:
    return torch.tensor(values)[None, None]


def logprob(values: Tensor, allow: Tensor, taken: int, tau: Tensor) -> Tensor:
    return decision_logprobs(values, allow, torch.tensor([[taken]]), tau, DELEGATE)[0, 0]


ALL = allowed(True, True, True)


@given(logprobs_of_kinds)
def test_the_score_is_the_one_that_the_gate_records(values: list[float]) -> None:
    score = delegation_scores(kinds(values), ALL, DELEGATE).item()
    assert score == pytest.approx(delegation_score(dict(zip(KINDS, values, strict=True))))


@given(logprobs_of_kinds, taus)
def test_the_gate_delegates_with_the_sigmoid_of_the_score_over_tau(
    values: list[float], tau: float
) -> None:
    score = delegation_scores(kinds(values), ALL, DELEGATE)
    found = logprob(kinds(values), ALL, DELEGATE, tensor(tau))
    assert found.exp().item() == pytest.approx(torch.sigmoid(score - tau).item())


@given(logprobs_of_kinds, taus)
def test_the_probabilities_of_all_kinds_add_up_to_one(values: list[float], tau: float) -> None:
    total = sum(logprob(kinds(values), ALL, kind, tensor(tau)).exp() for kind in range(3))
    assert float(total) == pytest.approx(1.0)


@given(logprobs_of_kinds, st.integers(0, 2))
def test_without_a_threshold_it_is_the_policys_own_distribution(
    values: list[float], taken: int
) -> None:
    own = kinds(values).log_softmax(dim=-1)[0, 0, taken]
    assert logprob(kinds(values), ALL, taken, tensor(0.0)).item() == pytest.approx(
        own.item(), abs=1e-9
    )


def test_kinds_that_are_not_allowed_do_not_count() -> None:
    values, allow = kinds([-1.0, -2.0, -0.1]), allowed(True, True, False)
    found = logprob(values, allow, 0, tensor(0.5))
    assert found.exp().item() == pytest.approx(torch.sigmoid(tensor(0.5 + 1.0)).item())


def test_a_choice_without_delegating_is_among_the_others_and_ignores_tau() -> None:
    values, allow = kinds([-1.0, -2.0, -0.1]), allowed(True, False, True)
    expected = tensor(-1.0, -0.1).log_softmax(dim=0)[0].item()
    for tau in (-3.0, 4.0):
        assert logprob(values, allow, 0, tensor(tau)).item() == pytest.approx(expected)


def test_where_only_one_kind_was_allowed_nothing_was_decided() -> None:
    values = kinds([-1.0, -2.0, -0.1])
    for kind in range(3):
        only = torch.arange(3)[None, None] == kind
        assert logprob(values, only, kind, tensor(1.0)).item() == pytest.approx(0.0)


@pytest.mark.parametrize("taken", range(3))
def test_the_gradient_to_the_kinds_and_to_tau_is_that_of_finite_differences(taken: int) -> None:
    values = kinds([-1.0, -0.4, -2.0]).requires_grad_()
    tau = tensor(0.3)[0].requires_grad_()

    def of(kind_logprobs: Tensor, threshold: Tensor) -> Tensor:
        return logprob(kind_logprobs, ALL, taken, threshold)

    assert torch.autograd.gradcheck(of, (values, tau))


def test_the_threshold_falls_when_delegating_was_good() -> None:
    tau = tensor(0.3)[0].requires_grad_()
    objective = 1.0 * logprob(kinds([-1.0, -0.4, -2.0]), ALL, DELEGATE, tau)
    [slope] = torch.autograd.grad(objective, tau)
    assert slope.item() < 0


def test_entropy_is_that_of_the_choice() -> None:
    values, allow = kinds([-1.0, -1.0, -5.0]), allowed(True, True, False)
    assert decision_entropies(values, allow, tensor(0.0), DELEGATE).item() == pytest.approx(
        torch.tensor(2.0).log().item()
    )
    only = allowed(True, False, False)
    assert decision_entropies(values, only, tensor(0.0), DELEGATE).item() == pytest.approx(0.0)


@pytest.mark.parametrize("mode", ["sampled", "threshold", "always", "never"])
def test_only_what_the_gate_sampled_trains(mode: GateMode) -> None:
    decision = decide({"answer": -0.1, "delegate": -2.0}, Gate(mode=mode), 0.0, 0.5)
    assert is_sample(decision) == (mode == "sampled")
    assert not is_sample(Decision(kind="answer", mode=mode, forced=True))


def test_decisions_stand_behind_the_tokens_of_their_row() -> None:
    tokens = ratio_batch([[1.0, 2.0], [3.0, 4.0]], [1.0, -1.0])
    decisions = ratio_batch([[5.0], [6.0]], [1.0, -1.0])
    both = joined(tokens, decisions)
    ratio = (both.logprobs_BT - both.behaviour_logprobs_BT).exp()
    assert ratio.flatten().tolist() == pytest.approx([1.0, 2.0, 5.0, 3.0, 4.0, 6.0])
    assert both.mask_BT.shape == (2, 3)
    assert both.advantages is tokens.advantages
