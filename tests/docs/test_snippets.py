"""What the documents show works: code runs, commands parse, requests are answered, JSON is JSON."""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from banyan.client.main import app
from banyan.client.results import SolveResult
from banyan.local import programs
from bench.stack import Stack
from tests.docs import curl
from tests.docs.blocks import GENERATED, ROOT, Block, blocks_of, commands_of, pages
from training.main import app as training_app

BLOCKS = [block for page in pages() for block in blocks_of(page)]
LANGUAGES = frozenset({"python", "sh", "json", "text"})
"""`text` is output or a drawing; all others are executed, sent or parsed."""

PROGRAMS = frozenset(
    {"banyan", "banyan-train", "curl", "docker", "export", "helm", "kubectl", "make", "python"}
)
"""What shell blocks may run; there is a test for each one but `export`.

Those of helm and kubectl are in tests/deploy/test_readme.py.
"""


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def commands(program: str) -> list[tuple[Block, list[str]]]:
    """Every command of `program` in the documents."""
    return [
        (block, words)
        for block in of("sh")
        for words in commands_of(block.text)
        if program_of(words) == program
    ]


def program_of(words: list[str]) -> str:
    return words[0].removeprefix(".venv/bin/")


def run_python(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    """This interpreter, in the project's folder, with the service at `url`."""
    return subprocess.run(  # noqa: S603  # what the documents say, no shell
        [sys.executable, *arguments],
        cwd=ROOT,
        env=programs.environment({"BANYAN_URL": url}),
        capture_output=True,
        text=True,
        check=False,
    )


def shape(output: str) -> list[str]:
    """The status and the count of what was read, without the numbers; answers differ by model."""
    first, *_, last = output.strip().splitlines()
    return [first, re.sub(r"\d+", "N", last)]


def test_there_are_blocks_of_every_language() -> None:
    assert {block.language for block in BLOCKS} == LANGUAGES


@pytest.mark.parametrize("page", pages(), ids=str)
def test_no_fence_is_overlooked(page: Path) -> None:
    num_fences = page.read_text(encoding="utf-8").count("```")
    assert num_fences == 2 * len(blocks_of(page))


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_what_it_is(block: Block) -> None:
    assert block.language in LANGUAGES


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_runs_against_a_service(block: Block, stack: Stack, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(block.text.replace(curl.DOCUMENTED_URL, stack.url), encoding="utf-8")
    done = run_python(str(script), url=stack.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    "block", [block for block in of("json") if block.path != GENERATED], ids=str
)
def test_json_is_a_result_of_the_service(block: Block) -> None:
    result = SolveResult.model_validate_json(block.text)
    assert list(json.loads(block.text)) == list(result.model_dump())


@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_shell_blocks_hold_commands_that_are_checked_here(block: Block) -> None:
    programs_used = {program_of(words) for words in commands_of(block.text)}
    assert programs_used
    assert programs_used <= PROGRAMS


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    found = [words[1:] for _, words in commands("make")]
    assert found
    for words in found:
        settings = [word.partition("=")[0] for word in words if "=" in word]
        assert {word for word in words if "=" not in word} <= targets, words
        assert set(settings) <= variables, words


def test_banyan_commands_parse() -> None:
    """With all values; `--help` alone would pass over those."""
    for program, its_app in (("banyan", app), ("banyan-train", training_app)):
        found = commands(program)
        assert found
        for _, (_, *words) in found:
            assert parsed(typer.main.get_command(its_app), words) is not None, words


def parsed(command: Any, words: list[str]) -> Any:
    """The parameters of the command that `words` lead to, through groups of commands."""
    if hasattr(command, "resolve_command"):
        context = command.make_context("group", list(words[:1]), resilient_parsing=True)
        _, found, _ = command.resolve_command(context, list(words[:1]))
        return parsed(found, words[1:])
    return command.make_context("command", list(words)).params


def test_training_commands_print_what_is_shown(stack: Stack) -> None:
    pairs = [
        (words, output)
        for block, output in itertools.pairwise(BLOCKS)
        for words in (commands_of(block.text) if block.language == "sh" else [])
        if program_of(words) == "banyan-train"
        and output.language == "text"
        and output.path == block.path
    ]
    assert pairs
    for words, output in pairs:
        done = run_python("-P", "-m", "training", *words[1:], url=stack.url)
        assert done.returncode == 0, done.stderr
        assert done.stdout == output.text


def test_modules_that_are_run_exist() -> None:
    found = [words for _, words in commands("python") if words[1] == "-m"]
    assert found
    for words in found:
        assert importlib.util.find_spec(words[2]) is not None, words


def test_benchmarks_have_the_options_that_are_named(stack: Stack) -> None:
    found = [words for _, words in commands("python") if words[2].startswith("bench.")]
    assert found
    for words in found:
        done = run_python(*words[1:], "--help", url=stack.url)
        assert done.returncode == 0, done.stderr


def test_docker_targets_exist() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    found = [words[words.index("--target") + 1] for _, words in commands("docker")]
    assert set(found) == {"service", "worker", "trainer"}
    assert set(found) <= stages


def test_requests_with_curl_are_answered(stack: Stack) -> None:
    found = commands("curl")
    assert found
    for block, words in found:
        reply = curl.send(words[1:], stack.url, ROOT)
        assert reply.is_success, f"{block}: {reply.text}"


def test_the_readme_shows_the_output_of_its_example(stack: Stack) -> None:
    readme = blocks_of(ROOT / "README.md")
    found = [
        (words[1:], output.text)
        for block, output in itertools.pairwise(readme)
        for words in (commands_of(block.text) if block.language == "sh" else [])
        if program_of(words) == "python" and output.language == "text"
    ]
    [(arguments, output)] = found
    done = run_python(*arguments, url=stack.url)
    assert done.returncode == 0, done.stderr
    assert shape(done.stdout) == shape(output)
