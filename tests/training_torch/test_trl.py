"""Our loss against TRL's on the same rows: values and gradients; and what we rely on in TRL.

TRL's trainer computes log-probabilities with its own forward pass, so that this compares scoring
as well. TRL has no weights of rows; they multiply the advantages.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import trl
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from training.loss import LossKind, LossSettings, TokenBatch, policy_loss
from training.scoring import score_tokens

NUM_WORDS, NUM_PROMPT, NUM_TOKENS, NUM_ROWS = 32, 4, 6, 4
NAMES: dict[LossKind, str] = {"cispo": "cispo", "ppo": "bnpo"}
"""What TRL calls the same: `bnpo` is the clipped ratio, averaged over the tokens of the batch."""


def no_reward(completions: list[str], **_: object) -> list[float | None]:
    return [0.0 for _ in completions]


def tiny_model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=NUM_WORDS,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        eos_token_id=1,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config)


def tokenizer() -> PreTrainedTokenizerFast:
    words = {f"w{word}": word for word in range(NUM_WORDS)}
    pad, end, unknown = list(words)[:3]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token=unknown)),
        pad_token=pad,
        eos_token=end,
    )


def trainer(
    folder: Path, model: LlamaForCausalLM, kind: LossKind, settings: LossSettings
) -> GRPOTrainer:
    arguments = GRPOConfig(
        output_dir=str(folder),
        loss_type=NAMES[kind],
        epsilon=settings.ppo_clip,
        epsilon_high=settings.cispo_cap if kind == "cispo" else settings.ppo_clip,
        entropy_coef=settings.entropy_weight,
        use_bias_correction_kl=False,  # it would weigh the penalty by the ratio
        per_device_train_batch_size=NUM_ROWS,
        gradient_accumulation_steps=1,
        num_generations=2,
        max_completion_length=NUM_TOKENS,
        use_cpu=True,
        bf16=False,
        report_to=[],
        disable_dropout=True,
        gradient_checkpointing=False,
    )
    made = GRPOTrainer(
        model=model,
        reward_funcs=no_reward,
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": ["w4 w5"] * NUM_ROWS}),
        processing_class=tokenizer(),
    )
    made.current_gradient_accumulation_steps = 1
    made.beta = settings.kl_weight  # as an argument it would have a base model loaded by name
    return made


def rows(seed: int = 0) -> dict[str, Tensor]:
    """What TRL's `compute_loss` reads; behaviour log-probabilities far enough for clipping."""
    source = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([6, 3, 5, 1])
    mask = (torch.arange(NUM_TOKENS) < lengths[:, None]).long()
    return {
        "prompt_ids": torch.randint(3, NUM_WORDS, (NUM_ROWS, NUM_PROMPT), generator=source),
        "prompt_mask": torch.ones(NUM_ROWS, NUM_PROMPT, dtype=torch.long),
        "completion_ids": torch.randint(3, NUM_WORDS, (NUM_ROWS, NUM_TOKENS), generator=source),
        "completion_mask": mask,
        "advantages": torch.tensor([1.2, -0.7, 0.4, -2.0]) * torch.tensor([0.5, 1.0, 2.0, 1.5]),
        "old_per_token_logps": -3.5 + torch.randn(NUM_ROWS, NUM_TOKENS, generator=source),
        "ref_per_token_logps": -3.5 + 0.3 * torch.randn(NUM_ROWS, NUM_TOKENS, generator=source),
        "num_items_in_batch": mask.sum(),
    }


def ours(model: LlamaForCausalLM, inputs: dict[str, Tensor]) -> TokenBatch:
    token_ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1)
    attention = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
    logits = model(input_ids=token_ids, attention_mask=attention).logits
    logprobs, entropies = score_tokens(logits[:, NUM_PROMPT - 1 : -1], inputs["completion_ids"])
    weights = torch.tensor([0.5, 1.0, 2.0, 1.5])
    return TokenBatch(
        logprobs_BT=logprobs,
        behaviour_logprobs_BT=inputs["old_per_token_logps"],
        mask_BT=inputs["completion_mask"],
        advantages=inputs["advantages"] / weights,
        weights_B=weights,
        entropies_BT=entropies,
        base_logprobs_BT=inputs["ref_per_token_logps"],
    )


def gradients(model: LlamaForCausalLM, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {
        name: value.grad.clone()
        for name, value in model.named_parameters()
        if value.grad is not None
    }


@pytest.mark.parametrize("kind", list(NAMES))
@pytest.mark.parametrize(
    ("entropy_weight", "kl_weight"), [(0.0, 0.0), (0.05, 0.1)], ids=["plain", "regularised"]
)
def test_the_loss_and_its_gradient_are_trls(
    tmp_path: Path, kind: LossKind, entropy_weight: float, kl_weight: float
) -> None:
    settings = LossSettings(
        kind=kind,
        cispo_cap=1.5,  # low enough that some weights are capped
        entropy_weight=entropy_weight,
        kl_weight=kl_weight,
    )
    model, inputs = tiny_model(), rows()
    theirs = trainer(tmp_path, model, kind, settings)
    expected = theirs.compute_loss(model, dict(inputs))
    expected_gradients = gradients(model, expected)

    loss, figures = policy_loss(ours(model, inputs), settings)
    found_gradients = gradients(model, loss)

    assert 0.0 < figures.clipped_share < 1.0
    torch.testing.assert_close(loss.detach(), expected.detach(), rtol=1e-5, atol=1e-6)
    assert found_gradients.keys() == expected_gradients.keys()
    for name, value in found_gradients.items():
        torch.testing.assert_close(value, expected_gradients[name], rtol=1e-4, atol=1e-6)


def test_a_difference_to_trls_would_be_seen(tmp_path: Path) -> None:
    """The comparison is sharp: another cap gives another loss."""
    model, inputs = tiny_model(), rows()
    theirs = trainer(tmp_path, model, "cispo", LossSettings(cispo_cap=1.5))
    expected = theirs.compute_loss(model, dict(inputs))
    loss, _ = policy_loss(ours(model, inputs), LossSettings(cispo_cap=2.5))
    assert abs((loss - expected).item()) > 1e-3


def test_advantages_of_single_tokens_are_taken_by_both(tmp_path: Path) -> None:
    settings = LossSettings(kind="ppo")
    model, inputs = tiny_model(), rows()
    theirs = trainer(tmp_path, model, "ppo", settings)
    advantages = torch.randn(NUM_ROWS, NUM_TOKENS, generator=torch.Generator().manual_seed(1))
    batch = ours(model, inputs)
    batch = replace(batch, advantages=advantages, weights_B=torch.ones(NUM_ROWS))
    inputs["advantages"] = advantages
    expected = theirs.compute_loss(model, dict(inputs))
    loss, _ = policy_loss(batch, settings)
    torch.testing.assert_close(loss.detach(), expected.detach(), rtol=1e-5, atol=1e-6)


def test_trl_is_the_version_that_was_read() -> None:
    assert trl.__version__ == "1.16.0"
