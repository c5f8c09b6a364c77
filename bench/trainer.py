"""The trainer against TRL's GRPOTrainer: rows a second on the same rows, model and machine.

    "$(.venv/bin/python -P -m banyan.local.training_env)" -m bench.trainer

Needs the trainer's environment (`make train-setup`). Both compute the same loss over the same rows,
with eight rows (or as many tokens) at a time and one optimizer step over all of them. What TRL does
before that (sampling, scoring, grouping) is not timed. TRL pads all rows of a step to the longest
prompt and completion; as `tight`, it is given each eight rows padded by themselves.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from training.loss import LossSettings
from training.policy_model import PolicyModel
from training.rows import Row
from training.trainer import Trainer, TrainerSettings
from training.training_rows import TrainingRow

MICRO_ROWS = 8
LR = 1e-4


def model_of(num_words: int) -> LlamaForCausalLM:
    """Small, and the same for both."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=num_words,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        eos_token_id=1,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config)


def rows_of(num_rows: int, num_words: int, seed: int) -> list[tuple[Row, int, float]]:
    """Rows with the lengths of their prompts (32 to 256 tokens) and their advantages."""
    rng = np.random.default_rng(seed)
    rows = []
    for node in range(num_rows):
        num_prompt, num_completion = int(rng.integers(32, 257)), int(rng.integers(8, 97))
        length = num_prompt + num_completion
        logprobs = [0.0] * num_prompt + (-rng.uniform(8.0, 10.0, num_completion)).tolist()
        row = Row(
            node=node,
            token_ids=rng.integers(3, num_words, length).tolist(),
            logprobs=logprobs,
            mask=[0] * num_prompt + [1] * num_completion,
        )
        rows.append((row, num_prompt, float(rng.normal())))
    return rows


def ours(rows: list[tuple[Row, int, float]], num_words: int) -> Callable[[], float]:
    """One step of the trainer over all rows; returns its loss."""
    longest = max(len(row.token_ids) for row, _, _ in rows)
    settings = TrainerSettings(
        loss=LossSettings(kind="cispo"),
        lr=LR,
        step_rows=len(rows),
        micro_tokens=MICRO_ROWS * longest,
        max_gap=100.0,
    )
    policy = PolicyModel(model_of(num_words), list(range(3, 9)), 0.0)
    policy.train()
    training = [TrainingRow(row, advantage) for row, _, advantage in rows]
    trainer = Trainer(policy, training, settings, policy_index=0)
    return lambda: trainer.train(lambda _: None).last_loss


def theirs(
    rows: list[tuple[Row, int, float]], num_words: int, folder: Path, *, tight: bool
) -> Callable[[], float]:
    """TRL's loss over all rows, its backward passes and one step."""
    model: Any = model_of(num_words)
    trainer: Any = _trl(model, num_words, folder)
    num_tokens = torch.tensor(sum(row.num_trained for row, _, _ in rows))
    trainer.current_gradient_accumulation_steps = 1  # what it divides by beside the tokens of all
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.0)

    def step() -> float:
        total = 0.0
        whole = None if tight else _padded(rows)
        for start in range(0, len(rows), MICRO_ROWS):
            part = slice(start, start + MICRO_ROWS)
            inputs = (
                _padded(rows[part])
                if whole is None
                else {name: value[part] for name, value in whole.items()}
            )
            loss = trainer.compute_loss(model, inputs | {"num_items_in_batch": num_tokens})
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return total

    return step


def _padded(rows: list[tuple[Row, int, float]]) -> dict[str, Tensor]:
    """As TRL has them: prompts padded on the left, completions on the right."""
    longest_prompt = max(num for _, num, _ in rows)
    longest = max(len(row.token_ids) - num for row, num, _ in rows)

    def left(values: list[int]) -> list[int]:
        return [0] * (longest_prompt - len(values)) + values

    def right(values: list[Any]) -> list[Any]:
        return values + [0] * (longest - len(values))

    return {
        "prompt_ids": torch.tensor([left(row.token_ids[:num]) for row, num, _ in rows]),
        "prompt_mask": torch.tensor([left([1] * num) for _, num, _ in rows]),
        "completion_ids": torch.tensor([right(row.token_ids[num:]) for row, num, _ in rows]),
        "completion_mask": torch.tensor([right(row.mask[num:]) for row, num, _ in rows]),
        "old_per_token_logps": torch.tensor([right(row.logprobs[num:]) for row, num, _ in rows]),
        "advantages": torch.tensor([advantage for _, _, advantage in rows]),
    }


def _no_reward(completions: list[str], **_: object) -> list[float | None]:
    return [0.0 for _ in completions]


def _trl(model: Any, num_words: int, folder: Path) -> Any:
    words = {f"w{word}": word for word in range(num_words)}
    pad, end, unknown = list(words)[:3]
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token=unknown)),
        pad_token=pad,
        eos_token=end,
    )
    config = GRPOConfig(
        output_dir=str(folder),
        loss_type="cispo",
        epsilon_high=5.0,
        per_device_train_batch_size=MICRO_ROWS,
        num_generations=2,
        use_cpu=True,
        bf16=False,
        report_to=[],
        gradient_checkpointing=False,
    )
    return GRPOTrainer(
        model=model,
        reward_funcs=_no_reward,
        args=config,
        train_dataset=Dataset.from_dict({"prompt": ["w4 w5"] * MICRO_ROWS}),
        processing_class=tokenizer,
    )


def main() -> int:
    """Print a line for each; 1 where TRL, padded as it pads, was faster; 2: losses differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--words", type=int, default=8192)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = rows_of(options.rows, options.words, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        steps = {
            "banyan": ours(rows, options.words),
            "trl": theirs(rows, options.words, Path(folder) / "a", tight=False),
            "trl tight": theirs(rows, options.words, Path(folder) / "b", tight=True),
        }
        losses = {name: step() for name, step in steps.items()}  # warms up, and must agree
        if max(losses.values()) - min(losses.values()) > 1e-3:
            print(f"these are not the same losses: {losses}", file=sys.stderr)
            return 2
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(options.repeat):
            for name, step in steps.items():
                began = time.perf_counter()
                step()
                seconds[name].append(time.perf_counter() - began)
    for name, each in seconds.items():
        print(
            f"{name:<10} {options.rows / min(each):8.1f} rows/s (best of {options.repeat}; "
            f"worst {options.rows / max(each):.1f})   first loss {losses[name]:+.5f}"
        )
    return int(min(seconds["banyan"]) > min(seconds["trl"]))


if __name__ == "__main__":
    sys.exit(main())
