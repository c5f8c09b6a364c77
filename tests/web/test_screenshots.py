"""The pictures in the documents are made of the page as it is, all of them by one command."""

from __future__ import annotations

import asyncio
import re
import struct
from pathlib import Path

from playwright.async_api import Browser

from bench.stack import Stack
from tests.docs.blocks import ROOT, pages
from tests.web.screenshots import NARROW, WIDE, grow, take

_PICTURE = re.compile(r"img/(web-[a-z-]+\.png)")


async def test_every_picture_of_the_documents_is_made(
    browser: Browser, stack: Stack, tmp_path: Path
) -> None:
    solve, other = await asyncio.to_thread(grow, stack)
    await take(browser, stack.url, solve, other, tmp_path)
    shown = {
        name for page in pages() for name in _PICTURE.findall(page.read_text(encoding="utf-8"))
    }

    assert shown
    made = sizes_of(tmp_path)
    assert shown == set(made)
    assert set(made.values()) == {WIDE, NARROW}
    assert sizes_of(ROOT / "docs" / "img") == made


def sizes_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Of every picture of the page in a folder."""
    return {file.name: size_of(file) for file in folder.glob("web-*.png")}


def size_of(file: Path) -> tuple[int, int]:
    """Width and height, of a PNG's first chunk."""
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    return int(width), int(height)
