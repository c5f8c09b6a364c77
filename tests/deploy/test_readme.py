"""What the chart's README and its notes say is so: commands parse, values exist, links lead on."""

from __future__ import annotations

import re

import pytest

from tests.deploy.helm import CHART, NAMESPACE, RELEASE, Tools
from tests.deploy.image_steps import DOCKERFILE, stages
from tests.deploy.settings_schema import OWNED
from tests.docs.blocks import blocks_of, commands_of, links_of

README = CHART / "README.md"
COMMANDS = [
    command
    for block in blocks_of(README)
    if block.language == "sh"
    for command in commands_of(block.text)
]
ONLY_INSTALLING = {"--create-namespace", "--reuse-values"}


def of(program: str) -> list[list[str]]:
    return [words[1:] for words in COMMANDS if words[0] == program]


def test_all_commands_are_looked_at_here() -> None:
    assert {words[0] for words in COMMANDS} == {"docker", "helm", "kubectl"}
    assert {words[0] for words in of("helm")} == {"install", "upgrade", "rollback", "test"}


@pytest.mark.parametrize("words", [w for w in of("helm") if w[0] in {"install", "upgrade"}])
def test_values_of_the_commands_are_taken(used: Tools, words: list[str]) -> None:
    flags = [word for word in words[1:] if word not in ONLY_INSTALLING]
    place = flags.index("helm/banyan")
    done = used.run(used.helm, "template", *flags[:place], CHART, *_absolute(flags[place + 1 :]))
    assert done.returncode == 0, done.stderr


def _absolute(flags: list[str]) -> list[str]:
    """Values are named from the project's folder."""
    return [flag.replace("helm/banyan", str(CHART)) for flag in flags]


@pytest.mark.parametrize("words", of("kubectl"))
def test_secrets_are_made_as_it_is_said(used: Tools, words: list[str]) -> None:
    done = used.run(used.kubectl, *words, "--dry-run=client", "--output", "name")
    assert done.stdout.strip() == "secret/banyan-key", done.stderr


def test_images_that_are_built_have_a_target() -> None:
    known = stages(DOCKERFILE.read_text(encoding="utf-8"))
    targets = [words[words.index("--target") + 1] for words in of("docker")]
    assert targets == ["service", "worker", "trainer"]
    assert set(targets) <= set(known)


def test_links_lead_to_files() -> None:
    links = links_of(README)
    assert links
    assert all((README.parent / link).exists() for link in links)


def test_every_setting_that_is_derived_is_listed() -> None:
    rows = "\n".join(line for line in README.read_text("utf-8").splitlines() if line[:1] == "|")
    assert set(OWNED) <= set(re.findall(r"`([a-z0-9_]+)`", rows))


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        (
            "laptop",
            ("SmolLM2-135M-Instruct", "30\nminutes", "port-forward", "apiKey.existingSecret"),
        ),
        ("many-gpus", ("Qwen/Qwen3-32B", "https://banyan.example.com", "helm -n demo test banyan")),
    ],
)
def test_the_notes_say_how_to_go_on(used: Tools, preset: str, words: tuple[str, ...]) -> None:
    chosen = ("--values", CHART / "values" / f"{preset}.yaml", "--namespace", NAMESPACE)
    done = used.run(used.helm, "install", RELEASE, CHART, *chosen, "--dry-run=client")
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert "banyan keys create --store" in notes
    assert "exec deploy/banyan-service" in notes
    for word in words:
        assert re.sub(r"\s+", " ", word) in re.sub(r"\s+", " ", notes)
