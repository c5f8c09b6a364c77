"""The loss by hand, its gradient against finite differences, and what it refuses and reports."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.training_torch.rows import (
    batch,
    mask,
    random_logits,
    random_tokens,
    ratio_batch,
)
from training.errors import NotFinite
from training.loss import LossKind, LossSettings, kl_to_base, policy_loss
from training.scoring import score_tokens

KINDS: list[LossKind] = ["cispo", "ppo", "a2c"]


def gradient(value: Tensor, source: Tensor) -> Tensor:
    [found] = torch.autograd.grad(value, source)
    return found


def test_cispo_weighs_each_token_by_its_capped_ratio_and_keeps_every_gradient() -> None:
    rows = ratio_batch([[0.5, 1.0, 9.0]], [2.0])
    loss, figures = policy_loss(rows, LossSettings(kind="cispo"))
    assert gradient(loss, rows.logprobs_BT)[0].tolist() == pytest.approx(
        [-2.0 * 0.5 / 3, -2.0 / 3, -2.0 * 5.0 / 3]
    )
    assert figures.clipped_share == pytest.approx(1 / 3)


def test_ppo_stops_the_gradient_where_the_ratio_went_far_enough() -> None:
    rows = ratio_batch([[0.5, 1.1, 1.5], [0.5, 1.1, 1.5]], [1.0, -1.0])
    loss, figures = policy_loss(rows, LossSettings(kind="ppo"))
    assert loss.item() == pytest.approx((-(0.5 + 1.1 + 1.2) + (0.8 + 1.1 + 1.5)) / 6)
    assert gradient(loss, rows.logprobs_BT).flatten().tolist() == pytest.approx(
        [-0.5 / 6, -1.1 / 6, 0.0, 0.0, 1.1 / 6, 1.5 / 6]
    )
    assert figures.clipped_share == pytest.approx(2 / 6)


def test_a2c_does_not_look_at_the_ratio() -> None:
    rows = ratio_batch([[0.01, 100.0]], [3.0])
    loss, figures = policy_loss(rows, LossSettings(kind="a2c"))
    assert gradient(loss, rows.logprobs_BT).flatten().tolist() == pytest.approx([-1.5, -1.5])
    assert figures.clipped_share == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_on_the_policys_own_rows_all_kinds_have_one_gradient(kind: LossKind) -> None:
    rows = ratio_batch([[1.0, 1.0], [1.0, 1.0]], [1.0, -2.0])
    rows = replace(rows, weights_B=torch.tensor([0.5, 3.0], dtype=torch.float64))
    loss, figures = policy_loss(rows, LossSettings(kind=kind))
    assert gradient(loss, rows.logprobs_BT).flatten().tolist() == pytest.approx(
        [-0.125, -0.125, 1.5, 1.5]
    )
    assert figures.mean_ratio == pytest.approx(1.0)
    assert figures.logprob_gap == pytest.approx(0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_to_the_logits_is_that_of_finite_differences(kind: LossKind) -> None:
    """Through the softmax, with entropy, base and weights; `cispo`'s weight is held where it is."""
    tokens, behaviour = random_tokens(), score_tokens(random_logits(1), random_tokens())[0]
    base = score_tokens(random_logits(2), tokens)[0]
    start = random_logits().requires_grad_()
    held = (score_tokens(start.detach(), tokens)[0] - behaviour).exp().clamp(max=5.0)
    settings = LossSettings(kind=kind, entropy_weight=0.1, kl_weight=0.2)

    def loss_of(logits: Tensor) -> Tensor:
        logprobs, entropies = score_tokens(logits, tokens)
        rows = replace(batch(logprobs, behaviour), entropies_BT=entropies, base_logprobs_BT=base)
        return policy_loss(rows, settings)[0]

    def value_of(logits: Tensor) -> Tensor:
        if kind != "cispo":
            return loss_of(logits)
        logprobs, entropies = score_tokens(logits, tokens)
        rows = batch(logprobs, behaviour)
        terms = -held * rows.advantages[:, None] * logprobs * rows.weights_B[:, None]
        terms = terms - 0.1 * entropies + 0.2 * kl_to_base(logprobs, base)
        return (terms * mask()).sum() / mask().sum()

    found, step = gradient(loss_of(start), start).flatten(), 1e-6
    point = start.detach().flatten()
    for index in range(len(point)):
        up, down = point.clone(), point.clone()
        up[index] += step
        down[index] -= step
        slope = value_of(up.view_as(start)) - value_of(down.view_as(start))
        assert found[index].item() == pytest.approx(slope.item() / (2 * step), abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_counts_for_nothing_whatever_stands_there(kind: LossKind) -> None:
    tokens = random_tokens()
    clean = score_tokens(random_logits(), tokens)[0]
    behaviour = score_tokens(random_logits(1), tokens)[0]
    garbage = torch.where(mask() > 0, clean, math.nan).requires_grad_()
    settings = LossSettings(kind=kind)
    loss, _ = policy_loss(batch(clean, behaviour), settings)
    same, _ = policy_loss(batch(garbage, behaviour.masked_fill(mask() == 0, -math.inf)), settings)
    assert same.item() == pytest.approx(loss.item())
    assert torch.isfinite(gradient(same, garbage)).all()


def test_micro_batches_add_up_to_the_batch() -> None:
    tokens = random_tokens()
    logprobs, entropies = score_tokens(random_logits(), tokens)
    whole = replace(
        batch(logprobs, score_tokens(random_logits(1), tokens)[0]), entropies_BT=entropies
    )
    settings, num_tokens = LossSettings(entropy_weight=0.3), int(mask().sum())
    parts = [
        policy_loss(
            replace(
                whole,
                logprobs_BT=whole.logprobs_BT[part],
                behaviour_logprobs_BT=whole.behaviour_logprobs_BT[part],
                mask_BT=whole.mask_BT[part],
                advantages=whole.advantages[part],
                weights_B=whole.weights_B[part],
                entropies_BT=entropies[part],
            ),
            settings,
            num_tokens,
        )[0]
        for part in (slice(0, 1), slice(1, 3))
    ]
    whole_loss, _ = policy_loss(whole, settings)
    assert torch.stack(parts).sum().item() == pytest.approx(whole_loss.item())


def test_rows_of_an_old_policy_are_left_out_and_counted() -> None:
    rows = replace(
        ratio_batch([[1.0], [1.0], [1.0]], [1.0, 10.0, 100.0]),
        staleness_B=torch.tensor([0, 2, 3]),
    )
    loss, figures = policy_loss(rows, LossSettings(max_staleness=2))
    assert gradient(loss, rows.logprobs_BT).flatten().tolist() == pytest.approx([-0.5, -5.0, 0.0])
    assert (figures.num_rows, figures.num_stale_rows, figures.num_tokens) == (2, 1, 2)
    assert figures.mean_staleness == pytest.approx(5 / 3)
    assert figures.max_staleness == 3


def test_a_batch_in_which_nothing_counts_has_no_loss() -> None:
    rows = ratio_batch([[1.0]], [1.0])
    loss, figures = policy_loss(replace(rows, mask_BT=torch.zeros(1, 1)), LossSettings())
    assert loss.item() == 0.0
    assert (figures.num_tokens, figures.clipped_share) == (0, 0.0)


def test_figures_of_entropy_and_base_are_means_over_tokens() -> None:
    rows = ratio_batch([[1.0, 1.0]], [0.0])
    rows = replace(
        rows,
        entropies_BT=torch.tensor([[1.0, 3.0]]),
        base_logprobs_BT=rows.logprobs_BT.detach() - math.log(2.0),
    )
    loss, figures = policy_loss(rows, LossSettings(entropy_weight=0.5, kl_weight=2.0))
    assert figures.entropy == pytest.approx(2.0)
    assert figures.kl == pytest.approx(0.5 + math.log(2.0) - 1.0)
    assert loss.item() == pytest.approx(-0.5 * 2.0 + 2.0 * (math.log(2.0) - 0.5))


def test_a_ratio_beyond_all_measure_gives_no_infinite_gradient() -> None:
    rows = ratio_batch([[1.0]], [1.0])
    far = torch.tensor([[900.0]], dtype=torch.float64, requires_grad=True)
    loss, _ = policy_loss(replace(rows, logprobs_BT=far), LossSettings(kind="ppo"))
    assert gradient(loss, far).tolist() == [[0.0]]


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_logged_logprob_that_is_not_finite_is_an_error_that_names_the_row(value: float) -> None:
    rows = ratio_batch([[1.0], [1.0]], [1.0, 1.0])
    behaviour = rows.behaviour_logprobs_BT.clone()
    behaviour[1, 0] = value
    with pytest.raises(NotFinite, match="row 1: the behaviour"):
        policy_loss(replace(rows, behaviour_logprobs_BT=behaviour), LossSettings())


@pytest.mark.parametrize(
    "settings",
    [LossSettings(entropy_weight=0.1), LossSettings(kl_weight=0.1), LossSettings(max_staleness=1)],
    ids=["entropies", "base", "staleness"],
)
def test_what_a_setting_needs_must_be_given(settings: LossSettings) -> None:
    with pytest.raises(ValueError, match="needs"):
        policy_loss(ratio_batch([[1.0]], [1.0]), settings)


def test_scores_are_those_of_the_softmax_and_in_float32_at_least() -> None:
    logits = random_logits()
    tokens = random_tokens()
    logprobs, entropies = score_tokens(logits, tokens)
    choice = torch.distributions.Categorical(logits=logits)
    torch.testing.assert_close(logprobs, choice.log_prob(tokens))
    torch.testing.assert_close(entropies, choice.entropy())
    assert score_tokens(logits.bfloat16(), tokens)[0].dtype == torch.float32
