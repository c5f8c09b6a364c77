"""Export: the trees that may train as one file, which appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
import zstandard

from banyan.trajectory import LoggedNode
from training.dataset import Survey, eligible_nodes
from training.errors import NoNodes, UnreadableFile

Format = Literal["jsonl", "parquet"]


def export(path: Path, found: Survey, out: Path, form: Format = "jsonl") -> int:
    """Write the records of all trees that may train; how many. JSONL is compressed for `.zst`.

    Parquet needs the trainer's environment. Raises NoNodes where there are none, and UnreadableFile
    where the disk does not take them.
    """
    if not found.eligible:
        why = ", ".join(f"{reason} {count}" for reason, count in found.reasons.most_common())
        raise NoNodes(
            f"{path}: none of {len(found.rows)} trees may train ({why or 'there are none'})",
            hint="`banyan-train data stats` says what each reason means.",
        )
    staged = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        num_nodes = _write(staged, eligible_nodes(path, found), form, compress=out.suffix == ".zst")
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(out)
    except OSError as error:
        raise UnreadableFile(
            f"{out} was not written: {error.strerror}", hint="Choose another place for it."
        ) from error
    finally:
        staged.unlink(missing_ok=True)
    return num_nodes


def _write(path: Path, nodes: Iterable[LoggedNode], form: Format, *, compress: bool) -> int:
    if form == "parquet":
        from training import parquet  # noqa: PLC0415 - needs pyarrow

        return parquet.write(path, nodes)
    encoder = msgspec.json.Encoder()
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj() if compress else None
    num_nodes = 0
    with path.open("xb") as file:
        for node in nodes:
            line = encoder.encode(node) + b"\n"
            file.write(compressor.compress(line) if compressor else line)
            num_nodes += 1
        if compressor:
            file.write(compressor.flush())
    return num_nodes
