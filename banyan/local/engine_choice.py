"""Engine choice: which model server the all-in-one talks to, and how to start it.

Nothing is started here. What is missing is found now, so that the user hears of it before anything
runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from banyan.local import engine_env, programs, vllm_server, weights
from banyan.local.errors import Missing
from banyan.local.options import Options
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import status_of
from banyan.settings import EngineKind, TraitSettings

LLAMA_START_S = 120.0
_HTTP_ERROR = 400
_UNAUTHORIZED = (401, 403)

_ADAPTERS = ("--max-loras", "4", "--max-lora-rank", "64")
"""Two versions of a policy, one that is being proved, and one that running trees end on."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """A model server. `argv` None: it runs already, and is not ours to stop."""

    kind: EngineKind
    url: str
    title: str
    health_url: str
    served_model: str = ""
    argv: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    start_s: float = LLAMA_START_S
    folder: Path | None = None
    """The model's weights, where vLLM is started here on a folder."""
    python: Path | None = None
    """Of the environment that vLLM is started from."""
    is_small: bool = False
    """The model of 135M parameters that is there without a download, or one like it."""


SMALL_MODEL: Mapping[str, str] = {
    "BANYAN_BRIEFS": "false",
    "BANYAN_CITES": "false",
    "BANYAN_JSON_ANSWERS": "false",
    "BANYAN_MERGES": "false",
    "BANYAN_WORD_LIMITS": "false",
    "BANYAN_STRUCTURED_CHILDREN": "false",
    "BANYAN_FREQUENCY_PENALTY": "0.4",
}
"""What very small models are spared; what the user has set wins. Measured in docs/quality.md."""


def usual_environment(
    engine: EnginePlan, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What workers on `engine` are told of its policy where `environ` does not say it."""
    usual = SMALL_MODEL if engine.is_small else {}
    return {name: value for name, value in usual.items() if name not in environ}


def trait_settings(engine: EnginePlan) -> TraitSettings:
    """The settings of workers that the all-in-one starts on `engine`."""
    usual = usual_environment(engine)
    own = {name.removeprefix("BANYAN_").lower(): value for name, value in usual.items()}
    return TraitSettings.model_validate({**TraitSettings().model_dump(), **own})


def choose(options: Options, progress: Progress, *, install: bool = False) -> EnginePlan:
    """The plan for what `options` ask for. Raises Missing with what to do.

    `install`: make the engine's environment where it is missing. `progress` gets sentences on what
    takes long.
    """
    if options.swap != "none" and (options.engine != "vllm" or options.engine_url is not None):
        raise Missing(
            "--swap is for a vLLM server that is started here",
            hint="Add --engine vllm; a server that runs already is started with what "
            "docs/policies.md says.",
        )
    if options.engine_url is not None:
        return _running(options, options.engine_url.rstrip("/"))
    try:
        match options.engine:
            case "llama":
                return _llama(options, progress)
            case "vllm":
                return _vllm(options, progress, install=install)
            case "openai":
                raise Missing("the engine openai needs a server's URL", hint="Give --engine-url.")
    except (engine_env.EngineEnvironmentError, weights.WeightsError) as error:
        raise Missing(str(error), hint=error.hint) from error


def _running(options: Options, url: str) -> EnginePlan:
    base = url.removesuffix("/v1")
    key = os.environ.get("BANYAN_ENGINE_API_KEY", "")
    headers = {"Authorization": f"Bearer {key}"} if key else None
    status = status_of(f"{base}/v1/models", headers)
    if status is None:
        raise Missing(
            f"no model server answers at {url}", hint="Start it, or correct --engine-url."
        )
    if status in _UNAUTHORIZED:
        raise Missing(
            f"the model server at {url} wants a key", hint="Set BANYAN_ENGINE_API_KEY to it."
        )
    if status >= _HTTP_ERROR:
        raise Missing(
            f"{url} answers {status} to GET /v1/models, so it is no model server",
            hint="Correct --engine-url.",
        )
    model = options.model or ""
    return EnginePlan(
        kind=options.engine,
        url=url,
        title=model or "its first model",
        health_url="",
        served_model=model,
        is_small=options.is_small,
    )


def _llama(options: Options, progress: Progress) -> EnginePlan:
    if options.model is None:
        model = weights.ensure_quick(weights.find_gguf(), progress)
    else:
        model = Path(options.model).expanduser().resolve()
        if not model.is_file() or not _is_gguf(model):
            raise Missing(
                f"{options.model} is no GGUF file",
                hint="llama serves GGUF files; for a Hugging Face id take --engine vllm.",
            )
    url = f"http://{LOOPBACK}:{free_port()}"
    argv = programs.command(
        "banyan.local.llama_server",
        *("--model", str(model)),
        *("--port", url.rpartition(":")[2]),
        *("--window", str(options.window)),
        *("--slots", str(options.engine_slots)),
        *("--threads", str(_threads())),
    )
    return EnginePlan(
        kind="llama",
        url=url,
        title=f"llama.cpp, {model.stem}",
        health_url=f"{url}/health",
        argv=tuple(argv),
        env=programs.environment(),
        is_small=options.is_small,
    )


def _threads() -> int:
    """All cores but one, which workers, Redis and the service share.

    llama.cpp's threads wait for one another at every operation: where another program takes one of
    the cores, as many threads as cores were seen to generate 10 times slower than one less.
    """
    return max(1, len(os.sched_getaffinity(0)) - 1)


def _vllm(options: Options, progress: Progress, *, install: bool) -> EnginePlan:
    try:
        python = engine_env.ensure(progress) if install else engine_env.find()
    except OSError as error:
        raise Missing(
            f"the engine's environment cannot be made: {error}", hint="Work in a clone of Banyan."
        ) from error
    if python is None:
        raise Missing(
            "vLLM's environment is not installed",
            hint="Add --install-engine to make it (0.6 GB to download, 3.6 GB on disk), set "
            "BANYAN_ENGINE_VENV to one that you have, or give the --engine-url of a server.",
        )
    if options.model is None:
        gguf = weights.find_gguf()
        model, name = str(weights.ensure_hf(gguf, python, progress)), gguf.stem.partition(".")[0]
    else:
        model, name = _hugging_face(options.model)
    server = vllm_server.VllmOptions(
        model=model,
        port=free_port(),
        served_name=name,
        window=options.window,
        max_num_seqs=options.num_slots,
        adapters=options.swap == "adapters",
        reloads=options.swap == "full",
        more=(*(_ADAPTERS if options.swap == "adapters" else ()), *options.vllm_options),
    )
    return EnginePlan(
        kind="vllm",
        url=server.url,
        title=f"vLLM, {name}",
        health_url=f"{server.url}/health",
        served_model=name,
        argv=tuple(vllm_server.command(python, server)),
        env=vllm_server.environment(python, server),
        start_s=vllm_server.START_S,
        folder=Path(model) if Path(model).is_dir() else None,
        python=python,
        is_small=options.is_small,
    )


def _hugging_face(model: str) -> tuple[str, str]:
    """What vLLM loads, and the name it is served under: a folder that is there, or an id."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder.resolve()), folder.resolve().name
    if model.startswith(("/", ".", "~")) or folder.is_file():
        raise Missing(
            f"{model} is no folder with a model",
            hint="Give a folder in Hugging Face's form, or an id such as Qwen/Qwen3-4B.",
        )
    return model, model


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"
