"""Token ids as a turn's record keeps them: the JSON text that the trajectory log has of them.

A node's prompts have thousands of ids. As text they are written once, by the turn itself, and go
from the store into the log as they are, without an object of Python's for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from pydantic import BeforeValidator, PlainSerializer

EMPTY = b"[]"

_decoder = msgspec.json.Decoder(tuple[int, ...])


def to_text(token_ids: Sequence[int]) -> bytes:
    """`[1,2,3]`."""
    return msgspec.json.encode(token_ids)


def of_text(stored: object) -> object:
    """The ids of a text. Records of version 1 have lists, which pass as they are."""
    return _decoder.decode(stored) if isinstance(stored, bytes) else stored


def as_text(stored: bytes | Sequence[int]) -> bytes:
    """What a record of any version keeps, as text."""
    return stored if isinstance(stored, bytes) else to_text(stored)


def joined(first: bytes, second: bytes) -> bytes:
    """The text of the ids of one text and then those of the other."""
    if EMPTY in (first, second):
        return first if second == EMPTY else second
    return first[:-1] + b"," + second[1:]


def count(text: bytes) -> int:
    """How many ids a text has."""
    return 0 if text == EMPTY else text.count(b",") + 1


TokenIds = Annotated[tuple[int, ...], BeforeValidator(of_text), PlainSerializer(to_text)]
"""The type of a field that is packed as text, and is a tuple for whoever reads it."""
