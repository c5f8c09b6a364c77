"""Packed state of a tiny policy, and trees whose workers are behind links."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from training.experiments import worker_slots
from training.experiments.arm import Phase
from training.experiments.errors import OtherRun
from training.experiments.links import speed_up
from training.experiments.preset import preset
from training.experiments.state import NUM_PACKED, STATE
from training.experiments.state_task import (
    NUM_CONTEXT_TOKENS,
    UNKNOWN,
    distilled,
    draw,
    shortened,
    taught,
)
from training.experiments.state_text import (
    NUM_BEGINNING_TOKENS,
    SOURCE,
    bits,
    held_out,
    section_logits,
    text_distilled,
    text_taught,
    texts,
)
from training.experiments.worker_slots import Link, Measured
from training.tiny.model import ModelSize, TinyModel
from training.tiny.packer import Packer, answer_logits, distillation_loss

SIZE = ModelSize(width=16, num_layers=1, num_heads=2)


def test_words_as_vectors_are_what_the_words_are() -> None:
    model, batch = TinyModel(UNKNOWN + 1, SIZE), draw(torch.Generator().manual_seed(0), 4)
    ids_BT = torch.cat([batch.context_BT, batch.question_BQ], dim=1)
    as_vectors = answer_logits(model, model.words(batch.context_BT), batch.question_BQ)
    torch.testing.assert_close(as_vectors, model(ids_BT)[:, -1])


def test_every_fact_stands_in_the_context_and_its_value_is_the_answer() -> None:
    batch = draw(torch.Generator().manual_seed(3), 50)
    for context, question, answer in zip(
        batch.context_BT.tolist(), batch.question_BQ.tolist(), batch.answer_B.tolist(), strict=True
    ):
        assert len(context) == NUM_CONTEXT_TOKENS
        assert context[context.index(question[1]) + 1] == answer
    unknown = shortened(batch, 2).answer_B == UNKNOWN
    assert 0 < unknown.sum() < len(unknown)


def test_distillation_changes_the_packer_alone_and_brings_its_child_closer() -> None:
    torch.manual_seed(0)
    model = TinyModel(UNKNOWN + 1, SIZE)
    before = [parameter.clone() for parameter in model.parameters()]
    batch = draw(torch.Generator().manual_seed(1), 64)
    torch.manual_seed(5 + 1)
    fresh = Packer(model, 4)
    packer, curve = distilled(model, 4, seed=5, max_updates=30)
    losses = [
        distillation_loss(
            model,
            one,
            batch.context_BT,
            partial(answer_logits, model, question_BQ=batch.question_BQ),
        ).item()
        for one in (fresh, packer)
    ]
    assert losses[1] < losses[0]
    assert [update for update, _ in curve] == [25, 30]
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)


def test_a_policy_is_taught_until_it_knows_enough_or_time_is_up() -> None:
    one, other = (taught(SIZE, 2, max_updates=2) for _ in range(2))
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(left, right)


def test_the_report_has_every_form_with_its_bytes_and_places(tmp_path: Path) -> None:
    report = STATE.measure(preset("smoke"), tmp_path, lambda *_: None)
    facts, text = ({row[0]: row for row in grid.rows} for grid in report.grids)
    for rows in (facts, text):
        assert len(rows) == 2 + 2 * len(NUM_PACKED)
        assert rows["none"][4:6] == ["0", "0"]
        assert rows["hidden, 4 vectors"][4:6] == [str(4 * 16 * 4), "4"]
    assert facts["prefix"][4:6] == ["48", "12"]
    assert text["prefix"][4:6] == [str(4 * NUM_BEGINNING_TOKENS), str(NUM_BEGINNING_TOKENS)]


def test_what_a_seed_found_of_states_is_not_measured_again(tmp_path: Path) -> None:
    of_one = replace(preset("smoke"), num_seeds=1)
    first = STATE.measure(of_one, tmp_path, lambda *_: None)
    told: list[int] = []

    def tell(arm: str, seed: int, *progress: Phase | int) -> None:
        told.append(seed)
        assert (arm, progress[0]) == ("state", "training")

    assert STATE.measure(of_one, tmp_path, tell) == first
    assert told == []
    STATE.measure(replace(of_one, num_seeds=2), tmp_path, tell)
    assert set(told) == {1}
    with pytest.raises(OtherRun, match="other settings"):
        STATE.measure(replace(of_one, size=SIZE, group_size=3), tmp_path, tell)


def test_a_child_who_knows_nothing_of_the_text_needs_the_bits_of_guessing() -> None:
    of = held_out(0, 50)
    model = TinyModel(len(SOURCE.vocabulary), SIZE)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
    num_tokens = of.section_BC.shape[1]
    guessing = math.log2(len(SOURCE.vocabulary)) * (num_tokens - 1) / num_tokens
    assert bits(model, model.words(of.beginning_BS), of) == pytest.approx(guessing, abs=1e-4)
    assert of.ideal_bits < guessing


def test_a_policy_and_its_packer_learn_to_go_on_with_a_text() -> None:
    of = held_out(3, 100)
    fresh, model = (text_taught(SIZE, 3, num_updates) for num_updates in (0, 40))
    before, after = (bits(one, one.words(of.beginning_BS), of) for one in (fresh, model))
    assert after < before - 0.5
    batch = texts(0, 64)
    torch.manual_seed(3 + 1)
    losses = [
        distillation_loss(
            model,
            packer,
            batch.beginning_BS,
            partial(section_logits, model, section_BC=batch.section_BC),
        ).item()
        for packer in (Packer(model, 4), text_distilled(model, 4, 3, 40)[0])
    ]
    assert losses[1] < losses[0]


def test_a_link_costs_its_round_trip_and_its_bytes() -> None:
    assert Link().wait_s(10_000) == 0.0
    assert Link(0.25).wait_s(10_000) == 0.25
    assert Link(0.25, 5_000).wait_s(10_000) == pytest.approx(2.25)


def test_a_tree_behind_a_link_is_the_same_tree() -> None:
    near = worker_slots.measure(8, is_chained=False)
    far = worker_slots.measure(8, is_chained=False, link=Link(0.001, 1e7))
    assert (near.num_nodes, near.num_calls) == (far.num_nodes, far.num_calls)
    assert near.bytes_per_call == far.bytes_per_call > 0


def test_speed_up_is_the_mean_over_repetitions_of_the_baselines_time_over_ours() -> None:
    def measured(wall_s: float) -> Measured:
        return Measured(wall_s, 1, 1, 1, 1.0)

    found = speed_up([measured(4.0), measured(2.0)], [measured(1.0), measured(1.0)])
    assert found.mean == pytest.approx(3.0)
