"""Runs in a real browser: going on with one, taking its trace, comparing two, and keys alone."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from bench.stack import Stack
from tests.trace_format import problems_of
from tests.web.solves import TEXT, finished, open_solve, row, submit

ALWAYS = {"mode": "always"}

# Contrast as WCAG 2.2 defines it, of an element's text on the first background that is not clear.
CONTRAST = """(element) => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  let below = element;
  while (below.parentElement && channels(getComputedStyle(below).backgroundColor)[3] === 0) {
    below = below.parentElement;
  }
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [light(getComputedStyle(element).color),
    light(getComputedStyle(below).backgroundColor)].sort((left, right) => right - left);
  return (high + 0.05) / (low + 0.05);
}"""


async def test_a_cancelled_solve_is_resumed_and_goes_on_to_its_answer(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    solve = await submit(http, "fan-out 2", gate=ALWAYS, limits={"max_depth": 2, "max_nodes": 7})
    await http.post(f"/solve/{solve}/cancel")
    await open_solve(page, stack, solve, status="cancelled")
    await page.get_by_role("button", name="Resume", exact=True).click()
    await page.get_by_label("Extra tokens").fill("5000")
    await page.get_by_role("dialog").get_by_role("button", name="Resume").click()

    await expect(page.locator(".run-line .chip")).to_have_text("completed")
    await expect(page.locator("#panel-answer .prose")).to_have_text(
        "The fake model says that it is ok."
    )
    await expect(page.get_by_role("button", name="Resume", exact=True)).to_be_hidden()
    [listed] = [
        one for one in (await http.get("/solve?limit=20")).json()["solves"] if one["id"] == solve
    ]
    assert listed["generation"] == 2


async def test_the_trace_is_downloaded_as_the_service_gives_it(
    page: Page, stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    solve = await finished(http, "fan-out 2", gate=ALWAYS, limits={"max_depth": 1})
    await open_solve(page, stack, solve)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Trace").click()
    file = tmp_path / "trace.json"
    await (await download.value).save_as(file)

    assert (await download.value).suggested_filename == f"{solve}.trace.json"
    trace = json.loads(file.read_bytes())
    assert trace == (await http.get(f"/solve/{solve}/trace")).json()
    assert problems_of(trace) == []


async def test_two_runs_are_compared_with_what_differs(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    small = await finished(http, "fan-out 2", gate=ALWAYS, limits={"max_depth": 1})
    large = await finished(http, "fan-out 2", gate=ALWAYS, limits={"max_depth": 2})
    await page.goto(f"{stack.url}/compare?a={small}")
    await page.get_by_label("Second").select_option(large)
    await page.get_by_role("button", name="Compare").click()

    nodes = page.get_by_role("row", name="Nodes").first.get_by_role("cell")
    await expect(nodes).to_have_text(["3", "7", "+133%"])
    deepest = page.get_by_role("row", name="Depth 2").get_by_role("cell")
    await expect(deepest.nth(3)).to_have_text("4")
    await expect(page.locator("main")).to_contain_text("Both answers are the same.")


# Names of the theme's colours of which there is a pixel on a canvas.
PAINTED = """(canvas, names) => {
  const probe = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {
    willReadFrequently: true,
  });
  const style = getComputedStyle(document.documentElement);
  probe.drawImage(canvas, 0, 0);
  const { data } = probe.getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 4).join());
  return names.filter((name) => {
    probe.fillStyle = style.getPropertyValue(`--${name}`);
    probe.fillRect(0, 0, 1, 1);
    return seen.has(probe.getImageData(0, 0, 1, 1).data.join());
  });
}"""


async def test_the_timeline_tells_waiting_from_the_model_and_marks_the_critical_path(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    solve = await finished(http, "fan-out 2", gate=ALWAYS, limits={"max_depth": 2})
    usage = (await http.get(f"/solve/{solve}")).json()["usage"]
    await open_solve(page, stack, solve)
    await expect(row(page, "0.1.1")).to_be_visible()
    spans = ["span-queue", "span-model", "span-children", "critical"]

    painted = await row(page, "0").locator("canvas.bars").evaluate(PAINTED, spans)
    assert painted == spans
    critical = [
        str(await one.get_attribute("data-path"))
        for one in await page.locator(".tree-row.critical:visible").all()
    ]
    assert [len(path) for path in sorted(critical)] == [1, 3, 5]
    assert all(below.startswith(above) for above, below in pairwise(sorted(critical)))
    paths = ["0", "0.0", "0.0.0", "0.0.1", "0.1", "0.1.0", "0.1.1"]
    tokens = {
        path: int((await row(page, path).locator(".tokens").inner_text()).replace(",", ""))
        for path in paths
    }
    assert tokens["0"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert tokens["0"] > tokens["0.0"] + tokens["0.1"]
    assert tokens["0.0"] > tokens["0.0.0"] + tokens["0.0.1"]


async def test_a_strip_along_the_document_shows_what_was_read_and_cited(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    solve = await finished(http, "What is shown?", documents=[{"text": TEXT}], gate=ALWAYS)
    await open_solve(page, stack, solve)
    read, unread, cited, here = marks = ["accent", "surface-2", "mark-strong", "critical"]
    await page.get_by_role("tab", name="Documents").click()
    strip = page.get_by_label("Place in the document")
    await expect(page.locator("#panel-documents mark").first).to_be_visible()
    assert await strip.evaluate(PAINTED, marks) == [read, cited]
    await page.get_by_role("tab", name="Answer").click()
    await page.locator("#panel-answer .cite").last.click()
    await expect(page.locator("#panel-documents mark.here").first).to_be_visible()
    assert here in await strip.evaluate(PAINTED, marks)
    assert unread not in await strip.evaluate(PAINTED, marks)


async def test_everything_is_reached_without_a_mouse(page: Page, stack: Stack) -> None:
    await page.goto(stack.url)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Goal")).to_be_focused()
    await page.keyboard.type("fan-out 2")
    solve = page.get_by_role("button", name="Solve", exact=True)
    for _ in range(20):
        if await solve.evaluate("button => button === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/solves/solve_"))
    await expect(page.locator(".run-line .chip")).to_have_text("completed")
    await expect(row(page, "0")).to_be_visible()

    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    await expect(keys).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(keys).to_be_hidden()
    await page.keyboard.press("t")
    await expect(page.get_by_role("tree")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-node")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("tree")).to_be_focused()
    await expect(row(page, "0")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_in_both_themes(
    page: Page, stack: Stack, http: httpx.AsyncClient, scheme: Any
) -> None:
    solve = await finished(http, "fan-out 2", gate=ALWAYS, limits={"max_depth": 1})
    await page.emulate_media(color_scheme=scheme)
    await open_solve(page, stack, solve)
    texts = page.locator(
        "h1, .chip, .facts dt, .facts dd, .tree-row .path, .tree-row .kind, .prose"
    )
    await expect(texts.first).to_be_visible()
    contrasts = [await text.evaluate(CONTRAST) for text in await texts.all()]

    assert len(contrasts) > 20
    assert min(contrasts) >= 4.5
    background = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    red, *_ = map(int, re.findall(r"\d+", background))
    assert (red < 60) == (scheme == "dark")


async def test_the_reference_shows_every_call_with_its_examples(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    await page.goto(f"{stack.url}/docs")
    calls = page.locator("details.call")
    await expect(calls).to_have_count(sum(len(operations) for operations in paths.values()))
    call = calls.filter(has=page.get_by_text("/solve/estimate", exact=True))
    await call.locator("summary").first.click()

    await expect(call.get_by_role("row", name="goal")).to_contain_text("needed")
    await expect(call.locator("pre").first).to_contain_text('"more_chars": 500000')
