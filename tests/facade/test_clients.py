"""lm_eval, inspect_ai and LangChain, unmodified, against a service that runs.

Each is a process in an environment of its own, which is made where it is missing; nothing but the
service is reached, and the data are a few lines of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from banyan.testing.rules import ANSWER
from tests.fixtures.clients_env import clients_env
from tests.service.served import Served

HERE = Path(__file__).parent / "clients"


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the clients."""
    del tmp_path_factory
    said: list[str] = []
    return clients_env().ensure(said.append)


async def run(python: Path, *arguments: str, folder: Path) -> str:
    """Its standard output. Hubs are offline, and keys are none."""
    quiet = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "hf"),
        "XDG_CACHE_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "HOME": str(folder),
        "OPENAI_API_KEY": "none",
        "LANGSMITH_TRACING": "false",
        "NO_PROXY": "*",
    }
    process = await asyncio.create_subprocess_exec(
        str(python),
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **quiet},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_langchain_asks_streams_and_takes_structure(
    served: Served, python: Path, tmp_path: Path
) -> None:
    script = str(HERE / "run_langchain.py")
    said = json.loads(await run(python, script, f"{served.url}/v1", folder=tmp_path))

    assert said["answer"] == said["streamed"] == said["responses"] == ANSWER
    assert said["num_chunks"] > 2
    assert said["usage"]["total_tokens"] > said["usage"]["output_tokens"] > 0
    assert said["stream_usage"]["total_tokens"] > 0
    assert said["tree"] == ["name", "num_roots"]


async def test_inspect_ai_evaluates(served: Served, python: Path, tmp_path: Path) -> None:
    script = str(HERE / "run_inspect.py")
    url = f"{served.url}/v1"
    said = json.loads(await run(python, script, url, str(tmp_path / "logs"), folder=tmp_path))

    assert (said["status"], said["error"], said["accuracy"]) == ("success", None, 0.5)
    assert said["input_tokens"] > 0
    assert len(served.house.store.admitted) == 2


async def test_lm_eval_evaluates(served: Served, python: Path, tmp_path: Path) -> None:
    shutil.copy(HERE / "banyan_tiny.yaml", tmp_path)
    samples = [{"question": "Is it ok?", "answer": ANSWER}, {"question": "Else?", "answer": "no"}]
    lines = "".join(json.dumps(sample) + "\n" for sample in samples)
    (tmp_path / "data.jsonl").write_text(lines, encoding="utf-8")
    await run(
        python,
        *("-m", "lm_eval", "--model", "local-chat-completions", "--apply_chat_template"),
        *("--model_args", f"model=banyan,base_url={served.url}/v1/chat/completions"),
        *("--tasks", "banyan_tiny", "--include_path", str(tmp_path), "--output_path", "out"),
        folder=tmp_path,
    )

    [results] = list((tmp_path / "out").rglob("results_*.json"))
    found: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))["results"]
    assert found["banyan_tiny"]["exact_match,none"] == 0.5
    assert len(served.house.store.admitted) == 2
