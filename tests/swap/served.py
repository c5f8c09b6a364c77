"""Real vLLM whose weights can be changed, weights to change to, and what a trainer says of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from banyan.local import engine_env, vllm_server, weights
from banyan.local.ports import free_port
from banyan.local.processes import Processes
from tests.swap.makers import safetensors

NAME = "smollm2"
HIDDEN, VALUES, LAYERS, RANK = 576, 192, 30, 4
"""Of SmolLM2-135M: width, width of its values, layers; and of the adapters."""
TRAINER = Path(__file__).with_name("trainer_logprobs.py")


@dataclass(frozen=True, slots=True)
class ServedWeights:
    """A vLLM server, the Python of its environment, and the folder of its own weights."""

    url: str
    python: Path
    model: Path

    def trained(
        self, probe: dict[str, Any], *, adapters: Sequence[Path] = (), full: Sequence[Path] = ()
    ) -> list[list[float]]:
        """The trainer's log-probabilities of the probe's continuation, for each set of weights."""
        requests = [{**probe, "adapter": str(folder), "weights": None} for folder in adapters]
        requests += [{**probe, "adapter": None, "weights": str(folder)} for folder in full]
        done = subprocess.run(  # noqa: S603 - our own script
            [str(self.python), str(TRAINER), str(self.model), json.dumps(requests)],
            capture_output=True,
            text=True,
            check=True,
        )
        scores: list[list[float]] = json.loads(done.stdout)
        return scores


def _say(sentence: str) -> None:
    """A start takes as long as the tests' limit allows; nobody has to be told."""
    del sentence


@contextmanager
def serve(logs: Path, *, adapters: bool) -> Iterator[ServedWeights]:
    """vLLM on the CPU until the block ends; with adapters, or with weights that can be reloaded."""
    python = engine_env.ensure(_say)
    model = weights.ensure_hf(weights.find_gguf(), python, _say)
    options = vllm_server.VllmOptions(
        model=str(model),
        port=free_port(),
        served_name=NAME,
        window=512,
        kv_cache_gib=1,
        max_num_seqs=8,
        adapters=adapters,
        reloads=not adapters,
        more=("--max-loras", "2", "--max-lora-rank", "8") if adapters else (),
    )
    with Processes(logs) as processes:
        child = processes.start(
            "vllm",
            vllm_server.command(python, options),
            env=vllm_server.environment(python, options),
        )
        vllm_server.wait_ready(child, options.url, _say)
        yield ServedWeights(options.url, python, model)


def write_adapter(folder: Path, *, seed: int, scale: float = 0.12) -> None:
    """A LoRA adapter of random numbers on the queries and values of all layers."""
    generator = np.random.default_rng(seed)
    tensors = {}
    for layer in range(LAYERS):
        for name, width in (("q_proj", HIDDEN), ("v_proj", VALUES)):
            module = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            for part, shape in (("lora_A", (RANK, HIDDEN)), ("lora_B", (width, RANK))):
                values = generator.normal(0.0, scale, shape).astype("<f4")
                tensors[f"{module}.{part}.weight"] = ("F32", shape, values.tobytes())
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": NAME,
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))


def write_full(folder: Path, model: Path, *, factor: float) -> None:
    """The model's weights, all logits times `factor`: far from the model, and as exact as it."""
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(model / name, folder / name)
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    tensor = json.loads(data[8 : 8 + length])["model.norm.weight"]
    assert tensor["dtype"] == "BF16"
    begin, end = (8 + length + offset for offset in tensor["data_offsets"])
    bits = np.frombuffer(bytes(data[begin:end]), dtype="<u2").astype(np.uint32) << 16
    changed = (bits.view(np.float32) * np.float32(factor)).view(np.uint32) >> 16
    data[begin:end] = changed.astype("<u2").tobytes()
    path.write_bytes(data)
