"""docs/reference.md is what `python -m service.reference` makes of the OpenAPI document."""

from __future__ import annotations

import pytest

from service.reference import Reference
from service.settings import ServiceSettings
from tests.docs.blocks import GENERATED
from tests.service.house import House


@pytest.fixture(scope="module")
def reference() -> str:
    return Reference(House(ServiceSettings()).app.openapi()).render()


def test_the_page_is_as_the_service_makes_it(reference: str) -> None:
    again = "curl -s $URL/openapi.json | python -m service.reference > docs/reference.md"
    assert GENERATED.read_text(encoding="utf-8") == reference, f"make it anew: {again}"


def test_every_link_within_the_page_leads_to_a_heading(reference: str) -> None:
    headings = {
        line.lstrip("# ").lower() for line in reference.splitlines() if line.startswith("#")
    }
    linked = {part.partition(")")[0] for part in reference.split("](#")[1:]}
    assert linked
    assert linked <= headings


def test_calls_that_need_a_scope_name_it(reference: str) -> None:
    _, call = reference.split("### `POST /keys`\n")
    assert "\nScope: `admin`.\n" in call.partition("\n### ")[0]
