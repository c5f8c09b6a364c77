"""Browsing: a headless Chromium through Playwright."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.web.chromium import FLAGS, chromium


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A headless browser with an empty profile that is thrown away. Raises NoChromium."""
    program = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()
