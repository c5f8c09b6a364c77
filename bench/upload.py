"""Uploads one large text: how long it takes, and how much memory the service needs for it.

    python -m bench.upload            # 1 GB
    python -m bench.upload --mb 100

The service is a process of its own on a folder below TMPDIR, which needs twice the size on disk
and is removed at the end. Memory is the resident set of that process, read every 20 ms, and its
peak as the kernel keeps it. The command fails where the peak exceeds --limit-mb, or the text that
is downloaded again is not the one that was sent.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import psutil

from bench.stack import Stack

MB = 1_000_000
_BLOCK_BYTES = 1 << 20
_POLL_S = 0.02
_LINE = "{:012d}: A banyan drops roots, größer und größer, and these become trunks.\n"


class Memory:
    """The resident set of a process while a block runs, in bytes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.peak = self._process.memory_info().rss

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_POLL_S):
            self.peak = max(self.peak, self._process.memory_info().rss)


def blocks(num_bytes: int) -> Iterator[bytes]:
    """Text in UTF-8 of exactly this size; every line differs from the others."""
    left, number = num_bytes, 0
    while left > 0:
        lines = "".join(_LINE.format(number + index) for index in range(_BLOCK_BYTES // 64))
        number += _BLOCK_BYTES // 64
        data = lines.encode()
        if len(data) > left:
            data = data[:left].decode("utf-8", "ignore").encode().ljust(left, b".")
        left -= len(data)
        yield data


def kernel_peak(pid: int) -> int:
    """The highest resident set that the process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = (one for one in status.splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main() -> int:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1_000)
    parser.add_argument("--limit-mb", type=int, default=200)
    arguments = parser.parse_args()
    num_bytes = arguments.mb * MB
    with Stack(num_workers=0) as stack:
        service = stack.service.pid
        with Memory(service) as sending:
            began = time.monotonic()
            sent = hashlib.sha256()

            def body() -> Iterator[bytes]:
                for block in blocks(num_bytes):
                    sent.update(block)
                    yield block

            reply = httpx.post(
                f"{stack.url}/documents",
                content=body(),
                headers={"Content-Type": "text/plain"},
                timeout=600.0,
            ).raise_for_status()
            upload_s = time.monotonic() - began
        with Memory(service) as reading:
            began = time.monotonic()
            got = hashlib.sha256()
            path = f"{stack.url}/documents/{reply.json()['id']}/text"
            with httpx.stream("GET", path, timeout=600.0) as text:
                for chunk in text.iter_bytes():
                    got.update(chunk)
            download_s = time.monotonic() - began
        peak = kernel_peak(service)
    print(f"{'':10}{'seconds':>9}{'MB/s':>8}{'before, MB':>12}{'peak, MB':>10}")
    for name, seconds, memory in (("upload", upload_s, sending), ("download", download_s, reading)):
        speed = arguments.mb / seconds
        print(
            f"{name:10}{seconds:9.1f}{speed:8.1f}{memory.before / MB:12.0f}{memory.peak / MB:10.0f}"
        )
    print(f"peak of the process: {peak / MB:.0f} MB, limit {arguments.limit_mb} MB")
    if got.digest() != sent.digest():
        print("the text that came back is another one", file=sys.stderr)
        return 1
    return 0 if peak <= arguments.limit_mb * MB else 1


if __name__ == "__main__":
    sys.exit(main())
