"""Service and worker from their images solve something: with a Valkey and the fake model server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import is_up
from banyan.local.valkey import Valkey
from tests.deploy.helm import CHART
from tests.deploy.image_steps import ROOT
from tests.fixtures.fake_engine import fake_engine
from tests.fixtures.waiting import wait_for
from tests.images.containers import Containers, Done

SOLVE = CHART / "files" / "solve.py"
COMPOSE = ROOT / "deploy" / "compose.yaml"
FIRST_KEY = (
    'banyan keys create --store "$BANYAN_REDIS_URL" --tenant default '
    "--scope admin --scope solve --scope documents"
)
"""As deploy/compose.yaml says that the first one is made."""


@dataclass(frozen=True, slots=True)
class House:
    """Containers of a service and a worker that run."""

    containers: Containers
    images: Mapping[str, str]
    url: str
    service: str
    worker: str

    def within(self, name: str, *command: str) -> Done:
        return self.containers.podman("exec", name, *command)

    def logs(self, name: str) -> str:
        return self.containers.podman("logs", name).told

    def probe(self, target: str, name: str) -> int:
        """What the image's own health check comes to."""
        kind, *command = self.containers.inspect(self.images[target])["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.within(name, *command).code

    def stop(self, name: str) -> int:
        """SIGTERM, and the exit code."""
        self.containers.podman("stop", "--time=60", name)
        asked = self.containers.podman("inspect", "--format={{.State.ExitCode}}", name)
        return int(asked.out)


@pytest.fixture
def house(
    containers: Containers, images: Mapping[str, str], data: Path, tmp_path: Path
) -> Iterator[House]:
    """With the settings of deploy/compose.yaml, but for addresses."""
    settings = yaml.safe_load(COMPOSE.read_text("utf-8"))["x-settings"]
    port = free_port()
    with Valkey(tmp_path / "valkey") as valkey, fake_engine() as engine:
        shared = {
            **settings,
            "BANYAN_REDIS_URL": valkey.url,
            "BANYAN_ENGINE_KIND": "openai",
            "BANYAN_ENGINE_URLS": engine,
            "BANYAN_ENGINE_WINDOW": "2048",
            "BANYAN_METRICS_PORT": "0",
        }
        listening = {**shared, "BANYAN_PORT": str(port)}
        working = {**shared, "BANYAN_SLOTS": "4", "BANYAN_GRACE_S": "20"}
        with (
            containers.running(images["service"], listening, data) as service,
            containers.running(images["worker"], working, data) as worker,
        ):
            url = f"http://{LOOPBACK}:{port}"
            made = House(containers, images, url, service, worker)
            try:
                wait_for(lambda: is_up(f"{url}/readyz"), "the service from its image")
            except AssertionError as error:
                raise AssertionError(made.logs(service)) from error
            yield made


def first_key(house: House) -> str:
    assert FIRST_KEY in COMPOSE.read_text("utf-8")
    made = house.within(house.service, "sh", "-c", FIRST_KEY)
    assert made.code == 0, made.told
    [key] = [word for word in made.out.split() if word.startswith("bny_")]
    return key


def test_a_solve_goes_through_service_and_worker_and_both_end_well(house: House) -> None:
    """Asked by what `helm test` runs, from an image itself."""
    asked = house.containers.podman(
        *("run", "--rm", "--network=host", f"--env=BANYAN_URL={house.url}"),
        *(f"--env=BANYAN_API_KEY={first_key(house)}", house.images["service"]),
        *("python", "-c", SOLVE.read_text(encoding="utf-8")),
    )
    assert asked.code == 0, f"{asked.told}\n{house.logs(house.service)}{house.logs(house.worker)}"
    assert json.loads(asked.out)["status"] == "completed"
    for target, name in (("service", house.service), ("worker", house.worker)):
        assert house.probe(target, name) == 0, target
        assert house.stop(name) == 0, house.logs(name)
        assert "Traceback" not in house.logs(name)


def test_a_stranger_is_refused(house: House) -> None:
    asked = house.containers.podman(
        *("run", "--rm", "--network=host", f"--env=BANYAN_URL={house.url}"),
        *("--env=BANYAN_API_KEY=bny_x_y", house.images["service"]),
        *("python", "-c", SOLVE.read_text(encoding="utf-8")),
    )
    assert asked.code != 0
    assert "401" in asked.told


@pytest.mark.parametrize("target", ["service", "worker"])
def test_health_checks_fail_where_the_program_does_not_run(
    containers: Containers, images: Mapping[str, str], data: Path, target: str
) -> None:
    with containers.running(images[target], {}, data, "sleep", "300") as idle:
        assert House(containers, images, "", idle, idle).probe(target, idle) != 0
