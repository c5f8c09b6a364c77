"""The Dockerfile and the Compose file: linted, pinned, without rights, with settings that exist."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from service.settings import ServiceSettings
from tests.deploy.helm import Tools
from tests.deploy.image_steps import DOCKERFILE, ROOT, Stage, stages
from workers.settings import WorkerSettings

TARGETS = ("service", "worker", "trainer")
SCHEMAS = Path(__file__).parent / "schemas"
COMPOSE = ROOT / "deploy" / "compose.yaml"
STAGES = stages(DOCKERFILE.read_text(encoding="utf-8"))


def line(name: str) -> list[Stage]:
    """A stage and those that it stands on, the first one first."""
    found: list[Stage] = []
    while name in STAGES:
        found.insert(0, STAGES[name])
        name = STAGES[name].parent
    return found


def words(target: str, word: str) -> list[str]:
    return [step.rest for stage in line(target) for step in stage.steps if step.word == word]


def test_the_linter_has_nothing_to_say(used: Tools) -> None:
    done = used.run(used.hadolint, "--strict-labels", DOCKERFILE)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_a_user_without_rights(target: str) -> None:
    assert words(target, "USER") == ["10001:0"]


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_no_build_tools(target: str) -> None:
    """What is installed comes from another stage; pip is taken away."""
    assert [stage.name for stage in line(target)] == ["base", "runtime", target]
    runs = words(target, "RUN")
    assert [run.split()[:2] for run in runs] == [["pip", "uninstall"]]
    copies = words(target, "COPY")
    assert copies
    assert all(copy.startswith(f"--from=build-{target} /opt/") for copy in copies)


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_is_built_from_lock_files_and_lists_what_it_holds(target: str) -> None:
    built = "\n".join(words(f"build-{target}", "RUN"))
    assert "--constraint requirements/service.lock" in built
    assert "--output-file /opt/banyan/sbom.cdx.json" in built


def test_bases_are_pinned() -> None:
    first = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert first is not None
    assert re.search(r":3\.11\.\d+-slim-[a-z]+$", first[1])
    outside = {stage.parent for stage in STAGES.values()} - set(STAGES)
    assert outside == {"${PYTHON_IMAGE}"}


def test_servers_say_whether_they_are_well() -> None:
    assert all("CMD" in check for check in words("service", "HEALTHCHECK"))
    assert "BANYAN_ALIVE_FILE" in words("worker", "HEALTHCHECK")[0]
    assert words("trainer", "HEALTHCHECK") == ["NONE"]


@pytest.mark.parametrize("target", TARGETS)
def test_variables_of_an_image_are_settings(target: str) -> None:
    names = {name for text in words(target, "ENV") for name in re.findall(r"(BANYAN_\w+)=", text)}
    assert names - {"BANYAN_TRAINING_VENV"} <= known()


def known() -> set[str]:
    fields = {*ServiceSettings.model_fields, *WorkerSettings.model_fields}
    return {f"BANYAN_{name.upper()}" for name in fields}


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return found


def test_the_file_of_compose_holds_to_the_specification(compose: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / "compose.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(compose)
    compose["services"]["service"]["read-only"] = True
    with pytest.raises(jsonschema.ValidationError, match="read-only"):
        jsonschema.Draft7Validator(schema).validate(compose)


def test_containers_of_compose_have_no_rights(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert re.search(r":v?\d+\.\d+", service["image"]), name


def test_containers_of_compose_have_settings_that_exist(compose: dict[str, Any]) -> None:
    for name, settings in (
        ("service", ServiceSettings),
        ("worker-gpu", WorkerSettings),
        ("worker-cpu", WorkerSettings),
    ):
        env = compose["services"][name]["environment"]
        given = {key.removeprefix("BANYAN_").lower(): value for key, value in env.items()}
        assert given.keys() <= settings.model_fields.keys()
        assert settings(**given).redis_url.startswith("redis://")


def test_a_profile_has_all_that_is_needed(compose: dict[str, Any]) -> None:
    for profile in ("gpu", "cpu"):
        there = {
            name
            for name, service in compose["services"].items()
            if profile in service.get("profiles", [profile])
        }
        assert {"valkey", "service", f"worker-{profile}", f"engine-{profile}"} <= there
        for name in there:
            assert set(compose["services"][name].get("depends_on", {})) <= there, name


def test_only_the_service_is_reached_from_outside_and_only_from_this_machine(
    compose: dict[str, Any],
) -> None:
    published = {
        name: port
        for name, service in compose["services"].items()
        for port in service.get("ports", [])
    }
    assert published["service"] == "127.0.0.1:8080:8080"
    assert all(port.startswith("127.0.0.1:") for port in published.values())
    assert compose["networks"]["store"]["internal"] is True
    assert compose["networks"]["engines"]["internal"] is True


def test_volumes_of_compose_are_declared_and_files_are_there(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (COMPOSE.parent / source).exists(), name
            else:
                assert source in compose["volumes"], name


def test_what_is_copied_into_a_build_is_sent_to_it() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = [one.removeprefix("!") for one in lines if one.startswith("!")]
    copies = [step.rest for stage in STAGES.values() for step in stage.steps if step.word == "COPY"]
    for copy in (one for one in copies if not one.startswith("--from=")):
        for source in copy.split()[:-1]:
            assert any(fnmatch(source, pattern) for pattern in sent), source
            assert Path(ROOT / source).exists()


@pytest.mark.parametrize("target", TARGETS)
def test_a_change_of_the_source_leaves_what_a_program_needs_installed(target: str) -> None:
    """Before the last COPY, which is of the source, lock files alone say what is installed."""
    steps = [step for stage in line(f"build-{target}") for step in stage.steps]
    last = max(index for index, step in enumerate(steps) if step.word == "COPY")
    before = [step.rest.split()[0] for step in steps[:last] if step.word == "COPY"]
    installed = [step.rest for step in steps[last:] if "uv pip install" in step.rest]

    assert steps[last].rest == "--from=source /src /src"
    assert all(one == "pyproject.toml" or one.endswith(".lock") for one in before), before
    assert installed
    for asked in re.findall(r"uv pip install (\S+ \S+)", " ".join(installed)):
        assert asked == "--no-deps ."
