"""Follower: a client that streams one solve to its end, and notes what came."""

from __future__ import annotations

import threading

from banyan.client import Client

PATIENT = 1_000
"""Attempts of a client that waits for the service however long its start takes."""


class Follower(threading.Thread):
    """Begins when it is made."""

    def __init__(self, url: str, solve_id: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._solve_id = solve_id
        self.seqs: list[int] = []
        self.saw_result = False
        self.start()

    def run(self) -> None:
        with Client(self._url, max_attempts=PATIENT) as banyan:
            for event in banyan.stream(self._solve_id):
                if event.seq is not None:
                    self.seqs.append(event.seq)
                self.saw_result = event.type == "result"

    @property
    def num_wrong(self) -> int:
        """Gaps and repeats, and a result that never came."""
        wrong = sum(seq != index for index, seq in enumerate(self.seqs, start=1))
        return wrong + (not self.saw_result)
