"""The page's pure modules, by tests in JavaScript (`units/`) that run in the browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route

from service import web_assets

UNITS = Path(__file__).parent / "units"
ORIGIN = "http://units.test"

_TEST = re.compile(r"^test\(\"(.+?)\", ", re.MULTILINE)
CASES = [
    (file.name, name)
    for file in sorted(UNITS.glob("*.test.js"))
    for name in _TEST.findall(file.read_text(encoding="utf-8"))
]


ASSETS = web_assets.load()
EMPTY = "<!doctype html><link rel=icon href=data:>"


async def answer(route: Route) -> None:
    """The page's own files under `/assets/`, those of the tests beside them, and an empty page."""
    path = route.request.url.removeprefix(f"{ORIGIN}/")
    if path.startswith("assets/"):
        asset = ASSETS[path.removeprefix("assets/")]
        await route.fulfill(body=asset.body, content_type=asset.media_type)
    elif path:
        await route.fulfill(path=UNITS / path, content_type="text/javascript")
    else:
        await route.fulfill(body=EMPTY, content_type="text/html")


@pytest.fixture(scope="module")
async def bench(browser: Browser) -> AsyncIterator[Page]:
    """An empty page of an origin that has the files; modules are pure, so that one serves all."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.route(f"{ORIGIN}/**", answer)
    await page.goto(f"{ORIGIN}/")
    yield page
    await context.close()


@pytest.mark.parametrize(("file", "name"), CASES, ids=[name for _, name in CASES])
async def test_unit(bench: Page, file: str, name: str) -> None:
    problem = await bench.evaluate(
        "async ([file, name]) => {"
        " await import(`/${file}`);"
        " const { run } = await import('/check.js');"
        " return run(name); }",
        [file, name],
    )
    assert problem is None


def test_every_file_of_tests_was_read() -> None:
    assert {file for file, _ in CASES} == {file.name for file in UNITS.glob("*.test.js")}
    assert len(CASES) > 30
