"""The pictures of docs/web.md: `python -m tests.web.screenshots [FOLDER]`, default docs/img.

Made of a real service with the fake model server. The tests make them too, in a folder of their
own, so that a run changes no file of the project.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page

from bench.stack import Stack
from tests.web.browsing import browsing

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "img"
GOAL = "What do the sections tell of the banyan, and which obligations survive termination?"
TEXT = "\n\n".join(
    f"## Section {index}\n\nA banyan drops roots from its branches, and the roots become trunks, "
    f"as number {index} shows. Obligation {index} survives termination for two years."
    for index in range(300)
)
WIDE, NARROW = (1280, 800), (390, 780)


async def take(browser: Browser, url: str, solve: str, other: str, folder: Path) -> None:
    """All pictures; each waits for what it shows."""
    page = await _page(browser, "light", WIDE)
    await _open(page, f"{url}/solves/{solve}")
    await page.get_by_label("Levels shown").select_option("3")
    await page.locator('.tree-row[data-path="0.1"] .path').click()
    await page.locator("#panel-node details.turn").first.wait_for()
    await page.screenshot(path=folder / "web-tree-light.png")
    await page.get_by_role("tab", name="Answer").click()
    await page.locator(".cite").last.click()
    await page.locator("mark.here").first.wait_for()
    await page.screenshot(path=folder / "web-citation-light.png")
    await page.goto(f"{url}/compare?a={solve}&b={other}")
    await page.locator(".answers").wait_for()
    await page.screenshot(path=folder / "web-compare-light.png")
    await page.goto(url)
    await page.locator(".solve-row").first.wait_for()
    await page.screenshot(path=folder / "web-home-light.png")
    page = await _page(browser, "dark", WIDE)
    await _open(page, f"{url}/solves/{other}")
    await page.screenshot(path=folder / "web-tree-dark.png")
    page = await _page(browser, "light", NARROW)
    await _open(page, f"{url}/solves/{solve}")
    await page.screenshot(path=folder / "web-narrow-light.png")


async def _page(browser: Browser, scheme: str, size: tuple[int, int]) -> Page:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    return await context.new_page()


async def _open(page: Page, address: str) -> None:
    await page.goto(address)
    await page.locator("#panel-answer .prose").wait_for()
    await page.locator('.run-line .dot[data-state="completed"]').wait_for()


async def take_all(url: str, solve: str, other: str, folder: Path) -> None:
    async with browsing() as browser:
        await take(browser, url, solve, other, folder)


def grow(stack: Stack) -> tuple[str, str]:
    """The two trees that they show."""
    with httpx.Client(timeout=130.0, trust_env=False) as http:
        upload = http.post(
            f"{stack.url}/documents?title=banyans.md",
            content=TEXT.encode(),
            headers={"Content-Type": "text/plain"},
        )
        documents = [{"id": upload.raise_for_status().json()["id"]}]
        gate = {"mode": "always"}
        solve = stack.submit(http, GOAL, documents=documents, gate=gate)
        stack.wait(http, solve)
        limits = {"max_depth": 4, "max_nodes": 341, "max_tokens": 10**9}
        other = stack.submit(http, "fan-out 4", gate=gate, limits=limits)
        stack.wait(http, other)
    return solve, other


def main(folder: Path) -> None:
    """Grow two trees, and take the pictures of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with Stack(latency_s=0.1, num_workers=1, slots=32, window=2_048) as stack:
        asyncio.run(take_all(stack.url, *grow(stack), folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
