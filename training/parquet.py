"""Parquet: the records of the log as columns, and back. Needs pyarrow (the trainer's environment).

The schema is made of the types of `LoggedNode`, so that a file has every column whatever its rows
hold. An answer may be any JSON: it is stored as its text.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from banyan.trajectory import LoggedNode

SUFFIX = ".parquet"
_GROUP_NODES = 4_096
"""Records that are written, or read, at a time."""


def write(path: Path, nodes: Iterable[LoggedNode]) -> int:
    """Write the records; how many. Raises OSError."""
    num_nodes, schema = 0, schema_of_nodes()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(nodes):
            rows = [_plain(node) for node in group]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            num_nodes += len(rows)
    return num_nodes


def lines(path: str) -> Iterator[bytes]:
    """The records as the lines of JSON that they were. Raises OSError and ValueError."""
    encoder = msgspec.json.Encoder()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_GROUP_NODES):
            rows: list[dict[str, Any]] = batch.to_pylist()
            yield b"".join(encoder.encode(_logged(row)) + b"\n" for row in rows)


def schema_of_nodes() -> pa.Schema:
    """One column a field of `LoggedNode`."""
    fields = _fields(LoggedNode)
    return pa.schema(fields)


def _fields(struct: type) -> list[pa.Field]:
    return [_field(name, hint) for name, hint in get_type_hints(struct).items()]


def _field(name: str, hint: Any) -> pa.Field:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    plain = [option for option in options if option is not type(None)]
    return pa.field(name, _type(plain[0]), nullable=len(plain) < len(options) or hint is object)


def _type(hint: Any) -> pa.DataType:
    simple = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if hint in simple:
        return simple[hint]
    if hint is object or get_origin(hint) is Literal:
        return pa.string()
    if get_origin(hint) is tuple:
        return pa.list_(_field("item", get_args(hint)[0]))
    if get_origin(hint) is dict:
        return pa.map_(pa.string(), pa.float64())
    return pa.struct(_fields(hint))


def _groups(nodes: Iterable[LoggedNode]) -> Iterator[list[LoggedNode]]:
    found = iter(nodes)
    while group := list(itertools.islice(found, _GROUP_NODES)):
        yield group


def _plain(node: LoggedNode) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(node)
    if row["outcome"] is not None:
        row["outcome"]["answer"] = msgspec.json.encode(row["outcome"]["answer"]).decode()
    return row


def _logged(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it was before it became columns. Raises ValueError for what is no record's."""
    try:
        if row["outcome"] is not None:
            row["outcome"]["answer"] = msgspec.json.decode(row["outcome"]["answer"] or "null")
        for turn in row["turns"]:
            logprobs = turn["choice"]["logprobs"]
            turn["choice"]["logprobs"] = None if logprobs is None else dict(logprobs)
    except (LookupError, TypeError) as error:
        raise ValueError(f"its columns are not those of the trajectory log: {error}") from error
    return row
