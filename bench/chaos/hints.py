"""What may happen to a Celery message on its way: doubled, out of order, lost.

kombu publishes with `LPUSH queue message`, and workers take from the other end. So a message is
doubled by naming it twice, comes before all others by RPUSH, and is lost by going into another
list: each is still one command with one reply.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from banyan.adapters.celery_queue import CHILDREN, CONTINUATIONS

LOST = b"chaos.lost"
_QUEUES = frozenset({CHILDREN.encode(), CONTINUATIONS.encode()})


@dataclass(slots=True)
class Mischief:
    """Shared by the connections of proxies, and none at first; counts what it did."""

    doubles: bool = False
    reverses: bool = False
    loses: float = 0.0
    num_messages: int = 0
    num_lost: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def of(self, command: list[bytes]) -> list[bytes]:
        """What becomes of a command."""
        if command[0].upper() != b"LPUSH" or command[1] not in _QUEUES:
            return command
        self.num_messages += 1
        name, queue, *messages = command
        if self.chance.random() < self.loses:
            self.num_lost += 1
            return [name, LOST, *messages]
        if self.doubles:
            messages = messages * 2
        return [b"RPUSH" if self.reverses else name, queue, *messages]


class CommandRewriter:
    """Reads Redis's protocol out of pieces of a connection, and rewrites its commands."""

    def __init__(self, mischief: Mischief) -> None:
        self._mischief = mischief
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        """The commands that are whole by now, rewritten."""
        self._rest += data
        out = []
        while (found := _command(self._rest)) is not None:
            command, length = found
            self._rest = self._rest[length:]
            out.append(_encoded(self._mischief.of(command)))
        return b"".join(out)


def _command(data: bytes) -> tuple[list[bytes], int] | None:
    """The first command and its length in bytes; None where it is not whole yet."""
    head, found, _ = data.partition(b"\r\n")
    if not found:
        return None
    position, parts = len(head) + 2, []
    for _ in range(int(head[1:])):
        end = data.find(b"\r\n", position)
        if end < 0:
            return None
        size, start = int(data[position + 1 : end]), end + 2
        if len(data) < start + size + 2:
            return None
        parts.append(data[start : start + size])
        position = start + size + 2
    return parts, position


def _encoded(command: list[bytes]) -> bytes:
    sized = (b"$%d\r\n%b\r\n" % (len(part), part) for part in command)
    return b"*%d\r\n%b" % (len(command), b"".join(sized))
