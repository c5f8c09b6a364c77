"""Packed state as releases before this one have packed it."""

from __future__ import annotations

import msgspec
import zstandard

from banyan.state import pack
from banyan.trajectory import TurnRecord

_KIND_BYTES = 4


def as_version_1(record: TurnRecord) -> bytes:
    """With token ids as numbers."""
    kept = {name: value for name, value in record if name.endswith("token_ids")}
    fields = record.model_dump(exclude_defaults=True) | kept
    body = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(fields))
    return pack(record)[:_KIND_BYTES] + b"\x01" + body
