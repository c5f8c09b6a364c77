"""The reading of Markdown and of shell commands that the tests of the documents stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import curl
from tests.docs.blocks import blocks_of, commands_of, links_of

PAGE = """\
See [here](other.md) and [there](https://example.org/x).

```sh
echo one
```
```
[no](link.md)
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_blocks_have_their_language_text_and_line(page: Path) -> None:
    found = [(block.language, block.text, block.line) for block in blocks_of(page)]
    assert found == [("sh", "echo one\n", 3), ("", "[no](link.md)\n", 6)]


def test_links_are_those_outside_of_blocks_that_stay_in_the_project(page: Path) -> None:
    assert links_of(page) == ["other.md"]


def test_a_command_may_go_on_in_the_next_line() -> None:
    assert commands_of("a 'b\nc'\n\nd \\\n  e  # why\n") == [["a", "b\nc"], ["d", "e"]]


def test_assignments_before_a_command_are_left_out() -> None:
    assert commands_of("A=1 B_C=2 run D=3\nE=4\n") == [["run", "D=3"]]


def test_a_quote_that_is_never_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="not closed"):
        commands_of("a 'b\n")


@pytest.mark.parametrize(
    "words",
    [["--unknown", curl.DOCUMENTED_URL], ["http://elsewhere.example/"], []],
    ids=["option", "address", "nothing"],
)
def test_requests_that_curl_or_the_documents_would_not_send_are_errors(
    words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"unrecognized|is not at|required"):
        curl.send(words, "http://127.0.0.1:9", tmp_path)
