"""What the documents point to is there: files behind links, settings behind variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from banyan.settings import Settings
from service.settings import ServiceSettings
from tests.docs.blocks import ROOT, links_of, pages
from tests.service.house import House
from workers.settings import WorkerSettings

LINKS = [(page, target) for page in pages() for target in links_of(page)]

_ROW = re.compile(r"^\| `(BANYAN_[A-Z0-9_]+)` \| (.*?) \| .+ \|$", re.MULTILINE)
_CALL = re.compile(r"`((?:GET|POST|DELETE) /[a-z0-9{}/]+)")
_CODE = re.compile(r"code=\"([a-z_]+)\"")
_VARIABLE = re.compile(r"BANYAN_[A-Z][A-Z0-9_]+")
_QUOTED = re.compile(r"\"(BANYAN_[A-Z0-9_]+)\"")


def defaults() -> dict[str, str]:
    """Every setting of the programs by its variable, with its default as the table shows it."""
    fields = {
        **Settings.model_fields,
        **WorkerSettings.model_fields,
        **ServiceSettings.model_fields,
    }
    return {f"BANYAN_{name.upper()}": shown(field.default) for name, field in fields.items()}


def shown(default: object) -> str:
    if default is None or default == "":
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def read_by_the_code() -> set[str]:
    """Variables that are named in the code: those of settings, and of the command line."""
    files = [file for name in ("banyan", "examples") for file in (ROOT / name).rglob("*.py")]
    return {name for file in files for name in _QUOTED.findall(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(("page", "target"), LINKS, ids=str)
def test_links_lead_to_files(page: Path, target: str) -> None:
    assert (page.parent / target).resolve().is_relative_to(ROOT)
    assert (page.parent / target).exists()


def test_all_documents_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / target).resolve() for target in links_of(page)]
    assert reached == set(pages())


def test_every_setting_is_documented_with_its_default() -> None:
    table = dict(_ROW.findall((ROOT / "docs" / "running.md").read_text(encoding="utf-8")))
    assert {name: table.get(name) for name in defaults()} == defaults()


def test_every_variable_in_the_documents_is_read_by_something() -> None:
    known = set(defaults()) | read_by_the_code()
    named = {
        name for page in pages() for name in _VARIABLE.findall(page.read_text(encoding="utf-8"))
    }
    assert named <= known


def test_every_variable_that_the_code_reads_is_in_the_table() -> None:
    table = dict(_ROW.findall((ROOT / "docs" / "running.md").read_text(encoding="utf-8")))
    assert set(table) == set(defaults()) | read_by_the_code()


async def test_every_call_of_the_service_is_in_the_table_and_no_other(house: House) -> None:
    described = (await house.http.get("/openapi.json")).json()["paths"]
    calls = {f"{method.upper()} {path}" for path, of in described.items() for method in of}
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert set(_CALL.findall("\n".join(rows))) == calls


def test_every_code_that_the_service_gives_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    files = (ROOT / "service").rglob("*.py")
    given = {code for file in files for code in _CODE.findall(file.read_text(encoding="utf-8"))}
    assert given
    assert {code for code in given if f"`{code}`" not in text} == set()
