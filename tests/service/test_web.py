"""The web page's files: what is served, under which policy, and that nothing in them is inline."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from banyan.notices import MEANING
from service import web_assets
from tests.service.house import House, assert_problem

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "service" / "web"
SCRIPTS = sorted((WEB / "js").glob("*.js"))

_MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|\beval\b|new Function"
    r"|setAttribute\(\"(?:style|on)|createContextualFragment"
)
_ADDRESS = re.compile(r"https?://[^\s\"'`)]+")
_STATIC_IMPORT = re.compile(r"^(?:import|export) .*?from \"([^\"]+)\";", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", ["/", "/solves/solve_1", "/compare", "/docs"])
async def test_pages_are_one_file_under_a_strict_policy(house: House, path: str) -> None:
    reply = await house.http.get(path)

    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        part.split(" ", 1) for part in reply.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"], policy["connect-src"]) == ("'self'",) * 3
    assert policy["trusted-types"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_every_file_that_the_page_names_is_served(house: House) -> None:
    html = (await house.http.get("/")).text
    named = re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", html)
    styles = {f"/assets/css/{file.name}" for file in (WEB / "css").glob("*.css")}

    assert styles <= set(named)
    for path in named:
        assert (await house.http.get(path)).status_code == 200, path


async def test_a_file_that_has_not_changed_is_not_sent_again(house: House) -> None:
    first = await house.http.get("/assets/js/app.js")
    again = await house.http.get(
        "/assets/js/app.js", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["nothing.js", "../app.py", "%2e%2e/app.py", "js", ""])
async def test_what_is_no_file_of_the_page_is_not_found(house: House, path: str) -> None:
    assert_problem(await house.http.get(f"/assets/{path}"), 404, "not_found")


async def test_the_page_says_of_notices_what_the_library_says(house: House) -> None:
    assert (await house.http.get("/assets/notices.json")).json() == MEANING


def test_nothing_in_the_page_is_inline() -> None:
    html = (WEB / "index.html").read_text(encoding="utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert re.findall(r"<script[^>]*>([^<]*)</script>", html) == ["", ""]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_script_makes_markup_or_code_of_text_or_names_another_origin(script: Path) -> None:
    text = script.read_text(encoding="utf-8")

    assert not _MARKUP.search(text)
    assert not _ADDRESS.search(text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_imports_lead_to_files_that_are_there(script: Path) -> None:
    for target in _STATIC_IMPORT.findall(script.read_text(encoding="utf-8")):
        assert (script.parent / target).is_file(), target


def test_the_page_goes_with_the_package() -> None:
    """Hatch packs every file of a package that git does not ignore."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert "service" in wheel["packages"]
    assert not {"exclude", "only-include"} & wheel.keys()
    on_disk = {str(file.relative_to(WEB)) for file in WEB.rglob("*") if file.is_file()}
    assert set(web_assets.load()) == on_disk | {"notices.json"}
