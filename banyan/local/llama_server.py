"""A model server for a first run: serves one GGUF file with llama.cpp, on this machine's cores.

    python -m banyan.local.llama_server --model PATH --port N --window 2048 --slots 8

It speaks llama.cpp's own protocol, which `banyan/adapters/llama.py` knows. SIGTERM and SIGINT stop
it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DEFAULT_WINDOW = 2_048
DEFAULT_SLOTS = 8
CACHE_MIB = 256
"""RAM for prompts of idle slots; llama.cpp's own default of 8 GiB is too much for a laptop."""


def parameters(*, model: Path, host: str, port: int, window: int, slots: int, threads: int) -> Any:
    """llama.cpp's settings: `slots` requests at once, each with a window of `window` tokens."""
    import xllamacpp  # noqa: PLC0415  # 100 MB of native code: loaded by the program alone

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.hostnames = [host]
    params.port = port
    params.n_parallel = slots
    params.n_ctx = window * slots  # llama.cpp divides its context by the number of slots
    params.fit_params = False
    params.ui = False
    params.use_jinja = True
    params.cache_ram_mib = CACHE_MIB
    params.endpoint_props = True
    params.endpoint_metrics = True
    params.verbosity = 1
    params.model_alias = {model.stem}
    if threads:
        params.cpuparams.n_threads = threads
        # Prompts are large pieces of work: they gain from every core, even from a shared one.
        params.cpuparams_batch.n_threads = len(os.sched_getaffinity(0))
    return params


def serve(params: Any, stop: threading.Event) -> None:
    """Run until `stop` is set. Prints one line with the address once the model is loaded."""
    import xllamacpp  # noqa: PLC0415

    server = xllamacpp.Server(params)
    sys.stdout.write(f"serving on {server.listening_address}\n")
    sys.stdout.flush()
    stop.wait()
    del server  # its destructor ends the worker threads


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of the program; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m banyan.local.llama_server")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--window", type=int, default=DEFAULT_WINDOW, help="tokens of one request")
    parser.add_argument("--slots", type=int, default=DEFAULT_SLOTS, help="requests at one time")
    parser.add_argument("--threads", type=int, default=0, help="of generation; prompts: all")
    options = parser.parse_args(arguments)
    if not options.model.is_file():
        sys.stderr.write(f"no model file at {options.model}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    params = parameters(
        model=options.model,
        host=options.host,
        port=options.port,
        window=options.window,
        slots=options.slots,
        threads=options.threads,
    )
    serve(params, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
