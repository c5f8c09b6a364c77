"""Node lines: one JSON object a node; the fields of it that credit needs, each line by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec

from training.errors import BadSuccess, MalformedRecord, NoNodes
from training.lines import blocks, name_of

Id = str | int
_MAX_DEPTH = 1 << 31


class Success(msgspec.Struct, gc=False):
    value: float | None = None


class NodeLine(msgspec.Struct, gc=False):
    """What credit is made of. Other fields are ignored, and no success is the same as null."""

    tree_id: Id
    group_id: Id | None
    node_id: Id
    parent_id: Id | None
    depth: Annotated[int, msgspec.Meta(ge=0, le=_MAX_DEPTH)]
    success: Success | None = None

    @property
    def success_value(self) -> float | None:
        return None if self.success is None else self.success.value


@dataclass(frozen=True, slots=True)
class NodeLines:
    """The nodes of a file in its order, and the number of each one's line, from 1."""

    file: str
    nodes: list[NodeLine]
    numbers: list[int]


_one = msgspec.json.Decoder(NodeLine)


def read(path: str) -> NodeLines:
    """The nodes of a JSONL file, or of standard input for `-`; blank lines are passed over.

    Raises UnreadableFile, NoNodes, MalformedRecord and BadSuccess.
    """
    file = name_of(path)
    nodes: list[NodeLine] = []
    numbers: list[int] = []
    num_before = 0
    for block in blocks(path):
        num_lines = block.count(b"\n") + (not block.endswith(b"\n"))
        try:
            found = _one.decode_lines(block)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = []  # the slow way says which line it is
        if len(found) == num_lines:
            numbers += range(num_before + 1, num_before + num_lines + 1)
        else:
            numbered = list(_one_by_one(block, file, num_before))
            found = [node for _, node in numbered]
            numbers += [number for number, _ in numbered]
        nodes += found
        num_before += num_lines
    if not nodes:
        raise NoNodes(f"{file}: there is no node in it")
    lines = NodeLines(file, nodes, numbers)
    _check_success(lines)
    return lines


def _one_by_one(block: bytes, file: str, num_before: int) -> Iterator[tuple[int, NodeLine]]:
    for number, line in enumerate(block.split(b"\n"), start=num_before + 1):
        if not line.strip():
            continue
        try:
            yield number, _one.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if _has_no_finite_success(line):
                raise BadSuccess("success is no finite number", file=file, line=number) from error
            raise MalformedRecord(str(error), file=file, line=number) from error


def _has_no_finite_success(line: bytes) -> bool:
    """NaN and Infinity are no JSON, but what writes them is worth being told so."""
    try:
        value = json.loads(line)["success"]["value"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return False
    return isinstance(value, float) and not math.isfinite(value)


def _check_success(lines: NodeLines) -> None:
    for number, node in zip(lines.numbers, lines.nodes, strict=True):
        value = node.success_value
        if value is not None and not 0.0 <= value <= 1.0:
            raise BadSuccess(f"success {value} is not in [0, 1]", file=lines.file, line=number)
