"""What can change without a restart does, and what cannot says so."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
import structlog

from banyan import signals
from banyan.adapters.live_file import LiveFile, check
from banyan.adapters.memory_metrics import MemoryMetrics
from banyan.errors import InvalidInput
from banyan.live_settings import LiveSettings, parse
from service.settings import ServiceSettings
from tests.fixtures.waiting import eventually
from tests.service.house import ASYNC, House, assert_problem
from tests.service.served import serve
from workers.settings import WorkerSettings
from workers.slots import Slots

FIXED = frozenset({*ServiceSettings.model_fields, *WorkerSettings.model_fields})


class Taking:
    """Keeps what was taken over; refuses a level of `error` as a program may; 13 slots break it."""

    def __init__(self, path: Path) -> None:
        self.taken: list[LiveSettings] = []
        self.metrics = MemoryMetrics()
        self.path = path
        self.file = LiveFile(
            WorkerSettings(live_settings=path), self.take, self.metrics, every_s=0.01
        )

    def take(self, live: LiveSettings) -> None:
        if live.log_level == "error":
            raise InvalidInput("not here")
        if live.slots == 13:
            raise ZeroDivisionError
        self.taken.append(live)

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")


@pytest.fixture
def taking(tmp_path: Path) -> Taking:
    return Taking(tmp_path / "live.toml")


@pytest.mark.parametrize("name", sorted(FIXED - LiveSettings.model_fields.keys()))
def test_a_setting_that_needs_a_restart_says_so(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} cannot change while a program runs") as raised:
        parse(f"{name} = 1", fixed=FIXED)
    assert raised.value.hint == (
        f"Set BANYAN_{name.upper()} and restart the service and the workers."
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slotz = 4", "there is no setting slotz"),
        ("slots = 0", "slots: Input should be greater than or equal to 1"),
        ('log_level = "loud"', "log_level: Input should be"),
        ("slots = ", "Invalid value"),
        ("quota_usd_per_day = -1", "quota_usd_per_day: Input should be greater than 0"),
        ("quota_usd_per_day = inf", "quota_usd_per_day: Input should be a finite number"),
        ("quota_usd_per_day = nan", "quota_usd_per_day: Input should be a finite number"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse(text, fixed=FIXED)


def test_only_what_a_program_has_can_be_changed_live() -> None:
    assert LiveSettings.model_fields.keys() <= FIXED


def test_a_change_is_taken_over_once_and_a_file_that_goes_takes_it_back(taking: Taking) -> None:
    taking.file.look()
    taking.write("slots = 7")
    for _ in range(3):
        taking.file.look()
    taking.path.unlink()
    taking.file.look()
    assert taking.taken == [LiveSettings(), LiveSettings(slots=7), LiveSettings()]


async def test_a_file_that_is_wrong_changes_nothing_and_is_counted_until_it_is_mended(
    taking: Taking,
) -> None:
    taking.write("slots = 7")
    taking.file.start()

    async def took(number: int) -> bool:
        return len(taking.taken) == number

    def failures() -> float:
        return taking.metrics.of(signals.LOOP_FAILURES, "settings")

    async def failed_thrice_more(before: float) -> bool:
        return failures() >= before + 3

    await eventually(lambda: took(1))
    with structlog.testing.capture_logs() as logged:
        for wrong in (b"lease_s = 1", b'log_level = "error"', b"slots = 13", b"\xff"):
            taking.path.write_bytes(wrong)
            await eventually(partial(failed_thrice_more, failures()))
    assert [line["event"] for line in logged] == ["settings.refused"] * 4
    assert taking.taken == [LiveSettings(slots=7)]
    taking.write("slots = 8")
    await eventually(lambda: took(2))
    before = failures()
    taking.write("slots = 9")
    await eventually(lambda: took(3))
    assert failures() == before
    await taking.file.close()


def test_a_program_does_not_start_on_a_file_that_it_would_refuse(tmp_path: Path) -> None:
    path = tmp_path / "live.toml"
    path.write_text("port = 1", encoding="utf-8")
    with pytest.raises(InvalidInput, match="port cannot change"):
        check(ServiceSettings(live_settings=path))


async def test_quotas_of_a_running_service_follow_both_files(tmp_path: Path) -> None:
    live, quotas = tmp_path / "live.toml", tmp_path / "quotas.toml"
    quotas.write_text("", encoding="utf-8")
    house = House(ServiceSettings(live_settings=live, quotas=quotas))

    async def admits() -> bool:
        reply = await house.http.post("/solve", json={"goal": "Why?"}, headers=ASYNC)
        if reply.status_code == 429:
            assert_problem(reply, 429, "quota_exceeded")
        return reply.status_code == 202

    async def refuses() -> bool:
        return not await admits()

    async with serve(house), house.http:
        assert await admits()
        live.write_text("quota_trees = 1", encoding="utf-8")
        await eventually(refuses)
        quotas.write_text("[default]\ntrees = 1000000", encoding="utf-8")
        await eventually(admits)


async def test_slots_can_grow_and_shrink_while_nodes_run() -> None:
    slots = Slots(2)
    assert await slots.take(5) == 2
    slots.resize(3)
    assert await slots.take(5) == 1
    slots.resize(1)
    waiting = asyncio.create_task(slots.take(5))
    slots.give(2)
    await asyncio.sleep(0)
    assert (slots.free, slots.total, waiting.done()) == (0, 1, False)
    slots.give(1)
    assert await waiting == 1
