"""SIGTERM one part after another and start it again, while solves come in: none may fail.

Clients use the SDK, which repeats what a restart interrupts.
"""

from __future__ import annotations

import signal
import threading

from banyan.client import Client
from banyan.client.errors import ClientError
from bench.chaos.follower import PATIENT
from bench.chaos.house import WAIT_S, House
from bench.chaos.report import Report, Size
from bench.stack import wait_until

ROUNDS = 3
CLIENTS = 4
DEPTH = 2
ENDED_IN_ORDER = {0, -signal.SIGTERM}
"""uvicorn ends by the signal itself once its requests are answered."""


class Caller(threading.Thread):
    """Solves one goal after another until it is told to stop."""

    def __init__(self, url: str, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._stopping = stopping
        self.answers: list[str] = []
        self.errors: list[str] = []

    def run(self) -> None:
        with Client(self._url, max_attempts=PATIENT) as banyan:
            while not self._stopping.is_set():
                try:
                    solved = banyan.solve(
                        "fan-out 4",
                        gate={"mode": "always"},
                        limits={"max_depth": DEPTH, "max_tokens": 1_000_000_000},
                        timeout_s=WAIT_S,
                    )
                except ClientError as error:
                    self.errors.append(str(error))
                else:
                    self.answers.append(f"{solved.status}: {solved.answer}")


def run(house: House, size: Size) -> Report:
    """Restart service, workers, model servers and store in turn, `faults` rounds."""
    report, rounds = Report("rolling-restart", size.seed), size.faults or ROUNDS
    stopping = threading.Event()
    callers = [Caller(house.stack.url, stopping) for _ in range(size.trees or CLIENTS)]
    for caller in callers:
        caller.start()
    wait_until(lambda: all(caller.answers for caller in callers), WAIT_S)
    codes = [code for _ in range(rounds) for code in _one_round(house, callers)]
    stopping.set()
    for caller in callers:
        caller.join(WAIT_S)
    answers = [answer for caller in callers for answer in caller.answers]
    errors = [error for caller in callers for error in caller.errors]
    right = sum(answer == f"completed: {4**DEPTH}" for answer in answers)
    if errors:
        report.figures["first error"] = errors[0]
    report.figures |= {
        "restarts": len(codes),
        "solves": len(answers) + len(errors),
        "failed solves": len(errors) + len(answers) - right,
    }
    report.checks |= {
        "no solve failed": not errors and right == len(answers),
        "every part ended in order": set(codes) <= ENDED_IN_ORDER,
    }
    return report


def _one_round(house: House, callers: list[Caller]) -> list[int]:
    """Exit codes of what was restarted; between two parts every client gets an answer."""
    stack, codes = house.stack, []
    for worker in list(stack.workers):
        stack.start_worker()
        codes.append(stack.terminate(worker))
        _wait_progress(callers)
    codes.append(stack.terminate(stack.service))
    stack.start_service()
    house.wait_ready()
    _wait_progress(callers)
    for url, engine in zip(stack.engine_urls, list(stack.engines), strict=True):
        codes.append(stack.terminate(engine))
        stack.start_engine(url)
        house.wait_engines()
        _wait_progress(callers)
    stack.valkey.stop()
    stack.valkey.start()
    codes.append(0)
    _wait_progress(callers)
    return codes


def _wait_progress(callers: list[Caller]) -> None:
    seen = [len(caller.answers) + len(caller.errors) for caller in callers]

    def all_moved() -> bool:
        now = [len(caller.answers) + len(caller.errors) for caller in callers]
        return all(more > before for more, before in zip(now, seen, strict=True))

    wait_until(all_moved, WAIT_S)
