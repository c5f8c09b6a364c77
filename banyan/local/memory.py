"""Memory: the most that a group of processes has held, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path

_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_SESSION = 3
"""Position of the session's id behind the program's name in `/proc/PID/stat`; see proc(5)."""


def session_peak_bytes(session: int, proc: Path = Path("/proc")) -> int | None:
    """Peak resident bytes of the processes that are in this session now, each one's own peak.

    Pages that several share count for each, so this is an upper bound. None where no process is in
    the session, or the system does not tell.
    """
    peaks = [_peak_bytes(folder) for folder in proc.glob("[0-9]*") if _session(folder) == session]
    known = [peak for peak in peaks if peak is not None]
    return sum(known) if known else None


def _session(folder: Path) -> int | None:
    fields = _read(folder / "stat").rpartition(b")")[2].split()
    return int(fields[_SESSION]) if len(fields) > _SESSION else None


def _peak_bytes(folder: Path) -> int | None:
    found = _PEAK.search(_read(folder / "status"))
    return 1024 * int(found[1]) if found else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""
