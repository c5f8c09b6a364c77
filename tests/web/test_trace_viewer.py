"""The trace in Chromium's own viewer of traces, whose importer also says what it does not take."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.async_api import Browser

from tests.web.solves import finished

# `tr` is the library of chrome://tracing (Catapult), which defined the format.
IMPORT = """(text) => {
  const model = new tr.Model();
  new tr.importer.Import(model).importTraces([text]);
  const threads = Object.values(model.processes).flatMap((process) =>
    Object.values(process.threads).map((thread) => [process, thread]));
  return {
    warnings: model.importWarnings.map((warning) => warning.message),
    slices: threads.flatMap(([process, thread]) => thread.sliceGroup.slices.map((slice) =>
      [process.name, slice.title, slice.duration])),
    arrows: model.flowEvents.length,
  };
}"""


async def test_the_viewer_of_traces_takes_all_of_it(
    browser: Browser, http: httpx.AsyncClient
) -> None:
    solve = await finished(http, "fan-out 3", gate={"mode": "always"}, limits={"max_depth": 1})
    trace = (await http.get(f"/solve/{solve}/trace")).text
    page = await browser.new_page()
    await page.goto("chrome://tracing")
    found: dict[str, Any] = await page.evaluate(IMPORT, trace)
    await page.close()

    assert found["warnings"] == []
    titles = [(process, title) for process, title, _ in found["slices"]]
    assert {("slots", f"node {path}") for path in ("0", "0.0", "0.1", "0.2")} <= set(titles)
    assert ("slots", "model: answer") in titles
    assert ("queue", "0.2 waits") in titles
    assert found["arrows"] == 3
    assert all(duration > 0 for *_, duration in found["slices"])
