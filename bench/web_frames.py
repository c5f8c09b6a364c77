"""How smooth the web page is over a large tree: frame times in Chromium.

    python -m bench.web_frames                1 + 2,999 nodes: while they run, and while one scrolls

The tree is fanned out in two levels on a fake model server. A frame is the time between two calls
of requestAnimationFrame; without load it is 16.7 ms. Chromium draws without a GPU here.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.async_api import Page

from bench.durations import Durations
from bench.results import write_results
from bench.stack import Stack
from tests.web.browsing import browsing

RECORD = """() => {
  window.frames_ms = []; let last = performance.now();
  const next = (now) => {
    window.frames_ms.push(now - last); last = now; requestAnimationFrame(next);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(next); });
}"""
SCROLL = """(steps) => new Promise((resolve) => {
  const tree = document.querySelector('.tree'); let step = 0;
  const next = () => {
    tree.scrollTop = (tree.scrollHeight - tree.clientHeight) * (step / steps);
    if (step++ < steps) requestAnimationFrame(next); else resolve();
  };
  requestAnimationFrame(next);
})"""


@dataclass(frozen=True, slots=True)
class Frames:
    """Time between frames of one phase."""

    phase: str
    nodes: int
    between: Durations


async def phase(page: Page, name: str) -> Frames:
    """What was recorded since the last look."""
    found: list[float] = await page.evaluate(
        "() => { const f = window.frames_ms; window.frames_ms = []; return f; }"
    )
    nodes = await page.locator(".facts dd").first.inner_text()
    return Frames(
        phase=name,
        nodes=int(nodes.rpartition("/")[2].replace(",", "")),
        between=Durations.of_ms(found),
    )


async def measure(stack: Stack, fan_out: int, http: httpx.Client) -> list[Frames]:
    """Three phases: the tree runs, the finished tree is opened, and it is scrolled through."""
    limits = {"max_depth": 2, "max_nodes": 1 + fan_out + fan_out**2, "max_parallel": 10_000}
    results = []
    async with browsing() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(300_000)
        solve = stack.submit(
            http,
            f"fan-out {fan_out}",
            gate={"mode": "always"},
            limits={**limits, "max_tokens": 10**10},
        )
        await page.goto(f"{stack.url}/solves/{solve}")
        await page.evaluate(RECORD)
        await page.locator('.run-line .dot[data-state="completed"]').wait_for()
        results.append(await phase(page, "live"))
        await page.reload()
        await page.evaluate(RECORD)
        await page.locator('.run-line .dot[data-state="completed"]').wait_for()
        results.append(await phase(page, "opened"))
        await page.evaluate(SCROLL, 240)
        results.append(await phase(page, "scrolled"))
    return results


def main() -> int:
    """Run, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fan-out", type=int, default=54, help="54: 2,971 nodes")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a call")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    stack = Stack(latency_s=options.latency, num_workers=1, slots=64)
    with stack, httpx.Client(timeout=130.0, trust_env=False) as http:
        results = asyncio.run(measure(stack, options.fan_out, http))
    for one in results:
        print(f"{one.phase:9} {one.nodes:5} nodes: {one.between.said}")
    write_results(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
