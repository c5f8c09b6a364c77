"""Turns a GGUF file into a Hugging Face folder: dequantised weights, configuration, tokenizer.

    python convert_gguf.py MODEL.gguf FOLDER

Run by the engine environment's Python as a plain script (`banyan/local/weights.py` does so), since
torch and transformers live there and not beside the service.
"""

from __future__ import annotations

import sys
from pathlib import Path


def convert(source: Path, folder: Path) -> int:
    """Write `folder` and return the number of parameters."""
    import torch  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
    from transformers import (  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
        AutoModelForCausalLM,
        AutoTokenizer,
    )

    loaded = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype=torch.bfloat16
    )
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    # `save_pretrained` refuses what was loaded from a quantised file: a fresh model is not marked.
    fresh = type(loaded)(config).to(torch.bfloat16)
    fresh.load_state_dict(loaded.state_dict())
    fresh.save_pretrained(folder, safe_serialization=True)
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)
    return sum(parameter.numel() for parameter in fresh.parameters())


if __name__ == "__main__":
    count = convert(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(f"{count} parameters\n")
