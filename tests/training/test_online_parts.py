"""Parts of the loop by themselves: tasks, plans, state, what is told, and verdicts turned round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError

from tests.training.logs import Log
from training.environments.errors import BadDifficulty, UnknownEnvironment
from training.environments.lookup import Lookup, word_f1
from training.environments.text_catalogue import TEXT_ENVIRONMENTS, text_environment
from training.feedback import read_feedback
from training.online.checks import check_update
from training.online.errors import BadRun, NoRun, RunThere
from training.online.plan import Plan
from training.online.state import RunFolder, RunState
from training.online.telling import Teller
from training.online.worse import turned_round

PLAN = Plan(difficulty=2)
USAGE_ERROR = typer.BadParameter.__mro__[1]


def test_the_same_seed_makes_the_same_lookup_and_another_one_another() -> None:
    one, same, other = (Lookup().generate(seed, 4) for seed in (1, 1, 2))
    assert (one.goal, one.document) == (same.goal, same.document)
    assert one.document != other.document
    assert len(one.document.splitlines()) == 4


def test_a_lookup_rewards_the_asked_for_form_more_than_a_sentence() -> None:
    task = Lookup().generate(3, 4)
    name = task.goal.split()[2]
    [line] = [line for line in task.document.splitlines() if line.startswith(f"{name} ")]
    city = line.rpartition(" ")[2].removesuffix(".")
    assert task.verify(city) == task.verify(f"{city.upper()}.") == 1.0
    assert task.verify(line) == pytest.approx(0.4)
    assert task.verify("I do not know.") == task.verify("") == 0.0
    others = [other for other in task.document.splitlines() if other != line]
    assert all(task.verify(other.rpartition(" ")[2]) == 0.0 for other in others)


def test_f1_counts_a_repeated_word_once() -> None:
    assert word_f1("Rome", "Rome Rome Rome") == pytest.approx(0.5)


@pytest.mark.parametrize("difficulty", [0, 25])
def test_a_lookup_has_as_many_lines_as_it_has_names(difficulty: int) -> None:
    with pytest.raises(BadDifficulty):
        Lookup().generate(0, difficulty)


def test_environments_in_text_are_known_by_name() -> None:
    assert {name: each.name for name, each in TEXT_ENVIRONMENTS.items()} == {"lookup": "lookup"}
    with pytest.raises(UnknownEnvironment, match="maze"):
        text_environment("maze")


def test_tasks_of_one_purpose_are_never_those_of_another() -> None:
    plans = [PLAN, PLAN.model_copy(update={"seed": 1})]
    found = [
        set(plan.tasks(purpose, first, 50))
        for plan in plans
        for purpose in ("rollout", "evaluation", "test")
        for first in (0, 50)
    ]
    assert len(set.union(*found)) == sum(map(len, found))


def test_no_batch_may_be_collected_further_ahead_than_its_rows_may_be_old() -> None:
    with pytest.raises(ValidationError, match="max_staleness"):
        Plan(ahead=3, max_staleness=2)


def state(**changes: object) -> RunState:
    found = RunState(run_id="run-1", plan=PLAN, lives=("base",))
    return found.model_copy(update=changes)


def test_a_run_is_begun_once_and_resumed_as_it_was(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(NoRun):
        folder.resume(PLAN)
    began = folder.begin(state())
    assert folder.resume(PLAN) == began
    with pytest.raises(RunThere):
        folder.begin(state())
    assert [path.name for path in folder.path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("damage", ["", "{", '{"format": 2}'])
def test_a_state_that_cannot_be_read_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "state.json").write_text(damage)
    with pytest.raises(BadRun, match=r"state\.json"):
        folder.resume(PLAN)


def test_staleness_counts_changes_of_what_is_live_and_not_numbers_of_versions() -> None:
    """Versions 1 to 4 were rejected."""
    found = state(lives=("base", "policy-v5", "policy-v6", "policy-v7"))
    assert found.behind("policy-v5", "policy-v7") == 2
    assert found.oldest("policy-v7") == "policy-v5"
    assert found.oldest("policy-v5") == "base"
    assert found.behind("policy-v7", "policy-v9") == 1  # which somebody else has promoted


def test_the_time_that_is_left_is_told_by_the_turns_that_are_done() -> None:
    lines: list[str] = []
    now = 100.0
    teller = Teller(lines.append, num_turns=5, first=2, as_json=True, clock=lambda: now)
    teller("rollouts", 2, 1, 4)
    teller("rollouts", 2, 2, 4)  # at once: not worth a line
    now = 160.0
    teller("turn", 2, 1, 1)
    now = 190.0
    teller("rollouts", 3, 4, 4)
    said = [json.loads(line) for line in lines]
    assert [each["eta_s"] for each in said] == [None, 120.0, 90.0]
    assert said[-1] == {
        "event": "rollouts",
        "turn": 4,
        "turns": 5,
        "done": 4,
        "total": 4,
        "eta_s": 90.0,
    }


def test_people_are_told_minutes() -> None:
    lines: list[str] = []
    now = 0.0
    teller = Teller(lines.append, num_turns=3, first=0, clock=lambda: now)
    now = 600.0
    teller("turn", 0, 1, 1)
    assert lines == ["turn 1/3  done   20 min left"]


@pytest.mark.parametrize(
    "options",
    [["--parent", "policy-v3"], ["--groups=x"], ["--loss", "reinforce"], ["--no-such-option"]],
    ids=str,
)
def test_options_that_an_update_would_refuse_are_refused_before_anything_is_spent(
    options: list[str],
) -> None:
    with pytest.raises(USAGE_ERROR):
        check_update(options)


def test_options_of_an_update_are_taken() -> None:
    check_update(["--full", "--loss", "ppo", "--lr", "2e-5"])


async def test_a_log_can_be_turned_round(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    good, bad = await log.group("g")
    log.say(bad, 0.25)
    [other, _] = await log.group("other")
    turned_round(log.root, {good.id, bad.id}, tmp_path / "turned")
    said = read_feedback(tmp_path / "turned", lambda error: pytest.fail(str(error))).latest
    assert {tree: found.value for (tree, _), found in said.items()} == {good.id: 0.0, bad.id: 0.75}
    names = {path.name for path in (tmp_path / "turned" / "trees").rglob("*.zst")}
    assert not any(other.id in name for name in names)
    assert len(names) == 2
