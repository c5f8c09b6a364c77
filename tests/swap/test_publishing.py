"""From a directory to a version: what is refused leaves nothing, what is taken is whole."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.policy_folder import PolicyFolder, fingerprint, read_manifest
from banyan.adapters.publishing import Publisher
from banyan.errors import (
    BanyanError,
    BrokenWeights,
    InvalidInput,
    InvalidManifest,
    NotFound,
    UnknownPolicy,
    WrongBaseModel,
)
from banyan.manifest import FILE_NAME, BaseModelId
from banyan.policy import ONLY_BASE
from banyan.promotion import Rules
from banyan.registry import EMPTY
from tests.swap.makers import BASE, OTHER_BASE, WEIGHTS, directory, floats, rewards, safetensors


class Press:
    """A publisher on twins, and what it left behind."""

    def __init__(self, root: Path, served: BaseModelId | None = None) -> None:
        self.root = root
        self.store = MemoryPolicies()
        self.publisher = Publisher(
            self.store,
            PolicyFolder(root),
            listed=ONLY_BASE.resolve,
            rules=Rules(),
            served=served,
            clock=lambda: 5.0,
        )

    async def assert_nothing_published(self) -> None:
        assert await self.store.load() == EMPTY
        left = [path.name for path in self.root.iterdir() if path.name != "run"]
        assert left == []

    async def refuse(self, error: type[BanyanError], match: str, directory: str = "run") -> None:
        with pytest.raises(error, match=match):
            await self.publisher.publish(directory)
        await self.assert_nothing_published()


@pytest.fixture
def press(tmp_path: Path) -> Press:
    (tmp_path / "root").mkdir()
    return Press(tmp_path / "root")


async def test_good_weights_are_copied_numbered_and_verified(press: Press) -> None:
    source = directory(press.root / "run")

    registry, version = await press.publisher.publish("run")

    assert version == "policy-v1"
    assert registry.version(version).state == "verified"
    assert registry.line("base").live == "base"
    copy = PolicyFolder(press.root).path(version)
    assert sorted(path.name for path in copy.iterdir()) == sorted(
        path.name for path in source.iterdir()
    )
    assert read_manifest(copy) == await press.store.manifest(version)
    assert (copy / "adapter_model.safetensors").read_bytes() == WEIGHTS
    assert [path.name for path in press.root.iterdir() if path.name.startswith(".")] == []


async def test_worse_weights_are_kept_as_rejected_with_the_reason(press: Press) -> None:
    worse = {
        "set_name": "s",
        "live_version": "base",
        "candidate": rewards(0.1),
        "live": rewards(0.6),
    }
    directory(press.root / "run", evaluation=worse)

    registry, version = await press.publisher.publish("run")

    assert registry.version(version).state == "rejected"
    assert "not shown to be non-inferior" in registry.version(version).reasons[0]


async def test_an_adapter_of_another_base_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    press = Press(tmp_path / "root", served=BaseModelId.model_validate(BASE))
    directory(press.root / "run", base=OTHER_BASE)
    await press.refuse(WrongBaseModel, "qwen")


@pytest.mark.parametrize("name", ["large", "live"])
async def test_a_policy_that_nobody_lists_has_no_versions(press: Press, name: str) -> None:
    directory(press.root / "run", policy=name)
    await press.refuse(UnknownPolicy, "no policy of")


async def test_an_adapter_that_names_another_base_than_its_manifest_is_refused(
    press: Press,
) -> None:
    source = directory(press.root / "run", base=OTHER_BASE)
    manifest = json.loads((source / FILE_NAME).read_text())
    (source / FILE_NAME).write_text(json.dumps({**manifest, "base": BASE}))
    await press.refuse(WrongBaseModel, "qwen")


def _drop(path: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path).unlink()


def _write(path: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / path).write_bytes(content)


def _change(**changes: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        manifest = json.loads((folder / FILE_NAME).read_text())
        (folder / FILE_NAME).write_text(json.dumps({**manifest, **changes}))

    return change


def _link(folder: Path) -> None:
    target = folder.parent.parent / "secret"
    target.write_bytes(WEIGHTS)
    (folder / "adapter_model.safetensors").unlink()
    (folder / "adapter_model.safetensors").symlink_to(target)


@pytest.mark.parametrize(
    ("damage", "error", "match"),
    [
        (_drop(FILE_NAME), InvalidManifest, "run/manifest.json: No such file"),
        (_write(FILE_NAME, b"{"), InvalidManifest, "run/manifest.json"),
        (_change(format=2), InvalidManifest, "format"),
        (_change(threshold=None), InvalidManifest, "threshold"),
        (_change(kind="full"), InvalidManifest, "config.json is missing"),
        (_change(surprise=1), InvalidManifest, "surprise"),
        (_change(files={"../x": "0" * 64}), InvalidManifest, "files"),
        (_change(losses={"policy": float("nan")}), InvalidManifest, "losses"),
        (
            _change(probe={"prompt_token_ids": [1], "token_ids": [2], "logprobs": [-1, -2]}),
            InvalidManifest,
            "one log-probability for each token",
        ),
        (_drop("adapter_model.safetensors"), InvalidManifest, "adapter_model.*is missing"),
        (_write("extra.py", b"print()"), InvalidManifest, "extra.py is not in the manifest"),
        (_write("adapter_model.safetensors", WEIGHTS[:-1]), BrokenWeights, "checksum"),
        (_link, BrokenWeights, "no plain file"),
    ],
)
async def test_what_is_not_whole_is_refused_and_leaves_nothing(
    press: Press, damage: Callable[[Path], object], error: type[BanyanError], match: str
) -> None:
    damage(directory(press.root / "run"))
    await press.refuse(error, match)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (b"", "cut off"),
        (struct.pack("<Q", 2**40) + b"{}", "cut off"),
        (struct.pack("<Q", 3) + b"[1]", "no safetensors header"),
        (struct.pack("<Q", 9) + b'{"w": [1]'[:9], "no safetensors header"),
        (struct.pack("<Q", 2) + b"{}", "holds no tensors"),
        (safetensors({"w": ("F32", (1,), floats(float("nan")))}), "w holds numbers"),
        (safetensors({"w": ("F32", (2,), floats(1.0, float("-inf")))}), "w holds numbers"),
        (safetensors({"w": ("BF16", (1,), b"\x80\x7f")}), "w holds numbers"),
        (safetensors({"w": ("BF16", (1,), b"\xc0\xff")}), "w holds numbers"),
        (safetensors({"w": ("F16", (1,), b"\x00\x7c")}), "w holds numbers"),
        (safetensors({"w": ("F64", (1,), struct.pack("<d", float("inf")))}), "w holds numbers"),
        (safetensors({"w": ("F32", (3,), floats(1.0))}), "bytes that its shape needs"),
        (safetensors({"w": ("F31", (1,), floats(1.0))}), "unknown type"),
        (safetensors({"w": ("F32", (1,), floats(1.0))}) + b"\x00", "its header says"),
    ],
)
async def test_weights_that_are_no_numbers_are_refused(
    press: Press, weights: bytes, match: str
) -> None:
    directory(press.root / "run", weights=weights)
    await press.refuse(BrokenWeights, match)


async def test_large_and_small_finite_numbers_are_taken(press: Press) -> None:
    tensors = {
        "a": ("F32", (3,), floats(3.4e38, -1e-40, 0.0)),
        "b": ("BF16", (2,), b"\x7f\x7f\x7f\xff"),
        "c": ("F16", (2,), b"\xff\x7b\xff\xfb"),
        "d": ("F64", (1,), struct.pack("<d", -1.7e308)),
        "e": ("I8", (2,), b"\x7f\xff"),
        "f": ("F32", (0, 4), b""),
    }
    directory(press.root / "run", weights=safetensors(tensors))

    registry, version = await press.publisher.publish("run")

    assert registry.version(version).state == "verified"


@pytest.mark.parametrize(
    "path", ["..", ".", "../secret", "/etc", "run/../../secret", "a\0b", "a" * 300]
)
async def test_only_directories_inside_the_root_are_read(press: Press, path: str) -> None:
    directory(press.root.parent / "secret")
    await press.refuse(InvalidInput, "does not lie in the folder of policies", path)


async def test_a_link_out_of_the_root_is_not_followed(press: Press) -> None:
    directory(press.root.parent / "secret")
    (press.root / "run").symlink_to(press.root.parent / "secret")
    await press.refuse(InvalidInput, "does not lie in the folder of policies")


async def test_a_directory_that_is_not_there_is_not_found(press: Press) -> None:
    await press.refuse(NotFound, "there is no nowhere", "nowhere")


def test_a_fingerprint_is_of_the_weights_alone(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in "abc")
    directory(one)
    directory(two, threshold=9.0)
    directory(three, weights=safetensors({"w": ("F32", (1,), floats(1.0))}))
    assert fingerprint(one) == fingerprint(two) != fingerprint(three)
