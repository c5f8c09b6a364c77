"""Safetensors files, read without loading them: the header, and whether all numbers are finite.

The format: 8 bytes (little-endian) with the header's length, the header as JSON (name -> dtype,
shape, data_offsets), then the data without gaps. github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from banyan.errors import BrokenWeights

MAX_HEADER_BYTES = 100 * 1024 * 1024
_CHUNK_BYTES = 8 * 1024 * 1024
_METADATA = "__metadata__"

_TYPES_BY_SIZE = {
    8: ("F64", "I64", "U64"),
    4: ("F32", "I32", "U32"),
    2: ("F16", "BF16", "I16", "U16"),
    1: ("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"),
}
_SIZES = {dtype: size for size, dtypes in _TYPES_BY_SIZE.items() for dtype in dtypes}
_Size = Annotated[int, Field(ge=0)]


class _Tensor(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dtype: str
    shape: tuple[_Size, ...]
    data_offsets: tuple[_Size, _Size]


_TENSORS = TypeAdapter(dict[str, _Tensor])


@dataclass(frozen=True, slots=True)
class _Float:
    """Infinite and NaN are all values whose exponent bits are all ones.

    `high` finds last bytes with every exponent bit that they hold set; of the byte before it
    `next_mask` are the rest of the exponent.
    """

    high: re.Pattern[bytes]
    next_mask: int


_WIDE = re.compile(rb"[\x7f\xff]")
_FLOATS = {
    "F64": _Float(_WIDE, 0xF0),
    "F32": _Float(_WIDE, 0x80),
    "BF16": _Float(_WIDE, 0x80),
    "F16": _Float(re.compile(rb"[\x7c-\x7f\xfc-\xff]"), 0x00),
}


def check(path: Path) -> None:
    """Raise BrokenWeights, naming file and tensor, unless the file is whole and its numbers finite.

    Reads the file once, at the speed of the disk. Numbers of 8 bits are taken as they are.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(MAX_HEADER_BYTES, size - 8):
            raise BrokenWeights(f"{path.name}: cut off, or no safetensors file")
        tensors = _header(path, file.read(length))
        start = 8 + length
        if not tensors:
            raise BrokenWeights(f"{path.name}: holds no tensors")
        _check_layout(path, tensors, size - start)
        for name, tensor in tensors.items():
            kind = _FLOATS.get(tensor.dtype)
            if kind is None:
                continue
            begin, end = tensor.data_offsets
            file.seek(start + begin)
            for offset in range(begin, end, _CHUNK_BYTES):
                chunk = file.read(min(_CHUNK_BYTES, end - offset))
                if not _is_finite(chunk, _SIZES[tensor.dtype], kind):
                    raise BrokenWeights(f"{path.name}: {name} holds numbers that are not finite")


def _header(path: Path, data: bytes) -> dict[str, _Tensor]:
    try:
        value = dict(json.loads(data))
        value.pop(_METADATA, None)
        return _TENSORS.validate_python(value)
    except (TypeError, ValueError, ValidationError) as error:
        raise BrokenWeights(f"{path.name}: its header is no safetensors header") from error


def _check_layout(path: Path, tensors: dict[str, _Tensor], num_bytes: int) -> None:
    """Every tensor has a known type and its own bytes, and all bytes belong to one."""
    position = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        size = _SIZES.get(tensor.dtype)
        if size is None:
            raise BrokenWeights(f"{path.name}: {name} has the unknown type {tensor.dtype[:16]}")
        begin, end = tensor.data_offsets
        if begin != position or end - begin != math.prod(tensor.shape) * size:
            raise BrokenWeights(f"{path.name}: {name} does not have the bytes that its shape needs")
        position = end
    if position != num_bytes:
        raise BrokenWeights(f"{path.name}: {num_bytes} bytes of data, its header says {position}")


def _is_finite(chunk: bytes, size: int, kind: _Float) -> bool:
    highs = chunk[size - 1 :: size]
    nexts = chunk[size - 2 :: size]
    mask = kind.next_mask
    return all(nexts[hit.start()] & mask != mask for hit in kind.high.finditer(highs))
