"""The web page in a real browser, on a running service: submit, watch, look, cite, cancel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Error, Page, Route, expect

from bench.stack import Stack
from tests.fixtures.waiting import eventually
from tests.web.conftest import Watched
from tests.web.solves import TEXT, finished, open_solve, row, submit

HOSTILE = '<img src=x onerror="window.broken=1"> <script>window.broken=1</script> 🌳'


async def test_a_goal_with_a_file_is_submitted_and_its_tree_grows_to_an_answer(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "banyans.txt"
    file.write_text(TEXT, encoding="utf-8")
    await page.goto(stack.url)
    await page.get_by_label("Goal").fill("What does each section show?")
    await page.set_input_files("#files", file)
    await page.get_by_text("Always", exact=True).click()
    await page.get_by_text("Limits").click()
    await page.get_by_label("Max depth").fill("3")
    await page.get_by_role("button", name="Solve", exact=True).click()
    await page.wait_for_url(re.compile(r"/solves/solve_"))

    await expect(page.get_by_role("heading", level=1)).to_have_text("What does each section show?")
    await expect(row(page, "0.1")).to_be_visible()
    await expect(page.locator(".run-line .chip")).to_have_text("completed")
    await expect(page.get_by_role("tree")).to_contain_text("below")
    await expect(page.locator("#panel-answer .prose")).to_have_text(
        "The fake model says that it is ok."
    )
    await expect(page.locator("#panel-answer")).to_contain_text("100% of the input was read")
    await expect(page.locator("#panel-answer .cite").first).to_contain_text("banyans.txt")


async def num_nodes(page: Page) -> int:
    """How many the page knows of."""
    return int((await page.locator(".facts dd").first.inner_text()).rpartition("/")[2])


async def test_the_tree_grows_while_one_watches(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    solve = await submit(
        http, "fan-out 3", gate={"mode": "always"}, limits={"max_depth": 6, "max_parallel": 2}
    )
    await page.goto(f"{stack.url}/solves/{solve}")
    for depth in (1, 2, 3):
        await expect(row(page, "0" + ".0" * depth)).to_be_visible()
    seen = await num_nodes(page)

    async def has_grown() -> bool:
        return await num_nodes(page) > seen

    await eventually(has_grown)
    await expect(page.locator(".run-line .chip")).to_have_text("running")
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await expect(page.locator(".run-line .chip")).to_have_text("cancelled")
    await expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_hidden()
    assert (await http.get(f"/solve/{solve}")).json()["status"] == "cancelled"
    assert (await page.get_by_role("button", name=re.compile("running")).inner_text()).endswith("0")


async def test_a_node_is_opened_with_what_it_was_shown_and_did(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    solve = await finished(http, "fan-out 2", gate={"mode": "always"}, limits={"max_depth": 1})
    await open_solve(page, stack, solve)
    await row(page, "0.1").click()

    panel = page.locator("#panel-node")
    await expect(panel).to_be_focused()
    await expect(panel).to_contain_text("fan-out 2.2")
    detail = (await http.get(f"/solve/{solve}/nodes/0.1")).json()
    await expect(panel.locator("details pre").nth(1)).to_have_text(detail["turns"][-1]["prompt"])
    await expect(panel).to_contain_text(f"Policy{detail['policy']}")
    await expect(panel).to_contain_text("summary")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("tree")).to_be_focused()


async def test_a_citation_leads_to_its_place_in_the_document(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    text = "🌳 Vorwort mit Umlauten: äöü.\n\n" + TEXT
    solve = await finished(
        http, "What is shown?", documents=[{"text": text}], gate={"mode": "always"}
    )
    await open_solve(page, stack, solve)
    result = (await http.get(f"/solve/{solve}")).json()
    citation = result["citations"][-1]
    await page.locator("#panel-answer .cite").last.click()

    here = page.locator("#panel-documents mark.here")
    await expect(here.first).to_be_in_viewport()
    assert "".join(await here.all_text_contents()) == text[citation["start"] : citation["end"]]
    await expect(page.get_by_label("Place in the document")).to_have_attribute(
        "aria-valuemax", str(len(text))
    )
    await expect(page.locator("#panel-documents")).to_contain_text("100% read")


async def test_a_tree_is_walked_by_keys(page: Page, stack: Stack, http: httpx.AsyncClient) -> None:
    solve = await finished(http, "fan-out 2", gate={"mode": "always"}, limits={"max_depth": 2})
    await open_solve(page, stack, solve)
    await page.keyboard.press("t")
    tree = page.get_by_role("tree")

    async def active() -> str | None:
        name = await tree.get_attribute("aria-activedescendant")
        return await page.locator(f"#{name}").get_attribute("data-path")

    await expect(tree).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(row(page, "0.0")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowLeft")
    await expect(row(page, "0.0")).to_have_attribute("aria-expanded", "false")
    await expect(row(page, "0.0.0")).to_have_count(0)
    await page.keyboard.press("ArrowDown")
    await expect(row(page, "0.1")).to_have_attribute("aria-selected", "true")
    assert await active() == "0.1"
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-node .here")).to_have_text("0.1.1")
    assert "Node 0.1.1, ok" in str(await row(page, "0.1.1").get_attribute("aria-label"))


async def test_text_of_documents_and_goals_is_shown_and_never_run(
    watched: Watched, stack: Stack, http: httpx.AsyncClient
) -> None:
    page = watched.page
    solve = await finished(http, HOSTILE, documents=[{"text": HOSTILE}])
    await open_solve(page, stack, solve)

    await expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    await row(page, "0").click()
    await expect(page.locator("#panel-node")).to_contain_text(HOSTILE)
    assert await page.evaluate("window.broken") is None
    assert await page.locator("main img, main script").count() == 0


async def test_a_page_cannot_run_what_is_not_ours(watched: Watched, stack: Stack) -> None:
    page = watched.page
    await page.goto(stack.url)
    for act in (
        "document.createElement('script').src = 'data:text/javascript,window.broken=1'",
        "document.body.innerHTML = '<b>bold</b>'",
        "document.createElement('div').setAttribute('onclick', 'window.broken=1')",
    ):
        with pytest.raises(Error, match="requires 'Trusted"):
            await page.evaluate(act)
    assert await page.evaluate("window.broken") is None
    watched.troubles.clear()  # the browser reports the refusal, which is what was asked for


async def test_a_solve_that_does_not_exist_is_said_to_be_unknown(
    watched: Watched, stack: Stack
) -> None:
    page = watched.page
    await page.goto(f"{stack.url}/solves/solve_{'0' * 28}")
    await expect(page.get_by_role("main")).to_contain_text("There is no solve with this id.")
    watched.troubles.clear()  # Chromium reports the 404 of the API as an error


async def test_the_answer_is_shown_where_the_oldest_events_are_gone(
    watched: Watched, stack: Stack, http: httpx.AsyncClient
) -> None:
    page = watched.page
    solve = await finished(http, "fan-out 2")
    gone = {"detail": "Events before 9 are not kept any more.", "code": "events_trimmed"}

    async def trimmed(route: Route) -> None:
        await route.fulfill(status=410, json=gone)

    await page.route("**/events", trimmed)
    await open_solve(page, stack, solve)
    await expect(page.locator(".problem")).to_contain_text("Events before 9 are not kept any more.")
    await expect(page.locator("#panel-answer .prose")).to_have_text(
        "The fake model says that it is ok."
    )
    watched.troubles.clear()  # the request that was refused


async def test_a_wrong_limit_is_refused_with_a_reason_and_can_be_corrected(
    watched: Watched, stack: Stack
) -> None:
    page = watched.page
    await page.goto(stack.url)
    await page.get_by_label("Goal").fill("Why?")
    await page.get_by_text("Limits").click()
    await expect(page.get_by_label("Max tokens")).to_have_attribute("placeholder", "2,000,000")
    await page.locator("#limit-max_tokens").evaluate("input => input.removeAttribute('min')")
    await page.get_by_label("Max tokens").fill("1")
    await page.get_by_role("button", name="Solve", exact=True).click()
    await expect(page.locator(".problem strong")).to_contain_text("limits.max_tokens")
    await page.get_by_label("Max tokens").fill("20000")
    await page.get_by_role("button", name="Solve", exact=True).click()
    await page.wait_for_url(re.compile(r"/solves/solve_"))
    watched.troubles.clear()  # the refused request


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_theme_follows_the_system_until_one_is_chosen(
    page: Page, stack: Stack, scheme: Any
) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.goto(stack.url)
    html = page.locator("html")
    await expect(html).to_have_attribute("data-theme", scheme)
    other = "dark" if scheme == "light" else "light"
    await page.get_by_role("button", name=f"Use the {other} theme").click()
    await expect(html).to_have_attribute("data-theme", other)
    await page.reload()
    await expect(html).to_have_attribute("data-theme", other)


async def test_a_key_is_asked_for_where_the_service_wants_one_and_stays_in_the_tab(
    watched: Watched, stack: Stack, http: httpx.AsyncClient
) -> None:
    page = watched.page
    solve = await finished(http, "fan-out 2")
    given: list[str | None] = []

    async def guard(route: Route) -> None:
        given.append(route.request.headers.get("authorization"))
        if given[-1] == "Bearer good":
            await route.continue_()
        else:
            await route.fulfill(status=401, json={"detail": "no key", "code": "unauthenticated"})

    await page.route(re.compile(r"/solve/|/solve\?"), guard)
    await page.goto(f"{stack.url}/solves/{solve}")
    await page.get_by_label("This service asks who you are").fill("bad")
    await page.get_by_role("button", name="Use this key").click()
    await expect(page.locator("#api-key-hint")).to_contain_text("That key was refused")
    await page.get_by_label("This service asks who you are").fill("good")
    await page.get_by_role("button", name="Use this key").click()
    await expect(page.locator(".run-line .chip")).to_have_text("completed")
    assert {None, "Bearer bad", "Bearer good"} == set(given)
    assert await page.evaluate("localStorage.length") == 0
    assert await page.evaluate("sessionStorage.getItem('banyan.key')") == "good"
    watched.troubles.clear()  # the requests that were refused


async def test_a_large_tree_has_a_row_for_what_is_in_sight_alone(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    limits = {"max_depth": 3, "max_nodes": 400, "max_parallel": 10_000, "max_tokens": 10**9}
    solve = await finished(http, "fan-out 7", gate={"mode": "always"}, limits=limits)
    await open_solve(page, stack, solve)
    tree = page.get_by_role("tree")
    await expect(page.locator(".facts dd").first).to_have_text("400 / 400")
    assert await page.locator(".tree-row").count() < 80
    await tree.focus()
    await page.keyboard.press("End")
    await expect(row(page, "0.6.6.6")).to_have_attribute("aria-selected", "true")
    await expect(row(page, "0")).to_have_count(0)
