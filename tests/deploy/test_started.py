"""What can be started of the chart without a cluster is: Valkey, the test of a solve, the probe."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from banyan.local.ports import LOOPBACK, free_port
from banyan.local.valkey import find_binary
from bench.stack import Stack, wait_until
from tests.deploy import manifests as read
from tests.deploy.helm import Manifest
from tests.deploy.image_steps import ROOT
from tests.fixtures.waiting import until
from workers.living import live_for_ever

PASSWORD = "abc-DEF_123"  # noqa: S105  # of a server of this test


def start_valkey(script: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Run the container's script, with the folders and the port of this test."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "valkey-server").symlink_to(find_binary())
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "VALKEY_PASSWORD": PASSWORD}
    script = script.replace("<<CONF\n", f"<<CONF\nbind {LOOPBACK}\nport {port}\n")
    return subprocess.Popen(["/bin/sh", "-ec", script], env=env, cwd=folder)  # noqa: S603  # ours


def check_valkey(port: int) -> Mapping[str, str]:
    """Its configuration, once it answers; nobody gets in without the password."""

    def is_up() -> bool:
        with suppress(RedisError), Redis(port=port, password=PASSWORD) as client:
            return bool(client.ping())
        return False

    wait_until(is_up, 60.0)
    with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    with Redis(port=port, password=PASSWORD) as client:
        found: Mapping[str, str] = client.config_get("*")
        return found


def test_the_bundled_valkey_starts_as_it_is_configured(
    rendered: Mapping[str, list[Manifest]], tmp_path: Path
) -> None:
    [container] = read.pod(rendered["default"], "valkey").containers
    config = tmp_path / "valkey.conf"
    written = read.named(rendered["default"], "ConfigMap", "banyan-valkey")["data"]["valkey.conf"]
    config.write_text(written.replace("/data", str(tmp_path)), encoding="utf-8")
    [script] = container["args"]
    port = free_port()
    server = start_valkey(script.replace("/etc/valkey/valkey.conf", str(config)), tmp_path, port)
    try:
        told = check_valkey(port)
    finally:
        server.terminate()
        assert server.wait(30) == 0, "the server itself gets the signal"
    assert told["appendonly"] == "yes"
    assert told["maxmemory-policy"] == "noeviction"
    assert told["maxmemory"] == str(3 * 1024**3)


def test_the_valkey_of_compose_starts_as_it_is_configured(tmp_path: Path) -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    script = compose["services"]["valkey"]["command"][-1]
    script = script.replace("${VALKEY_MAXMEMORY:-2gb}", "2gb").replace("$$", "$")
    port = free_port()
    server = start_valkey(script.replace("/data", str(tmp_path)), tmp_path, port)
    try:
        told = check_valkey(port)
    finally:
        server.terminate()
        assert server.wait(30) == 0
    assert told["appendonly"] == "yes"


def test_helm_test_solves_something_small(
    rendered: Mapping[str, list[Manifest]], tmp_path: Path
) -> None:
    """Its script, as it is rendered, against a service with workers and a model server."""
    alive = tmp_path / "alive"
    pod = read.pod(rendered["trainer"], "test")
    [container] = pod.containers
    assert pod.metadata["annotations"]["helm.sh/hook"] == "test"
    with Stack(num_workers=1, slots=4, settings={"BANYAN_ALIVE_FILE": str(alive)}) as stack:
        done = subprocess.run(  # noqa: S603  # what the chart says
            [sys.executable, "-c", container["args"][0]],
            env={"BANYAN_URL": stack.url, "BANYAN_API_KEY": "bny_x_y"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert '"status": "completed"' in done.stdout
    assert alive.exists(), "the worker touches the file that its probes look at"


async def test_a_worker_that_lives_is_seen_and_one_that_does_not_is_not(
    rendered: Mapping[str, list[Manifest]], tmp_path: Path
) -> None:
    [worker] = read.pod(rendered["default"], "workers").containers
    alive = tmp_path / "alive"
    env = read.environment(rendered["default"], read.pod(rendered["default"], "workers"))
    command = [
        part.replace(env["BANYAN_ALIVE_FILE"], str(alive))
        for part in worker["livenessProbe"]["exec"]["command"]
    ]

    async def probe() -> int:
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
        return await process.wait()

    assert await probe() != 0
    living = asyncio.create_task(live_for_ever(alive, every_s=0.01))
    await until(alive.exists)
    assert await probe() == 0
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    os.utime(alive, (0, 0))
    assert await probe() != 0
