"""HTML as Markdown: the text with its headings, lists, tables and paragraphs, nothing left out.

The parser (libxml2, through lxml) tells its events while it is fed, and no tree is built, so that
memory does not grow with the document. What a browser would not show as text is not text here:
scripts, styles, templates and comments. Addresses of links and pictures are left out, and
alternative texts stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

_HIDDEN = frozenset({"script", "style", "template", "svg", "noframes", "iframe", "object"})
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"}
    | {"dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header"}
    | {"hgroup", "hr", "html", "legend", "main", "nav", "p", "pre", "section", "summary", "table"}
    | {"title", *_HEADINGS}
)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_:-]{1,40})", re.IGNORECASE)
_MAX_INDENT = 8


def declared_charset(head: bytes) -> str | None:
    """The encoding that a `meta` element in the beginning of a page names, as browsers take it."""
    found = _META.search(head)
    if found is None:
        return None
    name = found[1].decode().lower()
    if name.startswith("utf-16"):  # it was read as ASCII just now
        return "utf-8"
    return "cp1252" if name in {"iso-8859-1", "latin1", "us-ascii", "ascii"} else name


def markdown(blocks: Iterable[bytes]) -> Iterator[str]:
    """The text of a page that comes in blocks of UTF-8."""
    writer = _Writer()
    parser = etree.HTMLParser(target=writer, huge_tree=True, encoding="utf-8")
    fed = False
    for block in blocks:
        if block:
            parser.feed(block)
            fed = True
            yield writer.take()
    if fed:
        parser.close()
    yield writer.take()


class _Writer:
    """The target of the parser's events. Line breaks and marks wait for the text behind them."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._num_breaks = 0
        self._mark = ""
        self._space = False
        self._fresh = True  # nothing stands in this item, cell or document yet
        self._hidden = 0
        self._preserved = 0
        self._lists: list[int | None] = []  # the last number of an ordered list
        self._num_cells = 0
        self._row_has_text = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif self._hidden:
            return
        elif tag == "br":
            self._break(min(self._num_breaks + 1, 2))
        elif tag == "img":
            self.data(f" {attributes.get('alt', '')} ")
        elif tag in {"td", "th"}:
            self._start_cell()
        elif tag in {"li", "tr"}:
            self._break(1)
            self._num_cells, self._row_has_text = 0, False
            if tag == "li":
                self._mark, self._fresh = self._bullet(), True
        elif tag in _LISTS:
            self._break(1 if self._lists else 2)
            self._lists.append(0 if tag == "ol" else None)
        elif tag in _BLOCKS:
            self._break(2)
            self._preserved += tag == "pre"
            self._mark = _HEADINGS.get(tag, self._mark)

    def end(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif self._hidden:
            return
        elif tag in {"li", "tr"}:
            self._mark, self._fresh = "", False
            self._break(1)
            if tag == "tr" and self._row_has_text:
                self._num_breaks = 1
        elif tag in _LISTS:
            del self._lists[-1:]
            self._break(1 if self._lists else 2)
        elif tag in _BLOCKS:
            self._preserved = max(0, self._preserved - (tag == "pre"))
            if tag in _HEADINGS:
                self._mark = ""
            self._break(2)

    def data(self, text: str) -> None:
        if self._hidden:
            return
        if self._preserved:
            self._write(text)
            return
        words = _SPACE.sub(" ", text)
        self._space = self._space or words.startswith(" ")
        if stripped := words.strip(" "):
            self._write(stripped)
            self._space = words.endswith(" ")

    def comment(self, text: str) -> None:
        """What a browser does not show."""

    def close(self) -> None:
        """The last line ends as it is."""

    def take(self) -> str:
        """What was written since the last time."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def _start_cell(self) -> None:
        if self._num_cells:
            if self._row_has_text:
                self._num_breaks, self._space = 0, True
            self._write("|")
            self._space = True
        self._num_cells += 1
        self._fresh = True

    def _bullet(self) -> str:
        indent = "  " * min(max(0, len(self._lists) - 1), _MAX_INDENT)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _break(self, num_breaks: int) -> None:
        """End the line, unless an item or a cell has only just begun."""
        if not self._fresh:
            self._num_breaks = max(self._num_breaks, num_breaks)
            self._space = False

    def _write(self, text: str) -> None:
        if self._num_breaks:
            self._out.append("\n" * self._num_breaks)
        elif self._space and not (self._fresh and self._mark):
            self._out.append(" ")
        self._out += (self._mark, text)
        self._num_breaks, self._mark = 0, ""
        self._space = self._fresh = False
        self._row_has_text = True
