"""What servers tell of their calls, in the words of each."""

from __future__ import annotations

import pytest

from banyan.adapters.load_page import LoadPage, load_of
from banyan.concurrency import Load
from banyan.errors import EngineUnavailable
from banyan.local.ports import LOOPBACK, free_port
from tests.engine.conftest import REAL
from tests.fixtures.engines import ServedEngine
from tests.fixtures.fake_engine import fake_engine

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="smollm2"} 6.0
vllm:num_requests_running{engine="1",model_name="smollm2"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="smollm2"} 3.0
vllm:num_requests_waiting{engine="1",model_name="smollm2"} 0.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="smollm2",reason="capacity"} 9.0
"""
LLAMA = """\
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 4
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 46
"""


@pytest.mark.parametrize(
    ("page", "load"),
    [
        (VLLM, Load(8, 3)),
        (LLAMA, Load(4, 46)),
        (
            'sglang:num_running_reqs{tp_rank="0"} 8\nsglang:num_queue_reqs{tp_rank="0"} 4',
            Load(8, 4),
        ),
        ("tgi_batch_current_size 5\ntgi_queue_size 1e1\n", Load(5, 10)),
        ("vllm:num_requests_running 3\n", None),
        ("process_cpu_seconds_total 7.1\n", None),
        ("", None),
    ],
)
def test_a_page_is_read_in_the_words_of_each_server(page: str, load: Load | None) -> None:
    assert load_of(page) == load


@pytest.mark.parametrize("of", ["fake_server", *REAL])
async def test_a_server_at_rest_tells_that_nothing_runs_or_waits(
    of: str, request: pytest.FixtureRequest
) -> None:
    served: ServedEngine = request.getfixturevalue(of)
    page = LoadPage(f"{served.url}/v1")

    assert await page.read() == Load(0, 0)
    await page.close()


async def test_a_server_without_a_page_tells_nothing() -> None:
    with fake_engine("--silent") as url:
        page = LoadPage(url)

        assert await page.read() is None
    assert await page.read() is None  # nor is it asked again
    await page.close()


async def test_a_server_that_is_down_is_no_server_without_a_page() -> None:
    page = LoadPage(f"http://{LOOPBACK}:{free_port()}")

    with pytest.raises(EngineUnavailable):
        await page.read()
    await page.close()
