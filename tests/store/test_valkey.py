"""Servers that are started as children: found, in order, with their data kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from redis import Redis

from banyan.local.errors import NotStarted
from banyan.local.ports import free_port, is_free
from banyan.local.valkey import Valkey, answers, arguments, find_binary


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_on_path_comes_before_the_bundled_one(tmp_path: Path) -> None:
    bundled = find_binary({"PATH": str(tmp_path)})
    assert bundled.is_file()
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_binary({"PATH": str(tmp_path)}) == program


def test_a_server_keeps_its_data_over_a_restart_and_leaves_nothing_behind(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "data")
    server.start()
    first = server.pid
    with Redis.from_url(server.url) as client:
        client.set("kept", "yes")
    server.stop()
    assert first is not None
    assert not alive(first)
    assert not answers(server.url)
    server.start()
    with Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"
    server.kill()
    assert server.pid is None
    assert is_free(server.port)


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server:
        server.stop()
    server.kill()
    assert server.pid is None


def test_a_taken_port_is_reported_with_the_servers_own_words(tmp_path: Path) -> None:
    with Valkey(tmp_path / "one") as taken:
        second = Valkey(tmp_path / "two")
        second.port = taken.port
        with pytest.raises(NotStarted, match=str(taken.port)):
            second.start()
        assert second.pid is None
        assert answers(taken.url)


def test_nobody_answers_where_nothing_listens() -> None:
    assert not answers(f"redis://127.0.0.1:{free_port()}/0")
    assert not answers("not a url")


def test_a_cluster_of_one_server_owns_all_slots(valkey_cluster: Valkey) -> None:
    with Redis.from_url(valkey_cluster.url) as client:
        info = client.execute_command("CLUSTER INFO")
    assert info["cluster_state"] == "ok"
    assert info["cluster_slots_assigned"] == "16384"


def test_a_server_listens_on_the_loopback_interface_alone(tmp_path: Path) -> None:
    argv = arguments(Path("valkey-server"), port=7000, folder=tmp_path)
    assert argv[argv.index("--bind") + 1] == "127.0.0.1"
    assert argv[argv.index("--appendonly") + 1] == "yes"
