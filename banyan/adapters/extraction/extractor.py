"""Extractor: reads HTML and PDF in processes of their own, a few at one time, within limits.

Parsers of foreign formats are large, and documents may be made to hurt them. So they run apart,
without the service's secrets, with bounded memory and time; what dies there is a refused document.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from banyan import errors
from banyan.adapters.extraction import program
from banyan.adapters.extraction.program import NO_ROOM, REFUSED, Facts, Job, Refusal

_MIB = 1024 * 1024
_OUT_OF_MEMORY = frozenset({signal.SIGABRT, signal.SIGILL, signal.SIGTRAP, signal.SIGBUS})
"""How native parsers end where they get no more memory."""


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """What reading one document may take. `memory_bytes` is of address space."""

    timeout_s: float = 120.0
    memory_bytes: int = 1024 * _MIB
    max_pages: int = 10_000
    max_text_bytes: int = 1024 * _MIB
    num_parallel: int = 2


class Extractor:
    """Reads documents into files of text. Bound to the event loop that uses it first."""

    def __init__(self, limits: ExtractionLimits | None = None) -> None:
        self._limits = limits or ExtractionLimits()
        self._slots = asyncio.Semaphore(self._limits.num_parallel)

    async def extract(
        self, kind: Literal["html", "pdf"], source: Path, target: Path, *, charset: str | None
    ) -> Facts:
        """Write the text of `source` to `target`.

        Raises InvalidDocument, of several kinds, and StoreFull where there is no room for the text.
        """
        job = Job(
            kind=kind,
            charset=charset,
            source=str(source),
            target=str(target),
            max_pages=self._limits.max_pages,
            max_text_bytes=self._limits.max_text_bytes,
            memory_bytes=self._limits.memory_bytes,
            cpu_s=max(1, round(self._limits.timeout_s)),
        )
        async with self._slots:
            returncode, output = await self._run(job)
        if returncode == REFUSED:
            refusal: Refusal = json.loads(output)
            kinds = {one.__name__: one for one in errors.InvalidDocument.__subclasses__()}
            raise kinds.get(refusal["error"], errors.InvalidDocument)(refusal["message"])
        if returncode == NO_ROOM:
            raise errors.StoreFull("no room for the text of a document")
        if returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
            raise self._too_long()
        if returncode < 0 and -returncode in _OUT_OF_MEMORY:
            raise errors.TooComplex("reading the document takes too much memory")
        if returncode != 0:
            raise errors.BrokenDocument("the document cannot be read: its parser gave up")
        facts: Facts = json.loads(output)
        return facts

    async def _run(self, job: Job) -> tuple[int, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-B",  # bytecode, cut off at the limit of files, would break every later import
            "-m",
            program.__name__,
            json.dumps(job),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                output, _ = await process.communicate()
        except TimeoutError as error:
            raise self._too_long() from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output

    def _too_long(self) -> errors.TooComplex:
        return errors.TooComplex(
            f"reading the document takes longer than {self._limits.timeout_s:g} s"
        )
