"""Packed state: a versioned byte string of a kernel model, msgpack + zstd, never pickle.

Layout: 4 bytes magic `BNY` + kind, 1 byte format version of the kind, then a zstd frame of msgpack.
`unpack` is the inverse of `pack`. It reads older versions too, and refuses what is foreign, newer,
cut off or larger than MAX_UNPACKED.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec
import zstandard
from pydantic import BaseModel, ValidationError

from banyan.errors import ForeignVersion, PackError

MAX_UNPACKED_BYTES = 256 * 1024 * 1024

_MAGIC = b"BNY"
_KINDS: dict[str, bytes] = {
    "Node": b"n",
    "Outcome": b"o",
    "SharedState": b"s",
    "Task": b"t",
    "TurnRecord": b"r",
}
_FIRST_VERSION = 1
_VERSIONS: dict[str, int] = {"SharedState": 2, "TurnRecord": 2}
"""Of kinds whose fields are others than at first, or packed in another way."""

_DAMAGE = (
    zstandard.ZstdError,
    msgspec.DecodeError,
    ValidationError,
    UnicodeError,
    RecursionError,
)

M = TypeVar("M", bound=BaseModel)


class _Codec(threading.local):
    """zstd contexts, one of each for a thread: making one costs more than a small pack."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.decompressor = zstandard.ZstdDecompressor()


_codec = _Codec()


def format_version(model: type[BaseModel]) -> int:
    """The version that a model is packed in; `unpack` reads it and all before it."""
    return _VERSIONS.get(model.__name__, _FIRST_VERSION)


def pack(value: BaseModel) -> bytes:
    """Bytes of `value`: a Node, an Outcome, a SharedState, a Task or a TurnRecord."""
    header = _MAGIC + _KINDS[type(value).__name__] + bytes([format_version(type(value))])
    body = msgspec.msgpack.encode(value.model_dump(mode="python", exclude_defaults=True))
    return header + _codec.compressor.compress(body)


def unpack(packed: bytes, model: type[M]) -> M:
    """The model that `packed` holds. Raises ForeignVersion or PackError."""
    try:
        return model.model_validate(unpack_fields(packed, model))
    except _DAMAGE as error:
        raise PackError(f"packed state is damaged: {_damage(error)}") from error


def unpack_fields(packed: bytes, model: type[BaseModel]) -> Any:
    """What `packed` holds of a model, unchecked, without fields that have their default.

    A tenth of the price of `unpack`, for readers of what this project's own code has packed. Raises
    ForeignVersion or PackError.
    """
    kind = _KINDS[model.__name__]
    if packed[:3] != _MAGIC:
        raise PackError("not packed state: the first bytes are foreign")
    if packed[3:4] != kind:
        raise PackError(f"packed state of another kind: {packed[3:4]!r} instead of {kind!r}")
    version, newest = packed[4:5], bytes([format_version(model)])
    if not bytes([_FIRST_VERSION]) <= version <= newest:
        raise ForeignVersion(f"packed by format version {version.hex()}, this is {newest.hex()}")
    try:
        size = zstandard.frame_content_size(packed[5:])
        if not 0 <= size <= MAX_UNPACKED_BYTES:
            raise PackError(
                f"packed state says it holds {size} bytes, at most {MAX_UNPACKED_BYTES}"
            )
        unpacker = _codec.decompressor.decompressobj()
        body = unpacker.decompress(packed[5:])
        if not unpacker.eof or unpacker.unused_data or len(body) != size:
            raise PackError("packed state is cut off, or followed by something else")
        return msgspec.msgpack.decode(body)
    except _DAMAGE as error:
        raise PackError(f"packed state is damaged: {_damage(error)}") from error


def _damage(error: Exception) -> str:
    """What is wrong, and in which field; never what stands there, which is users' text.

    Of a location only its first part is told: further on there are keys of users' JSON.
    """
    if not isinstance(error, ValidationError):
        return type(error).__name__
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = dict.fromkeys(f"{''.join(map(str, one['loc'][:1]))} {one['type']}" for one in found)
    return ", ".join(part.strip() for part in told)
