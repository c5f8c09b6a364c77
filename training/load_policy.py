"""Load policy: a base model from a folder, as it is to be trained: LoRA or full. Needs torch.

Nothing is downloaded: a folder is given, and its tokenizer tells the tokens of the kinds' letters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from banyan.action import LETTERS
from banyan.adapters.policy_folder import fingerprint, read_manifest
from banyan.manifest import FILE_NAME
from training.critic import ValueHead
from training.logged_rows import KINDS
from training.policy_model import PolicyModel
from training.training_rows import TrainingRow
from training.update_errors import NoModel, WrongModel

Dtype = Literal["fp32", "bf16"]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`lora_rank` 0 trains all weights. `adapter` or `weights` are the parent's, trained further.

    `bf16` computes in bfloat16; trained weights are float32 either way, frozen ones bfloat16.
    `threshold` is tau at the beginning, in nats. `has_critic`: with a value head, a new one or that
    in the file `value_head`.
    """

    path: Path
    base_name: str
    lora_rank: int = 16
    adapter: Path | None = None
    weights: Path | None = None
    dtype: Dtype = "fp32"
    gradient_checkpointing: bool = False
    threshold: float = 0.0
    has_critic: bool = False
    value_head: Path | None = None


def load_policy(settings: ModelSettings) -> PolicyModel:
    """Raises NoModel and WrongModel."""
    letter_ids = letter_ids_of(settings.path)
    folder = settings.weights or settings.path
    if settings.weights is not None:
        _check_parent(settings.weights, settings.path)
    is_frozen_bf16 = settings.dtype == "bf16" and settings.lora_rank > 0
    try:
        lm: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16 if is_frozen_bf16 else torch.float32,
            local_files_only=True,
        )
    except (OSError, ValueError) as error:
        raise NoModel(f"{folder}: {str(error).splitlines()[0]}") from error
    if settings.lora_rank:
        lm = _with_adapter(lm, settings)
    if settings.gradient_checkpointing:
        lm.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    head = _value_head(lm, settings.value_head) if settings.has_critic else None
    model = PolicyModel(lm, letter_ids, settings.threshold, head)
    model.train()
    return model


def _value_head(lm: Any, file: Path | None) -> ValueHead:
    head = ValueHead(int(lm.get_input_embeddings().weight.shape[1]))
    if file is None:
        return head
    try:
        head.load_state_dict(load_file(file))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WrongModel(
            f"{file} is no value head of this model: {str(error).splitlines()[0]}",
            hint="Give the value_head.safetensors of an update of this model.",
        ) from error
    return head


def letter_ids_of(path: Path) -> list[int]:
    """The token of each kind's letter, in the order of `KINDS`. Raises NoModel."""
    file = path / "tokenizer.json"
    if not file.is_file():
        raise NoModel(f"{path}: there is no tokenizer.json")
    tokenizer: Any = Tokenizer.from_file(str(file))
    found: list[int] = []
    for kind in KINDS:
        token_ids = tokenizer.encode(LETTERS[kind], add_special_tokens=False).ids
        if len(token_ids) != 1:
            raise NoModel(
                f"{path}: the letter {LETTERS[kind]} is {len(token_ids)} tokens of this model",
                hint="Choices of a kind are one token; this model cannot make them.",
            )
        found += token_ids
    return found


def check_vocabulary(model: PolicyModel, rows: Sequence[TrainingRow]) -> None:
    """Raises WrongModel where the log holds tokens that the model does not have."""
    embeddings: Any = model.lm.get_input_embeddings()
    num_tokens = int(embeddings.weight.shape[0])
    highest = max(max(row.token_ids) for row in rows)
    if highest >= num_tokens:
        raise WrongModel(f"the log holds token {highest}, the model has {num_tokens} tokens")


def _check_parent(weights: Path, base: Path) -> None:
    """Published weights say what they were trained from. Raises NoModel and WrongModel."""
    if not (weights / FILE_NAME).is_file():
        raise NoModel(f"{weights}: there is no {FILE_NAME}", hint="Give a version's folder.")
    if read_manifest(weights).base.fingerprint != fingerprint(base):
        raise WrongModel(
            f"{weights} was trained from another model than {base}",
            hint="Give the model that the first version was trained from as --model.",
        )


def _with_adapter(lm: Any, settings: ModelSettings) -> Any:
    if settings.adapter is None:
        config = LoraConfig(
            r=settings.lora_rank,
            lora_alpha=2 * settings.lora_rank,
            target_modules="all-linear",
            lora_dropout=0.0,
            task_type="CAUSAL_LM",
        )
        made: Any = get_peft_model(lm, config)
        # peft takes the folder for the name; the version is served on an engine that has another.
        made.peft_config["default"].base_model_name_or_path = settings.base_name
        return made
    try:
        config = json.loads((settings.adapter / "adapter_config.json").read_bytes())
        base = config["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NoModel(
            f"{settings.adapter}: no adapter_config.json that names its base",
            hint="Give the folder of an adapter as peft writes it.",
        ) from error
    if base != settings.base_name:
        raise WrongModel(
            f"{settings.adapter} is of the base {base!r}, this is {settings.base_name!r}",
            hint="Give the adapter's own base as --model, and its name as --base.",
        )
    try:
        return PeftModel.from_pretrained(lm, settings.adapter, is_trainable=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise WrongModel(f"{settings.adapter}: {str(error).splitlines()[0]}") from error
