"""The Python client stands on httpx and pydantic alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.docs.blocks import ROOT

# Every package that is installed here is out of reach, but those that the two bring along.
HIDDEN = """
import re
import sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions, requires

def plain(name):
    return name.lower().replace("_", "-")


installed = {plain(name) for names in packages_distributions().values() for name in names}
reached, waiting = set(), ["httpx", "pydantic"]
while waiting:
    name = waiting.pop()
    if name in installed - reached:
        reached.add(name)
        needed = [one for one in requires(name) or () if "extra ==" not in one]
        waiting += [plain(re.match(r"[A-Za-z0-9._-]+", one)[0]) for one in needed]
allowed = {
    module
    for module, names in packages_distributions().items()
    if set(map(plain, names)) & {*reached, "banyan-serve"}
}
hidden = set(packages_distributions()) - allowed


class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hides = name.partition(".")[0] in hidden
        return None if hides else super().find_spec(name, path, target)


assert "msgspec" in hidden and "redis" in hidden and "httpcore" not in hidden
sys.meta_path = [Hiding if one is PathFinder else one for one in sys.meta_path]
"""
USES = """
from pathlib import Path
from banyan import AsyncClient, Client
with Client("http://127.0.0.1:9") as client:
    try:
        client.solve("Why?", documents=[Path("LICENSE")])
    except Exception as error:
        print(type(error).__name__)
"""


def test_without_any_other_package_the_client_works(tmp_path: Path) -> None:
    script = tmp_path / "uses.py"
    script.write_text(HIDDEN + USES, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ServiceUnreachable\n"), done.stderr


def test_the_package_asks_for_no_more() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {one.partition(">")[0] for one in settings["project"]["dependencies"]}
    assert names == {"httpx", "pydantic"}
