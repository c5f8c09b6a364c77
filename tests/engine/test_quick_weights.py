"""The rewriting of weights that llama.cpp reads slowly, on files of two small tensors."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from gguf.quants import dequantize, quantize

from banyan.local import weights

Q4_1 = gguf.GGMLQuantizationType.Q4_1
Q8_0 = gguf.GGMLQuantizationType.Q8_0
F32 = gguf.GGMLQuantizationType.F32


def test_slow_weights_are_rewritten_once_and_all_else_stays(tmp_path: Path) -> None:
    slow = _write(tmp_path / "tiny.Q4_1.gguf", Q4_1)
    said: list[str] = []

    quick = weights.ensure_quick(slow, said.append, cache=tmp_path)

    assert quick.name == "tiny.Q8_0.gguf"
    before, after = gguf.GGUFReader(slow), gguf.GGUFReader(quick)
    assert [tensor.tensor_type for tensor in after.tensors] == [Q8_0, F32]
    was, now = (dequantize(it.tensors[0].data, it.tensors[0].tensor_type) for it in (before, after))
    assert np.abs(was - now).max() <= np.abs(was).max() / 127
    assert np.array_equal(before.tensors[1].data, after.tensors[1].data)
    assert after.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    assert weights.ensure_quick(slow, said.append, cache=tmp_path) == quick
    assert said == ["rewriting tiny.Q4_1.gguf for fast prompts, once"]


def test_quick_weights_are_served_as_they_are(tmp_path: Path) -> None:
    quick = _write(tmp_path / "tiny.gguf", Q8_0)
    said: list[str] = []

    assert weights.ensure_quick(quick, said.append, cache=tmp_path) == quick
    assert not said


def _write(path: Path, kind: gguf.GGMLQuantizationType) -> Path:
    values = np.random.default_rng(1).normal(size=(4, 64)).astype(np.float32)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list(["a", "b"])
    writer.add_tensor("weight", quantize(values, kind), raw_dtype=kind)
    writer.add_tensor("norm", values[0], raw_dtype=F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
