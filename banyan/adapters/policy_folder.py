"""Folder of published weights on a shared volume: checked, copied whole, or not at all.

`root/policy-v7/` holds the files that its manifest names, and nothing else. A directory to publish
is named relative to the same root; it is copied under a temporary name, the copy is checked, and
only then renamed, so that engines never see half of it and the original may go.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from banyan.adapters import safetensors_file
from banyan.errors import BrokenWeights, InvalidInput, InvalidManifest, NotFound, WrongBaseModel
from banyan.manifest import FILE_NAME, Manifest, parse

MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_STAGING = ".staging-"


class PolicyFolder:
    """The root that is shared by the service, the workers and the model servers. Blocking I/O."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def path(self, version: str) -> Path:
        """Where the files of a published version are."""
        return self._root / version

    def inside(self, directory: str) -> Path:
        """A directory that an operator names, which must lie in the root. Raises InvalidInput."""
        try:
            found = (self._root / directory).resolve()
            is_inside = found != self._root and found.is_relative_to(self._root)
            is_there = found.is_dir()
        except (OSError, ValueError):  # a name that no file can have
            is_inside = is_there = False
        if not is_inside:
            raise InvalidInput(
                "directory: it does not lie in the folder of policies",
                hint="Name a directory inside BANYAN_POLICY_DIR, relative to it.",
            )
        if not is_there:
            raise NotFound(
                f"directory: there is no {directory} in the folder of policies",
                hint="Write the weights into a directory inside BANYAN_POLICY_DIR first.",
            )
        return found

    def stage(self, source: Path) -> tuple[Path, Manifest]:
        """A checked copy of `source` under a temporary name, and its manifest.

        Raises InvalidManifest, BrokenWeights and WrongBaseModel; then nothing is left behind.
        """
        manifest = read_manifest(source)
        _check_names(source, manifest)
        staged = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self._root))
        try:
            for name in manifest.files:
                shutil.copyfile(source / name, staged / name)
            (staged / FILE_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            check_files(staged, manifest)
            staged.chmod(0o755)
        except BaseException:
            self.discard(staged)
            raise
        return staged, manifest

    def settle(self, staged: Path, version: str) -> None:
        """Give the copy its name. What is left there by a publication that broke off goes."""
        target = self.path(version)
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)

    def discard(self, staged: Path) -> None:
        """Remove what was staged."""
        shutil.rmtree(staged, ignore_errors=True)


def read_manifest(folder: Path) -> Manifest:
    """Raises InvalidManifest where there is none, or where it is none."""
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise InvalidManifest(f"{folder.name}/{FILE_NAME}: {error.strerror}") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise InvalidManifest(f"{folder.name}/{FILE_NAME}: over {MAX_MANIFEST_BYTES} bytes")
    return parse(data, where=f"{folder.name}/{FILE_NAME}")


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every file has its checksum; weights are whole and finite; the adapter names its base."""
    for name, expected in sorted(manifest.files.items()):
        if digest(folder / name) != expected:
            raise BrokenWeights(f"{name}: its checksum is not that of the manifest")
        if name.endswith(".safetensors"):
            safetensors_file.check(folder / name)
    if manifest.kind == "adapter":
        _check_adapter(folder / "adapter_config.json", manifest)


def digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(folder: Path) -> str:
    """Of a model's weights: SHA-256 over the names and checksums of its safetensors files."""
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        whole.update(f"{path.name} {digest(path)}\n".encode())
    return whole.hexdigest()


def _check_names(source: Path, manifest: Manifest) -> None:
    """What the manifest names is there as plain files, and nothing else is."""
    there = {path.name for path in source.iterdir()} - {FILE_NAME}
    missing, extra = manifest.files.keys() - there, there - manifest.files.keys()
    if missing or extra:
        what = f"{min(missing)} is missing" if missing else f"{min(extra)} is not in the manifest"
        raise InvalidManifest(f"{source.name}: {what}")
    for name in (*manifest.files, FILE_NAME):
        if (source / name).is_symlink() or not (source / name).is_file():
            raise BrokenWeights(f"{name}: it is no plain file")


def _check_adapter(config: Path, manifest: Manifest) -> None:
    try:
        value = json.loads(config.read_bytes())
        base = value.get("base_model_name_or_path")
    except (ValueError, AttributeError) as error:
        raise BrokenWeights(f"{config.name}: it is no JSON object") from error
    if base != manifest.base.name:
        raise WrongBaseModel(
            f"{config.name} is of the base model {str(base)[:128]!r}, "
            f"the manifest of {manifest.base.name!r}"
        )
