"""A process whose clock is an hour ahead does nothing too early that others rely on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from banyan.adapters.redis_policies import RedisPolicies
from banyan.local.programs import environment
from banyan.local.valkey import Valkey
from bench.chaos.scenarios.clock_jump import shifted_by
from tests.fixtures.namespaces import namespace

LOOK = """
import asyncio, json, sys, time
from banyan.adapters.redis_policies import RedisPolicies

async def main() -> None:
    policies = RedisPolicies(sys.argv[1], namespace=sys.argv[2])
    print(json.dumps([time.time(), await policies.pins("policy-v1", limit=9)]))
    await policies.close()

asyncio.run(main())
"""


async def test_pins_end_on_the_stores_clock(valkey: Valkey, tmp_path: Path) -> None:
    """A worker whose clock is ahead would unload weights that a tree still runs on."""
    mine = namespace()
    policies = RedisPolicies(valkey.url, namespace=mine)
    await policies.pin(-1, "policy-v1", "a tree", ttl_s=600.0)
    shift = tmp_path / "shift"
    shift.write_text("+3600s")
    argv = [sys.executable, "-c", LOOK, valkey.url, mine]
    env = environment(shifted_by(shift))

    done = await asyncio.to_thread(
        subprocess.run, argv, env=env, capture_output=True, text=True, check=True
    )

    its_clock, seen = json.loads(done.stdout)
    assert its_clock > time.time() + 3_000
    assert seen == await policies.pins("policy-v1", limit=9) == ["a tree"]
    await policies.close()
