"""The Dockerfile's steps without containers: in a folder that stands for the file system.

    python -m tests.deploy.image_steps service /tmp/image

Runs what the target's build stages RUN and COPY, with this Python in the place of the base image's.
/opt and /src mean folders below the given one. The stage `runtime` is not run: it makes a user and
takes pip away. Environments of earlier steps are made anew, from the lock files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile"

_PLACES = re.compile(r"(?<![\w.$}])/(?=(?:opt|src)\b)")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, with its continuation lines joined."""

    word: str
    rest: str


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    parent: str
    steps: tuple[Step, ...]


def stages(text: str) -> dict[str, Stage]:
    """The stages of a Dockerfile by their names, in order."""
    found: dict[str, Stage] = {}
    name, parent, steps = "", "", list[Step]()
    for step in [*_steps(text), Step("FROM", "")]:
        if step.word != "FROM":
            steps.append(step)
            continue
        if name:
            found[name] = Stage(name, parent, tuple(steps))
        parent, _, name = step.rest.partition(" AS ")
        steps = []
    return found


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield Step(word.upper(), rest.strip())


def build(target: str, root: Path, *, uv_cache: bool = True) -> Path:
    """Run the steps of what `target` copies from; its /opt is below `root`. The Python is returned.

    Raises RuntimeError with the end of the output where a step fails.
    """
    known = stages(DOCKERFILE.read_text(encoding="utf-8"))
    copies = [step.rest for step in known[target].steps if step.word == "COPY"]
    [source] = {re.findall(r"--from=(\S+)", copy)[0] for copy in copies}
    chain: list[Stage] = []
    while source in known:
        chain.insert(0, known[source])
        source = known[source].parent
    subprocess.run([sys.executable, "-m", "venv", root / "usr"], check=True)  # noqa: S603  # ours
    ours = ("BANYAN_", "PYTHON", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= _torch_links()
    env["PATH"] = f"{root}/usr/bin:{os.environ['PATH']}"
    where = root
    for step in (step for stage in chain for step in stage.steps):
        if step.word == "ENV":
            env |= _assignments(step.rest, env, root)
            if uv_cache:
                env.pop("UV_NO_CACHE", None)
        elif step.word == "ARG":
            name, _, value = step.rest.partition("=")
            env.setdefault(name, value.strip('"'))
        elif step.word == "WORKDIR":
            where = Path(_PLACES.sub(f"{root}/", step.rest))
            where.mkdir(parents=True, exist_ok=True)
        elif step.word == "COPY":
            for rest in _copied(step.rest, known):
                _copy(rest, where)
        elif step.word == "RUN":
            _run(_PLACES.sub(f"{root}/", step.rest), where, env)
    return root / "opt" / "banyan" / "bin" / "python"


def _torch_links() -> dict[str, str]:
    """torch's CPU build comes from the folder that pip is told of, as with `make train-setup`."""
    links = os.environ.get("PIP_FIND_LINKS", "").split()
    return {"TORCH_LINKS": " ".join(f"--find-links {link}" for link in links)} if links else {}


def _assignments(text: str, env: Mapping[str, str], root: Path) -> dict[str, str]:
    found = {}
    for assignment in text.split():
        name, _, value = assignment.partition("=")
        value = _PLACES.sub(f"{root}/", value)
        found[name] = value.replace("$PATH", env["PATH"])
    return found


def _copied(text: str, known: Mapping[str, Stage]) -> list[str]:
    """What a COPY copies from this folder: of another stage it is what that stage copies."""
    [(stage, rest)] = re.findall(r"^(?:--from=(\S+) )?(.*)", text)
    if not stage:
        return [rest]
    assert rest == "/src /src", f"{text}: only the whole source is copied from a stage"
    return [step.rest for step in known[stage].steps if step.word == "COPY"]


def _copy(text: str, where: Path) -> None:
    *sources, target = text.split()
    to = where / target
    if target.endswith("/"):
        to.mkdir(exist_ok=True)
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to)


def _run(command: str, where: Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603  # the Dockerfile's own words
        ["/bin/sh", "-c", command],
        cwd=where,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command}\n{done.stdout[-2_000:]}")


def listed(root: Path, environment: str = "banyan") -> set[str]:
    """Names of the packages that the SBOM lists."""
    sbom = json.loads((root / "opt" / environment / "sbom.cdx.json").read_text(encoding="utf-8"))
    return {component["name"] for component in sbom["components"]}


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True)
    python = build(sys.argv[1], folder, uv_cache=False)
    sys.stdout.write(f"{python}\n{len(listed(folder))} packages\n")
