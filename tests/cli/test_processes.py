"""Children end with their parent, in order, whatever way the parent goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil

from banyan.local import watchdog
from banyan.local.processes import Child, Processes
from tests.cli.groups import group_members
from tests.fixtures.waiting import wait_for

STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print('ready', child.pid, flush=True)\n"
    "time.sleep(600)\n"
)
SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"


def test_a_child_leads_a_group_of_its_own_and_its_output_goes_to_its_log(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start("one", [sys.executable, "-c", SLEEPER], env=os.environ)
        wait_for(lambda: child.tail() == "ready", "the child's first line")
        assert os.getpgid(child.pid) == child.pid
        assert child.log == tmp_path / "one.log"
        assert processes.dead() is None


def test_a_child_that_ignores_sigterm_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    child = processes.start("stubborn", [sys.executable, "-c", STUBBORN], env=os.environ)
    wait_for(lambda: child.tail().startswith("ready"), "the grandchild")
    assert len(group_members(child.pid)) == 2

    processes.stop(grace_s=0.2)

    assert child.returncode() == -signal.SIGKILL
    assert group_members(child.pid) == []


def test_children_stop_in_the_reverse_order_of_their_start(tmp_path: Path) -> None:
    order = tmp_path / "order"
    program = (
        "import signal, sys\n"
        "print('ready', flush=True)\n"
        "signal.sigwait({signal.SIGTERM})\n"
        "open(sys.argv[1], 'a').write(sys.argv[2])\n"
    )
    blocked = f"import signal; signal.pthread_sigmask(0, {{signal.SIGTERM}})\n{program}"
    processes = Processes(tmp_path)
    for name in ("a", "b", "c"):
        child = processes.start(
            name, [sys.executable, "-c", blocked, str(order), name], env=os.environ
        )
        wait_for(partial(_says_ready, child), name)

    processes.stop()

    assert order.read_text() == "cba"
    assert processes.children == ()


def test_a_child_that_ended_by_itself_is_found(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start(
            "short", [sys.executable, "-c", "print('bye'); raise SystemExit(7)"], env=os.environ
        )
        wait_for(lambda: processes.dead() is not None, "its end")
        assert processes.dead() is child
        assert child.returncode() == 7
        assert child.tail() == "bye"


def test_the_watchdog_cleans_up_after_a_parent_that_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from banyan.local.processes import Processes\n"
        "processes = Processes(Path(sys.argv[1]))\n"
        "processes.owns_folder(Path(sys.argv[2]))\n"
        "child = processes.start('c', [sys.executable, '-c', sys.argv[3]], env=os.environ)\n"
        "while not child.tail(): time.sleep(0.02)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path / "logs"), str(folder), STUBBORN],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        assert len(group_members(group)) == 2
    finally:
        parent.kill()
        parent.communicate()

    wait_for(lambda: group_members(group) == [], "the end of the group")
    wait_for(lambda: not folder.exists(), "the folder's removal")


def test_the_watchdog_ends_at_once_when_everything_was_stopped_in_order(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    processes = Processes(tmp_path)
    processes.stop()
    processes.stop()
    assert set(psutil.Process().children(recursive=True)) == before


def test_signalling_a_group_that_is_gone_is_no_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    process.wait()
    watchdog.signal_group(process.pid, signal.SIGTERM)
    assert not watchdog.group_alive(process.pid)


def _says_ready(child: Child) -> bool:
    return child.tail() == "ready"
