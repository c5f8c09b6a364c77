"""Records: the trees of one file of the trajectory log, streamed, each checked as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from banyan.trajectory import LOG_FORMAT, LOG_VERSION, LoggedNode
from training.errors import MalformedRecord, NoNodes
from training.lines import blocks
from training.log_errors import BadLogprob, ForeignRecord, NewerRecord
from training.structure import check_tree


@dataclass(frozen=True, slots=True)
class LoggedTree:
    """The nodes of one tree in one generation, and the line (from 1) of each in `file`."""

    file: str
    nodes: list[LoggedNode]
    lines: list[int]

    @property
    def root(self) -> LoggedNode:
        return next(node for node in self.nodes if node.parent_id is None)


class _Header(msgspec.Struct):
    format: str = ""
    format_version: int = 0


_header = msgspec.json.Decoder(_Header)
_node = msgspec.json.Decoder(LoggedNode)


def read_trees(path: Path) -> Iterator[LoggedTree]:
    """The trees of a file, each one's nodes standing together.

    Raises UnreadableFile and RecordErrors; what was yielded before is good.
    """
    file = str(path)
    nodes: list[LoggedNode] = []
    lines: list[int] = []
    for number, line in numbered(path):
        node = decode(line, file, number)
        if nodes and _key(node) != _key(nodes[0]):
            yield _checked(file, nodes, lines)
            nodes, lines = [], []
        nodes.append(node)
        lines.append(number)
    if not nodes:
        raise NoNodes(f"{file}: there is no node in it", hint="Remove the file: it holds nothing.")
    yield _checked(file, nodes, lines)


def numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1. Raises UnreadableFile."""
    number = 0
    for block in blocks(str(path)):
        for line in block.split(b"\n")[: None if not block.endswith(b"\n") else -1]:
            number += 1
            if line.strip():
                yield number, line


def decode(line: bytes, file: str, number: int) -> LoggedNode:
    """One record. Raises ForeignRecord, NewerRecord, BadLogprob or MalformedRecord."""
    try:
        header = _header.decode(line)
        if header.format != LOG_FORMAT or header.format_version < 1:
            raise ForeignRecord(f"no record of {LOG_FORMAT}", file=file, line=number)
        if header.format_version > LOG_VERSION:
            raise NewerRecord(
                f"a record of version {header.format_version}; this is version {LOG_VERSION}",
                file=file,
                line=number,
            )
        return _node.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "logprobs" in str(error) or _holds_no_number(line):
            raise BadLogprob(
                f"a log-probability is no number: {error}", file=file, line=number
            ) from (error)
        raise MalformedRecord(str(error), file=file, line=number) from error


def _holds_no_number(line: bytes) -> bool:
    """NaN and Infinity are no JSON, but Python writes them."""
    found: list[str] = []
    try:
        json.loads(line, parse_constant=found.append)
    except (ValueError, RecursionError):
        return False
    return bool(found)


def _key(node: LoggedNode) -> tuple[str, int]:
    return node.tree_id, node.tree.generation


def _checked(file: str, nodes: list[LoggedNode], lines: list[int]) -> LoggedTree:
    check_tree(file, nodes, lines)
    return LoggedTree(file, nodes, lines)
