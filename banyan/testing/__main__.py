"""Runs the fake model server: `python -m banyan.testing --port 9000 --latency 0.05`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from banyan.testing.fake_server import FakeServer
from banyan.testing.faults import ALL, Faults, parse
from banyan.testing.longest import longest_rule
from banyan.testing.prefix_cache import PrefixCache
from banyan.testing.rules import Rule, counting_rule, default_rule, sections_rule

RULES: Mapping[str, Rule] = {
    "default": default_rule,
    "counting": counting_rule,
    "longest": longest_rule,
    "sections": sections_rule,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m banyan.testing")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of every completion")
    parser.add_argument("--window", type=int, default=8_192, help="tokens")
    parser.add_argument("--model", default="fake", help="the name that it serves")
    parser.add_argument("--rule", choices=tuple(RULES), default="default", help="what it writes")
    parser.add_argument("--serves", type=int, help="calls at one time; default: all")
    parser.add_argument("--growth", type=float, default=0.0, help="of calls' time, by each other")
    parser.add_argument("--room", type=int, help="calls that may wait; default: all")
    parser.add_argument("--silent", action="store_true", help="tell no load at /metrics")
    parser.add_argument("--cache-blocks", type=int, help="of 16 tokens; default: no cache")
    parser.add_argument("--fail-every", type=int, default=0, help="every n-th call fails")
    parser.add_argument(
        "--faults", type=parse, default=("503",), help=f"how, in turn: {', '.join(ALL)}"
    )
    parser.add_argument("--late", type=float, default=60.0, help="seconds of the fault `late`")
    options = parser.parse_args(arguments)
    import uvicorn  # noqa: PLC0415  # the library itself does not need a server

    app = FakeServer(
        options.latency,
        RULES[options.rule],
        faults=Faults(options.fail_every, options.faults, options.late),
        window=options.window,
        model=options.model,
        serves=options.serves,
        growth=options.growth,
        room=options.room,
        silent=options.silent,
        cache=None if options.cache_blocks is None else PrefixCache(options.cache_blocks),
    )
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        backlog=4_096,
        timeout_keep_alive=30,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
