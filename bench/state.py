"""What each form of packed state costs a child, on real vLLM: milliseconds, bytes, tokens anew.

    python -m bench.state
    python -m bench.state --children 8 --engine http://127.0.0.1:8000 --packer http://127.0.0.1:8001

One tree a form: a root whose prompt has about `--words` words lists `--children` children, which
answer behind what they were handed. The cache of each form is apart (another tenant), so that none
profits from the one before. Pack and unpack are timed alone, the median of `--repeats`. Then the
time to the first token of a prompt, with its beginning in the cache and without (`first_token.py`).
vLLM must run with `--enable-prompt-embeds`; where no servers are named, they are started.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import connect
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.packer import HttpPacker
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.local import engine_env, programs, vllm_server, weights
from banyan.local import packer as packer_program
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.processes import Processes
from banyan.node import Node
from banyan.packed_state import SharedState
from banyan.ports import Ports
from banyan.settings import Settings
from banyan.state import pack, unpack
from banyan.task import Gate, StateForm, Task
from banyan.testing.delegating import Delegating
from banyan.trajectory import TurnRecord
from banyan.transfer import NUM_VECTORS
from banyan.tree import TreeRecord
from bench.first_token import FirstToken, first_token

FORMS: tuple[StateForm, ...] = ("summary", "prefix", "hidden")
BRIEF = "The river rises in the hills, runs past the mill, and meets the sea by the old lighthouse."
SENTENCE = "The river rises in the hills and runs past the mill to the sea. "


@dataclass(frozen=True, slots=True)
class Row:
    """One form. Per child, the mean over all children's first calls, unless it says otherwise."""

    form: str
    pack_ms: float
    unpack_ms: float
    bytes_per_child: float
    shared_bytes: int
    prompt_tokens: float
    computed_tokens: float
    call_s: float
    parent_tokens: int
    cached_tokens: float
    valid: int


@dataclass(frozen=True, slots=True)
class Results:
    """All that one run measures."""

    rows: list[Row]
    first_token: FirstToken


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers, and what is asked of them."""

    ports: Ports
    packer_url: str
    num_children: int
    num_words: int
    repeats: int

    async def measure(self, form: StateForm) -> Row:
        """Grow a tree whose children are handed this form; read what it cost from its records."""
        goal = "What is said of the river? " + SENTENCE * (self.num_words // 14)
        limits = Limits(max_depth=1, max_tokens=10_000_000, max_answer_tokens=24, deadline_s=3_600)
        gate = Gate(mode="always")
        task = Task(tenant=form, goal=goal, state=form, gate=gate, limits=limits)
        tree = await grow(task, self.ports)
        if tree.usage.nodes != 1 + self.num_children:
            raise RuntimeError(f"{form}: the tree has {tree.usage.nodes} nodes: {tree.outcome}")
        [delegation, *_] = await self._turns(tree, "0")
        children = [f"0.{index}" for index in range(self.num_children)]
        firsts = [(await self._turns(tree, path))[0] for path in children]
        packed = [await self._packed(tree, path) for path in children]
        state = unpack(packed[0], Node).packed_state
        if state is None or state.form != form:
            raise RuntimeError(f"{form}: the children were handed {state}")
        shared = await self.ports.store.shared(tree.id, state.name) if state.is_shared else b""
        pack_ms, unpack_ms = await self._times(delegation, packed[0], shared)
        return Row(
            form=form,
            pack_ms=pack_ms,
            unpack_ms=unpack_ms,
            bytes_per_child=(sum(map(len, packed)) + len(shared)) / self.num_children,
            shared_bytes=len(shared),
            prompt_tokens=statistics.mean(turn.prompt_tokens for turn in firsts),
            computed_tokens=statistics.mean(t.prompt_tokens - t.cached_tokens for t in firsts),
            call_s=statistics.mean(turn.seconds for turn in firsts),
            parent_tokens=delegation.prompt_tokens,
            cached_tokens=statistics.mean(turn.cached_tokens for turn in firsts),
            valid=sum(turn.valid for turn in firsts),
        )

    async def _turns(self, tree: TreeRecord, path: str) -> list[TurnRecord]:
        node = await self.ports.store.get_node(tree.id, path)
        return [unpack(turn, TurnRecord) for turn in node.turns if turn]

    async def _packed(self, tree: TreeRecord, path: str) -> bytes:
        return (await self.ports.store.get_node(tree.id, path)).packed or b""

    async def _times(
        self, delegation: TurnRecord, packed: bytes, shared: bytes
    ) -> tuple[float, float]:
        """Milliseconds to pack and to unpack what is shared; for a summary, the child itself."""
        if not shared:
            node = unpack(packed, Node)
            return self._median(lambda: pack(node)), self._median(lambda: unpack(packed, Node))
        state = unpack(shared, SharedState)
        if state.form == "prefix":
            unpacking = self._median(lambda: unpack(shared, SharedState))
            return self._median(lambda: pack(state)), unpacking
        token_ids = delegation.prompt_token_ids or ()
        packing, encoding = [], []
        for _ in range(self.repeats):
            packer = HttpPacker(EngineHttp(self.packer_url))  # it remembers nothing yet
            started = time.perf_counter()
            vectors = await packer.pack(token_ids, NUM_VECTORS)
            pack(state.model_copy(update={"vectors": vectors}))
            packed_at = time.perf_counter()
            await packer.encode(unpack(shared, SharedState).vectors)
            packing.append(packed_at - started)
            encoding.append(time.perf_counter() - packed_at)
            await packer.close()
        return 1e3 * statistics.median(packing), 1e3 * statistics.median(encoding)

    def _median(self, call: Callable[[], object]) -> float:
        times = []
        for _ in range(self.repeats):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
        return 1e3 * statistics.median(times)


async def run(options: argparse.Namespace, engine_url: str, packer_url: str) -> Results:
    """All forms, one after the other; each is printed as soon as it is measured."""
    settings = Settings(engine_kind="vllm", engine_urls=engine_url, packer_url=packer_url)
    goals = [f"Say what place number {n} in the text is." for n in range(options.children)]
    plain = connect(EngineSpec.of(settings), engine_url)
    engine = Delegating(engine_url, plain, goals, BRIEF)
    packer = HttpPacker(EngineHttp(packer_url))
    ports = Ports(MemoryStore(), MemoryLibrary(), engine, packer=packer)
    bench = Bench(ports, packer_url, options.children, options.words, options.repeats)
    rows = []
    print(_TITLES, flush=True)
    try:
        for form in FORMS:
            rows.append(await bench.measure(form))
            show(rows[-1])
        first = await first_token(plain, options.pairs)
        print(first.said, flush=True)
        return Results(rows, first)
    finally:
        await engine.close()
        await packer.close()


_COLUMNS = [
    *("form", "pack ms", "unpack ms", "B/child", "shared B"),
    *("parent", "prompt", "cached", "computed", "call s"),
]
_TITLES = "  ".join(f"{title:>9}" for title in _COLUMNS)


def show(row: Row) -> None:
    """A line of the table; `parent`, `prompt`, `cached` and `computed` are tokens."""
    print(
        f"{row.form:>9}  {row.pack_ms:9.2f}  {row.unpack_ms:9.2f}  {row.bytes_per_child:9.0f}  "
        f"{row.shared_bytes:9d}  {row.parent_tokens:9d}  {row.prompt_tokens:9.0f}  "
        f"{row.cached_tokens:9.0f}  {row.computed_tokens:9.0f}  {row.call_s:9.2f}",
        flush=True,
    )


def main() -> int:
    """Run and print; `--json FILE` writes the results too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--children", type=int, default=4)
    parser.add_argument("--words", type=int, default=600, help="in the parent's prompt, about")
    parser.add_argument("--window", type=int, default=4_096)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--pairs", type=int, default=3, help="prompts with and without the cache")
    parser.add_argument("--engine", help="a vLLM server that runs, with --enable-prompt-embeds")
    parser.add_argument("--packer", help="a packer server that runs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if bool(options.engine) != bool(options.packer):
        parser.error("--engine and --packer go together")
    with ExitStack() as opened:
        if options.engine:
            urls = options.engine, options.packer
        else:
            urls = opened.enter_context(_servers(options.window))
        results = asyncio.run(run(options, *urls))
    if options.json:
        options.json.write_text(json.dumps(asdict(results), indent=1))
    return 0


@contextmanager
def _servers(window: int) -> Iterator[tuple[str, str]]:
    """The two servers, until the block ends."""
    python = engine_env.ensure(_say)
    model = weights.ensure_hf(weights.find_gguf(), python, _say)
    serving = vllm_server.VllmOptions(
        model=str(model),
        port=free_port(),
        served_name="smollm2",
        window=window,
        more=("--enable-prompt-embeds",),
    )
    packer_port = free_port()
    packer_url = f"http://{LOOPBACK}:{packer_port}"
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        engine = processes.start(
            "vllm",
            vllm_server.command(python, serving),
            env=vllm_server.environment(python, serving),
        )
        packing = processes.start(
            "packer",
            packer_program.command(python, model, packer_port),
            env=programs.environment(),
        )
        vllm_server.wait_ready(packing, packer_url, _say)
        vllm_server.wait_ready(engine, serving.url, _say)
        yield serving.url, packer_url


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
