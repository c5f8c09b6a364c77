"""Export: the trees that may train as one JSONL file, which appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import zstandard

from training.dataset import Survey, eligible_nodes
from training.errors import NoNodes, UnreadableFile


def export(path: Path, found: Survey, out: Path) -> int:
    """Write the records of all trees that may train; how many. Compressed where `out` says `.zst`.

    Raises NoNodes where there are none, and UnreadableFile where the disk does not take them.
    """
    if not found.eligible:
        why = ", ".join(f"{reason} {count}" for reason, count in found.reasons.most_common())
        raise NoNodes(
            f"{path}: none of {len(found.rows)} trees may train ({why or 'there are none'})",
            hint="`banyan-train data stats` says what each reason means.",
        )
    staged = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with staged.open("xb") as file:
            num_nodes = _write(path, found, file.write, compress=out.suffix == ".zst")
            file.flush()
            os.fsync(file.fileno())
        staged.replace(out)
    except OSError as error:
        raise UnreadableFile(
            f"{out} was not written: {error.strerror}", hint="Choose another place for it."
        ) from error
    finally:
        staged.unlink(missing_ok=True)
    return num_nodes


def _write(path: Path, found: Survey, write: Callable[[bytes], object], *, compress: bool) -> int:
    encoder = msgspec.json.Encoder()
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj() if compress else None
    num_nodes = 0
    for node in eligible_nodes(path, found):
        line = encoder.encode(node) + b"\n"
        write(compressor.compress(line) if compressor else line)
        num_nodes += 1
    if compressor:
        write(compressor.flush())
    return num_nodes
