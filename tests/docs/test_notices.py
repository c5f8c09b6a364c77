"""Every notice that a caller can be told is named in docs/api.md."""

from __future__ import annotations

from banyan import notices
from tests.docs.blocks import ROOT


def test_the_page_on_the_api_names_every_notice() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert notices.MEANING
    assert [code for code in notices.MEANING if f"`{code}`" not in page] == []
