"""Affinity: which calls should meet the same replica, since their prompts begin alike. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from banyan.ports import Message

_NUM_MESSAGES = 2
_NUM_CHARS = 512
"""Of the system message and the first of the user: they begin with the material, which all calls of
a node have in common; what is asked about it comes later and differs."""


def affinity(messages: Sequence[Message]) -> str:
    """A digest of what a dialogue begins with, as far as all calls of its node share it.

    A dialogue that goes on behind a parent's prefix has its parent's: the cache is there.
    """
    if messages and messages[0].role == "prefix":
        return messages[0].content
    beginning = "\0".join(message.content[:_NUM_CHARS] for message in messages[:_NUM_MESSAGES])
    return hashlib.blake2b(beginning.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
