"""Fixtures of the page's tests: a real browser, and a service with all that stands behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from bench.stack import Stack
from tests.debian import CHROMIUM
from tests.not_run import needed
from tests.web.browsing import browsing

WINDOW = 2_048
LATENCY_S = 0.05
PATIENCE_MS = 60_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the session. Tests are skipped, and named at the end, where there is none."""
    needed(CHROMIUM)
    async with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Valkey, a worker, the service and the official fake model server."""
    with Stack(latency_s=LATENCY_S, num_workers=1, slots=16, window=WINDOW) as stack:
        yield stack


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the same service without a browser."""
    async with httpx.AsyncClient(base_url=stack.url, timeout=90.0, trust_env=False) as client:
        yield client


@dataclass
class Watched:
    """A page, and what its console said that should not be there."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(message.text)

    def on_error(self, error: object) -> None:
        self.troubles.append(str(error))


@pytest.fixture
async def watched(browser: Browser) -> AsyncIterator[Watched]:
    """A fresh tab. What breaks the page, or its security policy, fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    watched = Watched(page)
    page.on("console", watched.on_console)
    page.on("pageerror", watched.on_error)
    yield watched
    await context.close()
    assert watched.troubles == []


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page
