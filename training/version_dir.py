"""Version directory: trained weights and their manifest, which appear whole or not at all.

The manifest is checked as publishing will check it. What is not known here is the evaluation, which
is added before the version is published.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from banyan.adapters.policy_folder import digest, fingerprint
from banyan.manifest import FILE_NAME, FORMAT, MAX_PROBE_TOKENS, parse
from training.checkpoints import Position
from training.load_policy import ModelSettings
from training.policy_model import PolicyModel
from training.scoring import score_tokens
from training.training_rows import TrainingRow
from training.update_data import UpdateData

MAX_PROMPT, MAX_PROBE = 512, MAX_PROBE_TOKENS
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "added_tokens.json",
    "generation_config.json",
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A prompt, what follows it, and the trainer's log-probabilities (nats) of the latter."""

    prompt_token_ids: list[int]
    token_ids: list[int]
    logprobs: list[float]


def write_version(
    out: Path,
    *,
    model: PolicyModel,
    weights: Mapping[str, Tensor],
    settings: ModelSettings,
    manifest: Mapping[str, Any],
) -> None:
    """Write `out` under a temporary name, sync it and rename it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        state = {
            name.removeprefix("lm."): value.to("cpu")
            for name, value in weights.items()
            if name.startswith("lm.")
        }
        lm: Any = model.lm
        # Left to itself, peft asks a model hub whether the base has another vocabulary.
        options = {"save_embedding_layers": False} if settings.lora_rank else {}
        lm.save_pretrained(staged, state_dict=state, **options)
        (staged / "README.md").unlink(missing_ok=True)  # peft's model card, which says nothing
        if not settings.lora_rank:
            for name in _TOKENIZER:
                if (settings.path / name).is_file():
                    shutil.copyfile(settings.path / name, staged / name)
        files = {path.name: digest(path) for path in sorted(staged.iterdir())}
        text = json.dumps({**manifest, "files": files}, indent=1, allow_nan=False)
        parse(text.encode(), where=f"{out.name}/{FILE_NAME}")
        (staged / FILE_NAME).write_text(text, encoding="utf-8")
        for path in staged.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        staged.rename(out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def manifest_of(
    data: UpdateData,
    trained: Position,
    probe: Probe,
    *,
    policy: str,
    parent: str,
    settings: ModelSettings,
    threshold: float,
) -> dict[str, Any]:
    """Everything but the checksums of the files."""
    return {
        "format": FORMAT,
        "policy": policy,
        "kind": "adapter" if settings.lora_rank else "full",
        "parent": parent,
        "base": {"name": settings.base_name, "fingerprint": fingerprint(settings.path)},
        "data": {
            "first_tree": data.first_tree,
            "last_tree": data.last_tree,
            "num_trees": data.num_trees,
            "num_rows": len(data.rows),
        },
        "losses": {"first": trained.first_loss, "last": trained.last_loss},
        "evaluation": {"set_name": "none", "live_version": parent, "candidate": {}, "live": {}},
        "threshold": threshold,
        "logprob_gap": trained.engine_gap,
        "probe": {
            "prompt_token_ids": probe.prompt_token_ids,
            "token_ids": probe.token_ids,
            "logprobs": probe.logprobs,
        },
    }


def probe_of(model: PolicyModel, rows: Sequence[TrainingRow], *, bf16: bool) -> Probe:
    """The beginning of the shortest row, scored by the trained model."""
    row = min((row for row in rows if len(row.token_ids) > 1), key=lambda row: len(row.token_ids))
    token_ids = list(row.token_ids[: MAX_PROMPT + MAX_PROBE])
    num_scored = min(MAX_PROBE, len(token_ids) - 1)
    ids_BT = torch.tensor([token_ids], device=model.threshold.device)
    with torch.no_grad(), torch.autocast(ids_BT.device.type, torch.bfloat16, enabled=bf16):
        logits: Tensor = model.lm(input_ids=ids_BT, use_cache=False).logits
    scored = slice(-num_scored, None)
    logprobs, _ = score_tokens(logits[:, :-1][:, scored], ids_BT[:, scored])
    return Probe(
        token_ids[:-num_scored],
        token_ids[-num_scored:],
        [min(0.0, value) for value in logprobs[0].tolist()],
    )
