"""The form in a real browser: what would it take, on which policy, and in which form to answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
from playwright.async_api import Page, expect

from bench.stack import Stack
from tests.web.solves import TEXT

SCHEMA = {
    "type": "object",
    "properties": {"years": {"type": "integer"}, "sure": {"type": "boolean"}},
    "required": ["years", "sure"],
    "additionalProperties": False,
}


async def test_an_estimate_is_shown_before_anything_is_sent_or_spent(
    page: Page, stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "banyans.txt"
    file.write_text(TEXT, encoding="utf-8")
    before = (await http.get(f"{stack.engine_url}/stats")).json()["calls"]
    await page.goto(stack.url)
    await page.get_by_label("Goal").fill("What does each section show?")
    await page.set_input_files("#files", file)
    await page.get_by_role("button", name="Estimate").click()

    shown = page.get_by_label("Estimate", exact=True).last
    most = shown.get_by_role("row", name="Nodes").get_by_role("cell").nth(1)
    body = {"goal": "What does each section show?", "more_chars": len(TEXT.encode())}
    planned = (await http.post("/solve/estimate", json=body)).json()
    await expect(most).to_have_text(str(planned["most"]["nodes"]))
    await expect(page.locator(".files .hint")).to_contain_text("bytes")
    assert (await http.get(f"{stack.engine_url}/stats")).json()["calls"] == before
    assert page.url == f"{stack.url}/"


async def test_an_estimate_without_a_goal_is_not_asked_for(page: Page, stack: Stack) -> None:
    await page.goto(stack.url)
    await page.get_by_role("button", name="Estimate").click()

    await expect(page.get_by_label("Goal")).to_be_focused()
    await expect(page.locator(".estimate")).to_have_count(0)


async def test_a_policy_and_a_schema_are_chosen_and_the_answer_follows_the_schema(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    await page.goto(stack.url)
    await page.get_by_label("Goal").fill("For how long?")
    await page.get_by_label("Policy").select_option("base")
    await page.get_by_text("Structured answer").click()
    await page.get_by_label("Answer schema").fill(json.dumps(SCHEMA))
    async with page.expect_request(lambda one: one.method == "POST") as sent:
        await page.get_by_role("button", name="Solve", exact=True).click()
    await page.wait_for_url(re.compile(r"/solves/solve_"))
    await expect(page.locator(".run-line .chip")).to_have_text("completed")

    request = json.loads((await sent.value).post_data or "")
    assert (request["policy"], request["answer_schema"]) == ("base", SCHEMA)
    answer = (await http.get(f"/solve/{page.url.rpartition('/')[2]}")).json()["answer"]
    assert set(answer) == {"years", "sure"}
    await expect(page.locator("#panel-answer .prose")).to_have_text(json.dumps(answer, indent=2))


async def test_a_schema_that_is_no_json_is_shown_as_wrong_and_not_sent(
    page: Page, stack: Stack
) -> None:
    await page.goto(stack.url)
    await page.get_by_label("Goal").fill("Why?")
    await page.get_by_text("Structured answer").click()
    await page.get_by_label("Answer schema").fill("{")
    await page.get_by_text("Structured answer").click()
    await page.get_by_role("button", name="Solve", exact=True).click()

    await expect(page.get_by_label("Answer schema")).to_be_visible()
    await expect(page.get_by_label("Answer schema")).to_have_attribute("aria-invalid", "true")
    assert page.url == f"{stack.url}/"
