"""The all-in-one comes up on real parts, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.cli.all_in_one import Up
from tests.cli.commands import banyan


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.mark.real_engine
def test_the_embedded_parts_answer_a_question_and_ctrl_c_stops_them_all(
    temporary: Path, tmp_path: Path
) -> None:
    text = tmp_path / "lease.txt"
    text.write_text("The rent is 1,450 euros a month. It is due on the third working day.\n" * 3)
    with Up(temporary) as up:
        assert up.until("ready")["url"] == up.url
        assert {one["part"] for one in up.events if one["event"] == "up"} == {
            *("redis", "engine", "workers", "service")
        }
        # Redis, the engine, one worker, the service and the watchdog.
        assert len(up.groups) == 5

        result = banyan("solve", "When is the rent due?", "-f", str(text), "--url", up.url)

        assert result.returncode == 0, result.stderr
        assert "answer (completed)" in result.stdout
        assert "coverage: 100.0% of the input" in result.stdout
        assert up.interrupt() == 0
        up.wait_until_all_is_gone()


def test_solve_tells_events_and_result_as_json(
    temporary: Path, tmp_path: Path, engine_url: str
) -> None:
    text = tmp_path / "long.txt"
    text.write_text("One sentence after another, and none of them says much. " * 400)
    with Up(temporary, "--engine", "openai", "--engine-url", engine_url) as up:
        up.until("ready")
        result = banyan(
            *("solve", "Summarise it.", "-f", str(text), "--url", up.url),
            *("--follow", "--json"),
        )
        *events, answer = [json.loads(line) for line in result.stdout.splitlines()]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        spawned = sum(e["data"]["children"] for e in events if e["type"] == "node.spawned")
        assert answer["usage"]["nodes"] == spawned + 1 > 1
        assert answer["status"] == "completed"
        assert result.returncode == 0

        lines = banyan(
            "solve",
            "Summarise it.",
            "-f",
            "-",
            "--follow",
            "--url",
            up.url,
            stdin=text.read_text(),
        )
        assert "node 0 delegates to" in lines.stderr
        assert "standard input [" in lines.stdout
        assert "\x1b" not in lines.stdout + lines.stderr

        refused = banyan("solve", " ", "--url", up.url)
        assert refused.returncode == 2
        assert "goal" in refused.stderr

        assert httpx.get(f"{up.url}/readyz", timeout=30).status_code == 200
        health = banyan("doctor", "--json", "--url", up.url)
        service = next(one for one in json.loads(health.stdout) if one["name"] == "service")
        assert service["state"] == "ok"
    up.wait_until_all_is_gone()


def test_two_workers_run_and_data_is_kept_where_it_is_asked_for(
    temporary: Path, tmp_path: Path, engine_url: str
) -> None:
    data = tmp_path / "data"
    arguments = ("--engine", "openai", "--engine-url", engine_url, "--workers", "2")
    with Up(temporary, *arguments, "--data-dir", str(data)) as up:
        up.until("ready")
        workers = [one for one in up.children() if "workers" in one.cmdline()]
        assert len(workers) == 2
        for one in (*workers, up.child("service")):
            assert one.environ()["BANYAN_TRAJECTORY_DIR"] == str(data / "trajectories")
        assert up.interrupt() == 0
        up.wait_until_all_is_gone()
    logs = {"redis.log", "worker-1.log", "worker-2.log", "service.log"}
    assert {path.name for path in (data / "logs").iterdir()} == logs


@pytest.mark.parametrize("part", ["valkey-server", "workers", "service"])
def test_a_part_that_dies_stops_everything_with_its_last_words(
    temporary: Path, engine_url: str, part: str
) -> None:
    with Up(temporary, "--engine", "openai", "--engine-url", engine_url) as up:
        up.until("ready")
        up.child(part).kill()
        error = up.until("error")
        assert error["code"] == "part_died"
        assert "was ended by SIGKILL" in error["message"]
        assert up.process.wait() == 1
        up.wait_until_all_is_gone()


def test_nothing_is_left_when_it_is_killed_itself(temporary: Path, engine_url: str) -> None:
    with Up(temporary, "--engine", "openai", "--engine-url", engine_url) as up:
        up.until("ready")
        assert "BANYAN_TRAJECTORY_DIR" not in up.child("workers").environ()
        up.process.send_signal(signal.SIGKILL)
        up.process.wait()
        up.wait_until_all_is_gone()


def test_ctrl_c_while_starting_stops_what_was_started(temporary: Path, engine_url: str) -> None:
    with Up(temporary, "--engine", "openai", "--engine-url", engine_url) as up:
        up.until("up")
        assert up.interrupt() == 130
        up.wait_until_all_is_gone()
