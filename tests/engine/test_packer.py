"""What every packer promises: the fake one, and the server beside the engine's weights."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from banyan.adapters.engine_http import EngineHttp
from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import make_packer
from banyan.adapters.packer import HttpPacker
from banyan.errors import EngineRefused, EngineUnavailable, InvalidInput
from banyan.evaluation.language.vectors import open_vectors
from banyan.packed_state import MAX_SHARED_BYTES
from banyan.ports import Packer
from banyan.settings import Settings
from banyan.testing import FakePacker
from banyan.transfer import NUM_VECTORS

TOKENS = tuple(range(100, 400))
HIDDEN_SIZE = 576
"""Of SmolLM2-135M; its vectors are bfloat16, two bytes each."""


@pytest.fixture
async def real_packer(packer_url: str) -> AsyncIterator[Packer]:
    packer = make_packer(Settings(packer_url=packer_url))
    assert packer is not None
    yield packer
    await packer.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.real_engine)])
def packer(request: pytest.FixtureRequest) -> Packer:
    if request.param == "fake":
        return FakePacker()
    real: Packer = request.getfixturevalue("real_packer")
    return real


async def test_a_context_becomes_as_many_vectors_as_were_asked_for(packer: Packer) -> None:
    vectors = await packer.pack(TOKENS, NUM_VECTORS)

    assert (await packer.encode(vectors)).num == NUM_VECTORS
    assert len(vectors) < MAX_SHARED_BYTES


async def test_a_short_context_becomes_no_more_vectors_than_it_has_tokens(packer: Packer) -> None:
    assert (await packer.encode(await packer.pack(TOKENS[:5], NUM_VECTORS))).num == 5


async def test_the_same_context_gives_the_same_vectors_and_another_gives_others(
    packer: Packer,
) -> None:
    vectors = await packer.pack(TOKENS, 8)

    assert await packer.pack(TOKENS, 8) == vectors
    assert await packer.pack(TOKENS[::-1], 8) != vectors


@pytest.mark.real_engine
async def test_vectors_are_of_the_models_size_and_in_torchs_own_form(real_packer: Packer) -> None:
    vectors = await real_packer.pack(TOKENS, NUM_VECTORS)
    embeds = await real_packer.encode(vectors)

    assert len(vectors) >= NUM_VECTORS * HIDDEN_SIZE * 2
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(embeds.data))) as archive:
        [data] = [name for name in archive.namelist() if name.endswith("data/0")]
        assert archive.getinfo(data).file_size == NUM_VECTORS * HIDDEN_SIZE * 2


@pytest.mark.real_engine
@pytest.mark.parametrize("token_ids", [(), (-1,), (10_000_000,)], ids=["none", "below", "above"])
async def test_tokens_that_the_model_does_not_have_are_refused(
    real_packer: Packer, token_ids: tuple[int, ...]
) -> None:
    with pytest.raises(EngineRefused):
        await real_packer.pack(token_ids, 4)


@pytest.mark.real_engine
async def test_what_is_no_safetensors_is_refused(real_packer: Packer) -> None:
    with pytest.raises(EngineRefused):
        await real_packer.encode(b"torch.save would be a pickle")


@pytest.mark.real_engine
async def test_what_stands_before_a_text_makes_it_more_likely(packer_url: str) -> None:
    async with open_vectors(packer_url) as vectors:
        same = await vectors.pack(TOKENS, len(TOKENS))
        behind = await vectors.score((1,), same, TOKENS, len(TOKENS))
        alone = await vectors.score((1,), await vectors.pack(TOKENS[:1], 1), TOKENS, len(TOKENS))

    assert all(value <= 0 for value in (*behind, *alone))
    assert sum(behind) > sum(alone) / 2 > sum(alone)  # a text that was there already


@pytest.mark.real_engine
@pytest.mark.parametrize("num_scored", [0, 3], ids=["none", "more than there are"])
async def test_a_score_of_tokens_that_are_not_there_is_refused(
    packer_url: str, num_scored: int
) -> None:
    async with open_vectors(packer_url) as vectors:
        packed = await vectors.pack(TOKENS, NUM_VECTORS)
        with pytest.raises(EngineRefused):
            await vectors.score((1,), packed, TOKENS[:2], num_scored)


async def test_a_packer_that_is_down_is_waited_for() -> None:
    packer = HttpPacker(EngineHttp("http://127.0.0.1:9"))

    with pytest.raises(EngineUnavailable):
        await packer.pack(TOKENS, 4)
    await packer.close()


def test_a_packer_for_an_engine_that_takes_no_embeddings_is_refused() -> None:
    assert make_packer(Settings()) is None
    with pytest.raises(InvalidInput, match="llama"):
        EngineSpec.of(Settings(engine_kind="llama", packer_url="http://127.0.0.1:9"))
