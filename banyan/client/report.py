"""Report: how a finished solve reads, on a terminal and in a pipe."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from banyan import notices
from banyan.citations import Citation
from banyan.client.results import SolveResult, Usage
from banyan.tree import TreeStatus

MAX_CITATIONS = 12
_QUOTE_CHARS = 160
_STYLES: dict[TreeStatus, str] = {
    "completed": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "magenta",
}


def print_result(
    console: Console, result: SolveResult, names: Mapping[str, str] | None = None
) -> None:
    """Answer, citations with quotes, coverage, usage and timing. `names` maps document ids."""
    title = f"answer ({result.status})"
    body = answer_text(result)
    if console.is_terminal:
        style = _STYLES.get(result.status, "blue")
        console.print(Panel(Text(body), title=title, title_align="left", border_style=style))
    else:
        _plain(console, f"{title}\n{body}\n")
    if result.error is not None:
        _plain(console, f"error: {result.error.message} ({result.error.code})")
        if result.error.text is not None:
            _plain(console, f"the best text there is:\n{result.error.text}\n")
    for notice in result.notices:
        _plain(console, f"notice: {notice}: {notices.MEANING.get(notice, '')}")
    _print_citations(console, result.citations, names or {})
    if not console.is_terminal:
        for name, value in facts(result):
            _plain(console, f"{name}: {value}")
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in facts(result):
        table.add_row(name, value)
    console.print(table)


def answer_text(result: SolveResult) -> str:
    """The answer as text; structured answers as indented JSON."""
    if result.answer is None:
        return "(no answer)"
    if isinstance(result.answer, str):
        return result.answer
    return json.dumps(result.answer, indent=2, ensure_ascii=False)


def facts(result: SolveResult) -> list[tuple[str, str]]:
    """Coverage, usage and timing, as name and value."""
    rows: list[tuple[str, str]] = []
    usage, timing, coverage = result.usage, result.timing, result.coverage
    if coverage is not None:
        read = f"{coverage.read_tokens:,} of about {coverage.total_tokens:,} tokens"
        rows.append(("coverage", f"{coverage.share:.1%} of the input ({read})"))
    prompt = f"{usage.prompt_tokens:,} prompt ({usage.cached_tokens:,} cached)"
    rows += [
        ("tree", f"{usage.nodes:,} nodes, depth {usage.max_depth}, {usage.llm_calls:,} calls"),
        ("tokens", f"{prompt}, {usage.completion_tokens:,} completion"),
    ]
    if usage.cost_usd or usage.lost_cost_usd:
        rows.append(("cost", _cost(usage)))
    if usage.lost_tokens:
        rows.append(("lost tokens", f"{usage.lost_tokens:,} at most, with workers that died"))
    if timing.wall_s is not None:
        rows.append(("time", _timing(result)))
    rows.append(("policy", result.policy))
    rows.append(("id", result.id))
    return rows


def _cost(usage: Usage) -> str:
    parts = [f"{usage.cost_usd:.6f} USD"]
    if len(usage.by_policy) > 1:
        parts += [f"{name} {one.cost_usd:.6f}" for name, one in sorted(usage.by_policy.items())]
    if usage.lost_cost_usd:
        parts.append(f"and at most {usage.lost_cost_usd:.6f} with workers that died")
    return ", ".join(parts)


def quote_line(citation: Citation) -> str:
    """The quote on one line, shortened in the middle."""
    text = " ".join(citation.quote.split())
    if len(text) <= _QUOTE_CHARS:
        return text
    half = _QUOTE_CHARS // 2
    return f"{text[:half].rstrip()} ... {text[-half:].lstrip()}"


def _timing(result: SolveResult) -> str:
    timing = result.timing
    parts = [f"{timing.wall_s:.1f} s"]
    if timing.critical_path_s is not None:
        parts.append(f"critical path {timing.critical_path_s:.1f} s")
    if timing.sequential_s is not None:
        parts.append(f"one after another {timing.sequential_s:.1f} s")
    if timing.speed_up is not None:
        parts.append(f"speed-up {timing.speed_up:.1f}")
    return ", ".join(parts)


def _print_citations(
    console: Console, citations: tuple[Citation, ...], names: Mapping[str, str]
) -> None:
    for citation in citations[:MAX_CITATIONS]:
        where = names.get(citation.document, citation.document)
        text = Text(f"  {where} [{citation.start}, {citation.end})  ", style="dim")
        text.append(f"“{quote_line(citation)}”", style="default")
        console.print(text, soft_wrap=True)
    if len(citations) > MAX_CITATIONS:
        _plain(console, f"  and {len(citations) - MAX_CITATIONS} more citations")


def _plain(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
