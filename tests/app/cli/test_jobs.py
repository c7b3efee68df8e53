"""Test ``ticketr jobs``, the list of earlier runs."""

from __future__ import annotations

import fcntl
import re
import sqlite3
from contextlib import closing
from datetime import datetime

import pytest
from fakes.users import User

WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
KEYS = {
    "run",
    "number",
    "id",
    "name",
    "key",
    "status",
    "attempts",
    "submitted_at",
    "started_at",
    "finished_at",
    "cancel_cause",
    "error_type",
    "error_message",
    "current",
    "total",
    "message",
    "result",
    "tags",
}


def test_without_earlier_runs_it_says_so_and_creates_no_file(someone: User) -> None:
    (someone.root / "ticketr.toml").unlink()

    assert someone.runs("jobs") == (0, "no job has ended here yet\n", "")
    assert someone.runs("jobs", "--json").json == []
    assert [*someone.root.iterdir()] == []


def test_runs_are_listed_newest_first(someone: User) -> None:
    someone.runs("pull")
    someone.monkeypatch.setenv("JIRA_API_TOKEN", "wrong")
    someone.runs("sync")

    first, second = someone.runs("jobs").out.splitlines()

    assert re.fullmatch(
        WHEN + r"  failed     Sync DEMO: 127\.0\.0\.1 refused the login \(401: .*", first
    )
    assert re.fullmatch(WHEN + r"  completed  Pull DEMO: Pull complete: 12 tickets", second)
    assert someone.runs("jobs", "--limit", "1").out.splitlines() == [first]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_job_with_an_unknown_status_is_named_and_the_others_are_listed(
    someone: User, options: list[str]
) -> None:
    someone.runs("pull")
    someone.runs("sync")
    with closing(sqlite3.connect(someone.root / ".ticketr" / "history.db")) as db:
        db.execute("UPDATE jobs SET status = 'paused\x1b[2J' WHERE name LIKE 'Sync%'")
        db.commit()

    ended = someone.runs("jobs", *options)

    assert ended.code == 0
    assert "Pull DEMO" in ended.out
    assert "Sync DEMO" not in ended.out
    assert "is left out: " in ended.err
    assert "'paused\\x1b[2J' is not a valid JobStatus" in ended.err


def test_json_has_keys_that_stay_and_moments_that_can_be_read(someone: User) -> None:
    someone.runs("pull")

    (job,) = someone.runs("jobs", "--json").json

    assert job.keys() == KEYS
    assert (job["name"], job["status"], job["result"]) == ("Pull DEMO", "completed", "PullResult")
    assert job["tags"] == []
    assert "T" in job["finished_at"]
    assert datetime.fromisoformat(job["finished_at"]).tzinfo is not None


def test_text_from_others_is_cleaned_for_the_terminal(someone: User) -> None:
    someone.root = someone.root / "odd\x1b[2J\x9b2K"
    someone.root.mkdir()
    (someone.root / "ticketr.toml").touch()
    someone.monkeypatch.chdir(someone.root)
    someone.runs("pull")
    with (someone.root / ".ticketr" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        someone.runs("pull")

    told = someone.runs("jobs")

    assert "/odd is being changed by " in told.out
    assert told.out.replace("\n", "").isprintable()
    assert someone.runs("jobs", "--json").out.isascii()


def test_a_limit_below_one_is_wrong_usage(someone: User) -> None:
    assert someone.runs("jobs", "--limit", "0").code == 2
