"""How much memory a group of processes has held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from banyan.local.memory import session_peak_bytes


def write(proc: Path, pid: int, session: int, peak: str = "VmHWM:\t    2048 kB\n") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (a (strange) name) S 1 {session} {session} 0 -1 4 5\n")
    (folder / "status").write_text(f"Name:\tx\n{peak}Threads:\t1\n")


def test_the_peaks_of_all_processes_of_the_session_are_added_up(tmp_path: Path) -> None:
    write(tmp_path, 10, session=10)
    write(tmp_path, 11, session=10, peak="VmHWM:\t    1024 kB\n")
    write(tmp_path, 12, session=12)
    write(tmp_path, 13, session=10, peak="")  # a zombie has none
    (tmp_path / "self").mkdir()
    assert session_peak_bytes(10, tmp_path) == 3 * 2**20


def test_nothing_is_known_where_no_process_is_left(tmp_path: Path) -> None:
    write(tmp_path, 12, session=12)
    (tmp_path / "10").mkdir()  # it ended between two looks
    assert session_peak_bytes(10, tmp_path) is None


def test_a_real_process_has_held_what_it_held() -> None:
    code = "import sys; kept = b'x' * 50_000_000; print(len(kept), flush=True); sys.stdin.read()"
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        peak = session_peak_bytes(process.pid)
        assert process.stdin is not None
        process.stdin.close()
    assert peak is not None
    assert 50_000_000 < peak < 2**31
