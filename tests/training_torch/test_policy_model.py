"""Scores of what counts, from any path through the model; and what a step is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.training_torch.tiny_llama import LETTER_IDS, Scorer, write_model
from training.batches import Batch, batch_of
from training.logged_rows import KINDS
from training.plan import micro_batches, steps_of
from training.policy_model import PolicyModel
from training.rows import Row, TurnTokens, rows_of
from training.shared_prefixes import joined
from training.training_rows import PlacedChoice, TrainingRow

PROMPT, COMPLETION = [10, 11, 12], [20, 21]
CHOICE_PROMPT = [10, 11, 12, 13, 14, 15]
ANSWER, DELEGATE, READ = (KINDS.index(kind) for kind in ("answer", "delegate", "read"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny")


def policy(folder: Path, threshold: float = 0.0) -> PolicyModel:
    lm: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = PolicyModel(lm, list(LETTER_IDS.values()), threshold)
    model.eval()
    return model


def batch() -> Batch:
    """A row of two tokens that count, and one of two choices behind the same prompt."""
    [tokens] = rows_of(0, [TurnTokens(PROMPT, COMPLETION, [-1.0, -2.0], [1, 1], 0)])
    length = len(CHOICE_PROMPT)
    empty = Row(1, CHOICE_PROMPT, [0.0] * length, [0] * length)
    choices = (
        PlacedChoice(length - 1, (ANSWER, DELEGATE), DELEGATE, -0.5, 1.0),
        PlacedChoice(length - 1, (ANSWER, READ), READ, -0.7, -1.0),
    )
    return batch_of([TrainingRow(tokens, 3.0), TrainingRow(empty, 0.0, choices)], 0)


def test_the_places_of_the_loss_are_tokens_and_then_choices() -> None:
    found = batch()
    expected = torch.tensor([[0, 0, 3, 3, 0, 0, 0], [0, 0, 0, 0, 0, 1, -1]]).float()
    torch.testing.assert_close(found.advantages_BX, expected)
    assert found.behaviour_logprobs_BX[0, 2:4].tolist() == [-1.0, -2.0]
    assert found.behaviour_logprobs_BX[1, 5:].tolist() == pytest.approx([-0.5, -0.7])


def test_tokens_and_choices_are_scored_as_the_whole_model_scores_them(folder: Path) -> None:
    scorer = Scorer.of(folder)
    with torch.no_grad():
        scores = policy(folder)(batch().input)
    assert scores.logprobs_BX[0, 2:4].tolist() == pytest.approx(
        scorer.logprobs(PROMPT, COMPLETION), abs=1e-5
    )
    for column, kind, other in ((5, "delegate", "answer"), (6, "read", "answer")):
        letters = scorer.letters(CHOICE_PROMPT, [other, kind])
        own = torch.tensor([letters[other], letters[kind]]).log_softmax(dim=0)[1]
        assert scores.logprobs_BX[1, column].item() == pytest.approx(own.item(), abs=1e-5)
    assert scores.mask_BX.sum().item() == 4
    assert (scores.logprobs_BX[scores.mask_BX == 0] == 0).all()


def test_the_threshold_is_in_choices_that_could_delegate_and_in_no_other(folder: Path) -> None:
    with torch.no_grad():
        scores = policy(folder, threshold=2.0)(batch().input)
    same = scores.logprobs_BX == scores.sampled_logprobs_BX
    assert not same[1, 5]
    assert same[1, 6]
    assert same[0].all()


def test_a_model_whose_logits_are_more_than_its_head_is_computed_whole(folder: Path) -> None:
    model = policy(folder)
    assert model.has_plain_head
    with torch.no_grad():
        expected = model(batch().input)
        model.has_plain_head = False
        found = model(batch().input)
    torch.testing.assert_close(found.logprobs_BX, expected.logprobs_BX, rtol=0, atol=1e-5)


def alike(num_rows: int = 4) -> Batch:
    """Rows of one prompt, whose completions begin alike or do not, and a choice behind it."""
    prompt = list(range(10, 30))
    rows = [
        TrainingRow(row, 1.0)
        for last in range(num_rows)
        for row in rows_of(
            0, [TurnTokens(prompt, [5, 30 + last // 2, last], [-1.0] * 3, [1] * 3, 0)]
        )
    ]
    empty = Row(1, prompt, [0.0] * len(prompt), [0] * len(prompt))
    choice = PlacedChoice(len(prompt) - 1, (ANSWER, DELEGATE), DELEGATE, -0.5, 1.0)
    return batch_of([*rows, TrainingRow(empty, 0.0, (choice,))], 0)


def test_rows_that_begin_alike_are_one_sequence_in_which_that_stands_once() -> None:
    found = alike().input
    together = joined(found.token_ids_BT, found.attention_BT)
    assert together is not None
    assert together.token_ids_1N.shape == (1, 20 + 1 + 2 + 4)
    tokens = together.token_ids_1N[0, together.place_BT]
    is_there = found.attention_BT > 0
    assert torch.equal(tokens[is_there], found.token_ids_BT[is_there])
    positions = torch.arange(found.token_ids_BT.shape[1]).expand_as(found.token_ids_BT)
    assert torch.equal(together.positions_1N[0, together.place_BT][is_there], positions[is_there])
    assert together.sees_11NN.sum(dim=-1).flatten().tolist() == [
        position + 1 for position in together.positions_1N[0].tolist()
    ]


def test_rows_that_share_little_are_not_joined() -> None:
    apart = torch.arange(1, 21).reshape(2, 10)
    assert joined(apart, torch.ones_like(apart)) is None


def test_joined_rows_have_the_scores_and_gradients_of_rows_apart(folder: Path) -> None:
    model, found = policy(folder), alike().input
    assert model.can_join
    gradients = []
    scored = []
    for model.can_join in (True, False):
        scores = model(found)
        model.zero_grad()
        torch.autograd.backward((scores.logprobs_BX * torch.arange(1.0, 6.0)[:, None]).sum())
        gradients.append([parameter.grad.clone() for parameter in model.lm.parameters()])
        scored.append(scores.logprobs_BX.detach())
    torch.testing.assert_close(*scored, rtol=0, atol=1e-5)
    for together, apart in zip(*gradients, strict=True):
        torch.testing.assert_close(together, apart, rtol=1e-3, atol=1e-4)


def test_rows_of_one_prompt_stand_together_in_an_epoch() -> None:
    prompts = ["a", "b", "c"] * 4
    [order] = steps_of(prompts, step_rows=12, epoch=0, seed=7)
    named = [prompts[index] for index in order]
    assert sorted(order) == list(range(12))
    assert [named[start : start + 4] for start in (0, 4, 8)] == [[one] * 4 for one in named[::4]]


def test_an_entropy_without_gradient_is_the_same_number(folder: Path) -> None:
    model = policy(folder)
    plain = model(batch().input)
    full = model(batch().input, entropy_gradient=True)
    torch.testing.assert_close(plain.entropies_BX.detach(), full.entropies_BX.detach())
    assert full.entropies_BX.requires_grad
    assert not plain.entropies_BX.requires_grad


def test_an_epoch_takes_every_row_once_and_another_in_another_order() -> None:
    first, second = (steps_of(range(10), step_rows=4, epoch=epoch, seed=7) for epoch in (0, 1))
    assert [len(step) for step in first] == [4, 4, 2]
    assert sorted(index for step in first for index in step) == list(range(10))
    assert first != second
    assert first == steps_of(range(10), step_rows=4, epoch=0, seed=7)


@pytest.mark.parametrize("num_processes", [1, 2, 3, 8])
def test_processes_share_a_step_and_stay_in_step(num_processes: int) -> None:
    rows = [
        TrainingRow(Row(index, [1] * (index + 1), [0.0] * (index + 1), [1] * (index + 1)), 0.0)
        for index in range(7)
    ]
    shares = [
        micro_batches(rows, max_padded_tokens=8, process=process, num_processes=num_processes)
        for process in range(num_processes)
    ]
    assert len({len(share) for share in shares}) == 1
    counted = [row.row.node for share in shares for part, counts in share if counts for row in part]
    assert sorted(counted) == list(range(7))
