"""`python -m service` as a process: what it says, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from banyan.client import Client
from banyan.local.valkey import Valkey

ROOT = Path(__file__).parents[2]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "BANYAN_PORT": "0",
        "BANYAN_BLOB_DIR": str(folder / "blobs"),
        **changes,
    }


def finished(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """A service that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "service"],
        env=environment(folder, **changes),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextmanager
def running(folder: Path, **changes: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service and its address, as its log tells it."""
    with subprocess.Popen(
        [sys.executable, "-m", "service"],
        env=environment(folder, **changes),
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                entry = json.loads(line)
                if entry["event"] == "service.listening":
                    yield process, entry["url"]
                    break
        finally:
            process.kill()


def test_a_service_without_authentication_refuses_to_listen_to_everyone(tmp_path: Path) -> None:
    ended = finished(tmp_path, BANYAN_HOST="0.0.0.0", BANYAN_AUTH="off")  # noqa: S104  # it must not

    assert ended.returncode == 2
    assert "BANYAN_AUTH=off" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_setting_that_is_wrong_is_named(tmp_path: Path) -> None:
    ended = finished(tmp_path, BANYAN_PORT="many")

    assert ended.returncode == 2
    assert "BANYAN_PORT" in ended.stderr


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = finished(tmp_path, BANYAN_PORT=str(port))

    assert ended.returncode == 4
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_service_without_a_store_is_up_but_not_ready(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with running(tmp_path, BANYAN_REDIS_URL=f"redis://127.0.0.1:{port}/0") as (_, url):
        assert httpx.get(f"{url}/healthz", timeout=30).status_code == 200
        assert httpx.get(f"{url}/readyz", timeout=60).status_code == 503


def test_an_idle_connection_is_closed_when_it_is_said_to(tmp_path: Path) -> None:
    with running(tmp_path, BANYAN_KEEP_ALIVE_S="1") as (_, url):
        address = httpx.URL(url)
        # Closed in a second; not before this gives up, had the setting no effect.
        with socket.create_connection((address.host, address.port or 80), timeout=60) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % address.netloc)
            reply = b"".join(iter(lambda: idle.recv(4096), b""))

    assert reply.startswith(b"HTTP/1.1 200")
    assert b"connection: close" not in reply.lower()


def test_a_service_on_real_parts_admits_streams_and_ends_well(
    tmp_path: Path, valkey: Valkey
) -> None:
    with (
        running(tmp_path, BANYAN_REDIS_URL=valkey.url) as (process, url),
        Client(url) as banyan,
    ):
        assert httpx.get(f"{url}/readyz", timeout=30).json() == {"status": "ok"}
        document = banyan.upload("A banyan drops roots.")
        solve = banyan.submit("How?", documents=[document])
        assert solve.status == "queued"
        assert banyan.cancel(solve.id).status == "cancelled"
        events = list(banyan.stream(solve.id))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    assert [event.seq for event in events[:-1]] == list(range(1, len(events)))
    assert events[-1].result is not None
    assert events[-1].result.status == "cancelled"
