"""The engine under test: the official fakes and the real servers pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import make_replicas
from banyan.local import programs
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.processes import Processes
from banyan.local.vllm_server import wait_ready
from banyan.ports import Engine
from banyan.settings import Settings
from banyan.testing import ScriptedEngine
from tests.fixtures.engines import ServedEngine

REAL = [
    pytest.param("llama", marks=pytest.mark.real_engine),
    pytest.param("vllm", marks=pytest.mark.real_engine),
]


OpenEngine = Callable[[Settings], Engine]


def quiet(sentence: str) -> None:
    """Starting a fake takes no time worth a word."""
    del sentence


@pytest.fixture(scope="session")
def fake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedEngine]:
    """The fake model server as a process of its own."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    argv = programs.command("banyan.testing", "--port", str(port), "--window", "2048")
    with Processes(tmp_path_factory.mktemp("fake-logs")) as processes:
        child = processes.start("fake", argv, env=programs.environment())
        wait_ready(child, url, quiet)
        yield ServedEngine("openai", url)


@pytest.fixture
async def open_engine() -> AsyncIterator[OpenEngine]:
    """Opens engines that are closed after the test."""
    opened: list[Engine] = []

    def open_one(settings: Settings) -> Engine:
        opened.append(make_replicas(EngineSpec.of(settings)))
        return opened[-1]

    yield open_one
    for engine in opened:
        await engine.close()


def _engine(request: pytest.FixtureRequest, open_engine: OpenEngine) -> Engine:
    if request.param == "scripted":
        return ScriptedEngine()
    served: ServedEngine = request.getfixturevalue(request.param)
    return open_engine(served.settings())


@pytest.fixture(params=["scripted", "fake_server", *REAL])
def engine(request: pytest.FixtureRequest, open_engine: OpenEngine) -> Engine:
    """Every engine."""
    return _engine(request, open_engine)


@pytest.fixture(params=["scripted", *REAL])
def token_engine(request: pytest.FixtureRequest, open_engine: OpenEngine) -> Engine:
    """Those that take and return token ids."""
    return _engine(request, open_engine)


@pytest.fixture(params=REAL)
def real_engine(request: pytest.FixtureRequest, open_engine: OpenEngine) -> Engine:
    """Those with a model in them."""
    return _engine(request, open_engine)
