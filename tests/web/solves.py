"""Solves for the page to show, and what to look for on it."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect

from bench.stack import Stack

TEXT = "\n\n".join(
    f"Section {index}. A banyan drops roots, and the roots become trunks, as number {index} shows."
    for index in range(120)
)


async def submit(http: httpx.AsyncClient, goal: str, **request: Any) -> str:
    """Start a solve; its id."""
    reply = await http.post(
        "/solve", json={"goal": goal, **request}, headers={"Prefer": "respond-async"}
    )
    assert reply.status_code == 202, reply.text
    return str(reply.json()["id"])


async def finished(http: httpx.AsyncClient, goal: str, **request: Any) -> str:
    """A solve that has ended; its id."""
    solve = await submit(http, goal, **request)
    reply = await http.get(f"/solve/{solve}", headers={"Prefer": "wait=60"})
    assert reply.json()["status"] == "completed", reply.text
    return solve


def row(page: Page, path: str) -> Locator:
    """The row of a node in the tree."""
    return page.locator(f'.tree-row[data-path="{path}"]:visible')


async def open_solve(page: Page, stack: Stack, solve: str, status: str = "completed") -> None:
    """Show a solve, and wait until it stands as `status`."""
    await page.goto(f"{stack.url}/solves/{solve}")
    await expect(page.locator(".run-line .chip")).to_have_text(status)
