"""The trajectory log in a bucket: what the folder promises, and a folder made of it to train on."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_log import open_log
from banyan.errors import StoreUnavailable
from banyan.feedback import Feedback
from tests.fixtures.bucket import Bucket
from tests.training.logs import NOW, Log
from training.dataset import survey
from training.eligibility import Rules
from training.main import app

DAY_S = 86_400.0


def logged_to(bucket: Bucket, root: Path) -> Log:
    """A grower that logs to the bucket."""
    url = f"s3://{bucket.name}/log"
    place = open_log(bucket.settings.model_copy(update={"trajectory_url": url}))
    assert place is not None
    return Log(root, place=place)


def pulled(bucket: Bucket, folder: Path) -> str:
    names = ("s3_endpoint", "s3_access_key_id", "s3_secret_access_key")
    env = {f"BANYAN_{name.upper()}": getattr(bucket.settings, name) for name in names}
    url = f"s3://{bucket.name}/log"
    done = CliRunner().invoke(app, ["data", "pull", url, str(folder)], env=env)
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_trees_and_feedback_of_a_bucket_train_as_those_of_a_folder(
    bucket: Bucket, tmp_path: Path
) -> None:
    log = logged_to(bucket, tmp_path / "unused")
    trees = await log.group("g", size=3)
    assert not (tmp_path / "unused").exists()
    assert pulled(bucket, tmp_path / "log").startswith("6 files")
    found = survey(tmp_path / "log", Rules())
    assert (found.eligible, found.damage) == ({(tree.id, 1) for tree in trees}, [])
    assert pulled(bucket, tmp_path / "log").startswith("0 files")


def said() -> Feedback:
    return Feedback(
        tree_id="solve_1", node_id="0", value=1.0, source="user", comment=None, key="k", at=NOW
    )


def test_the_same_word_counts_once(bucket: Bucket, tmp_path: Path) -> None:
    place = logged_to(bucket, tmp_path).folder
    place.append(said())
    place.append(said())
    assert len(bucket.names()) == 1


async def test_old_days_are_removed_and_what_is_newer_stays(bucket: Bucket, tmp_path: Path) -> None:
    log = logged_to(bucket, tmp_path)
    await log.group("g")
    assert len(bucket.names()) == 4
    assert log.folder.remove_old(2.0, now=NOW + DAY_S) == 0
    assert log.folder.remove_old(2.0, now=NOW + 4 * DAY_S) == 2
    assert bucket.names() == []


def test_a_bucket_that_is_not_there_is_said(bucket: Bucket) -> None:
    url = "s3://not-there/log"
    place = open_log(bucket.settings.model_copy(update={"trajectory_url": url}))
    assert place is not None
    with place.stage() as staged:
        staged.write(b"a line")
        with pytest.raises(StoreUnavailable):
            staged.keep("19700112/solve_1.g1.jsonl.zst")
    with pytest.raises(StoreUnavailable):
        place.append(said())


def test_the_log_is_where_the_settings_say(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings
    assert open_log(settings) is None
    assert not settings.logs_trajectories
    folder = settings.model_copy(update={"trajectory_dir": tmp_path})
    assert isinstance(open_log(folder), TrajectoryFolder)
    assert folder.logs_trajectories
    assert settings.model_copy(update={"trajectory_url": "s3://a"}).logs_trajectories


def test_a_url_that_is_no_buckets_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "pull", "http://example.org/log", str(tmp_path)])
    assert done.exit_code == 2
    assert "s3://BUCKET" in done.output
