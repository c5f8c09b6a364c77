"""The trainer's side of a proof: log-probabilities by transformers.

Run in the engine's environment, which has it.

    python trainer_logprobs.py MODEL REQUESTS

REQUESTS is JSON: a list of {"prompt_token_ids", "token_ids", "weights", "adapter"}, the latter two
folders or null. Prints a list of lists of log-probabilities (nats, float32), one for each of
`token_ids`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found, unused-ignore]
from safetensors.torch import load_file  # type: ignore[import-not-found, unused-ignore]
from transformers import AutoModelForCausalLM  # type: ignore[import-not-found, unused-ignore]


def add_adapter(model: Any, folder: Path) -> None:
    """Merge a LoRA adapter: W + alpha / r * B A (arXiv 2106.09685, eq. 3)."""
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    scale = config["lora_alpha"] / config["r"]
    for name, down in tensors.items():
        if not name.endswith("lora_A.weight"):
            continue
        up = tensors[name.replace("lora_A", "lora_B")]
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        model.get_submodule(module).weight.data += scale * (up.float() @ down.float())


def main(model_folder: str, requests: str) -> None:
    torch.set_num_threads(2)
    scored = []
    for request in json.loads(requests):
        model: Any = AutoModelForCausalLM.from_pretrained(
            request["weights"] or model_folder, dtype=torch.float32, local_files_only=True
        )
        if request["adapter"]:
            add_adapter(model, Path(request["adapter"]))
        prompt, token_ids = request["prompt_token_ids"], request["token_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([prompt + token_ids])).logits[0]
        logprobs = torch.log_softmax(logits.float(), dim=-1)
        start = len(prompt) - 1
        rows = [logprobs[start + step, token].item() for step, token in enumerate(token_ids)]
        scored.append(rows)
    sys.stdout.write(json.dumps(scored) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
