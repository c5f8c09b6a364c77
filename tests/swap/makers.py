"""Makes what is published: manifests, safetensors files and directories that hold together."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from banyan.manifest import FILE_NAME, Manifest

BASE = {"name": "smollm2", "fingerprint": "a" * 64}
OTHER_BASE = {"name": "qwen", "fingerprint": "b" * 64}
PROBE_TOKEN_IDS = (7, 8)
PROBE = {"prompt_token_ids": [5, 6], "token_ids": PROBE_TOKEN_IDS, "logprobs": [-0.5, -1.0]}

Tensors = Mapping[str, tuple[str, Sequence[int], bytes]]


def rewards(mean: float, num: int = 40) -> dict[str, float]:
    """Rewards of tasks with a little spread around their mean, the same for every version."""
    return {f"task-{index}": mean + 0.01 * (index % 5 - 2) for index in range(num)}


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest that is complete, and good enough to be verified."""
    return {
        "format": 1,
        "policy": "base",
        "kind": "adapter",
        "parent": "base",
        "base": BASE,
        "data": {"first_tree": "t1", "last_tree": "t9", "num_trees": 9, "num_rows": 30},
        "losses": {"policy": 0.1},
        "evaluation": {
            "set_name": "algebra",
            "live_version": "base",
            "candidate": rewards(0.7),
            "live": rewards(0.6),
        },
        "threshold": 1.5,
        "logprob_gap": 0.01,
        "probe": PROBE,
        "files": {"adapter_config.json": "0" * 64, "adapter_model.safetensors": "1" * 64},
        **changes,
    }


def parsed(**changes: Any) -> Manifest:
    return Manifest.model_validate(manifest(**changes))


def safetensors(tensors: Tensors) -> bytes:
    """A file of the format, written by hand: name -> dtype, shape, bytes."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": offsets}
        data += content
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


WEIGHTS = safetensors({"lora_A": ("F32", (2, 2), floats(0.1, -0.2, 0.3, 0.0))})


def directory(folder: Path, *, weights: bytes = WEIGHTS, **changes: Any) -> Path:
    """A directory as a trainer leaves it: weights (an adapter's or full), and a manifest."""
    folder.mkdir(parents=True)
    config = {"base_model_name_or_path": changes.get("base", BASE)["name"], "r": 2}
    prefix = "" if changes.get("kind") == "full" else "adapter_"
    files = {
        f"{prefix}config.json": json.dumps(config).encode(),
        f"{prefix}model.safetensors": weights,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = manifest(**{"files": checksums, **changes})
    (folder / FILE_NAME).write_text(json.dumps(whole), encoding="utf-8")
    return folder
