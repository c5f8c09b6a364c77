"""Lines: blocks of whole lines from a JSONL file, plain or zstd, from Parquet, or standard input.

What a file is, is seen from its first bytes, so that its name need not say so. Parquet, whose rows
become the lines that they were written from, is read in the trainer's environment.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import zstandard

from training.errors import UnreadableFile

STDIN = "-"
BLOCK_BYTES = 1 << 24
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_PARQUET_MAGIC = b"PAR1"


def name_of(path: str) -> str:
    """What errors call the file."""
    return "<stdin>" if path == STDIN else path


def blocks(path: str, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Whole lines, about `block_bytes` at a time; `-` is standard input. Raises UnreadableFile."""
    rest = b""
    for piece in _pieces(path, block_bytes):
        head, newline, tail = piece.rpartition(b"\n")
        if newline:
            yield rest + head + newline
            rest = tail
        else:
            rest += piece
    if rest:
        yield rest


def _pieces(path: str, num_bytes: int) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            magic = file.peek(len(_ZSTD_MAGIC))[: len(_ZSTD_MAGIC)]
            if magic == _ZSTD_MAGIC:
                yield from _decompressed(file, num_bytes)
            elif magic == _PARQUET_MAGIC and path != STDIN:
                yield from _from_parquet(path)
            else:
                while piece := file.read(num_bytes):
                    yield piece
    except (OSError, zstandard.ZstdError, EOFError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableFile(f"{name_of(path)}: {reason or error}") from error


def _opened(path: str) -> contextlib.AbstractContextManager[io.BufferedReader]:
    if path == STDIN:
        raw: BinaryIO = sys.stdin.buffer
        return contextlib.nullcontext(
            raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(io.BytesIO(raw.read()))
        )
    return Path(path).open("rb")


def _from_parquet(path: str) -> Iterator[bytes]:
    if find_spec("pyarrow") is None:
        raise UnreadableFile(
            f"{path}: Parquet is read in the trainer's environment",
            hint="`make train-setup` makes it; `banyan-train data` goes on there by itself.",
        )
    from training import parquet  # noqa: PLC0415 - needs pyarrow

    yield from parquet.lines(path)


def _decompressed(file: io.BufferedReader, num_bytes: int) -> Iterator[bytes]:
    """The frames of `file`, one after another. Raises EOFError where the last one is cut short.

    The library's own reader takes a frame that is cut short for one that ends there.
    """
    frame = zstandard.ZstdDecompressor().decompressobj()
    began = False
    while compressed := file.read(num_bytes):
        while compressed:
            began = True
            yield frame.decompress(compressed)
            if not frame.eof:
                break
            compressed = frame.unused_data
            frame, began = zstandard.ZstdDecompressor().decompressobj(), False
    if began:
        raise EOFError("the compressed data is cut short")
