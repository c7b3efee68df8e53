"""Test ``ticketr jobs``, and the jobs and histories of several workspaces."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from fakes.processes import environment, sandbox_thread
from fakes.users import User, ticketr_here

from ticketr import HistoryFailed, JobContext, open_job_queue
from ticketr.app.cli.history import WorkspaceHistories
from ticketr.app.cli.ownership import HISTORY_FILE
from ticketr.app.config import STATE_FOLDER

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
        WHEN + r"  failed     Sync DEMO: 127\.0\.0\.1 refused the login \(401\): .*", first
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


@pytest.fixture(autouse=True)
def config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the user a folder of settings, which holds the mark of the histories."""
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))


async def nothing(context: JobContext) -> None:
    context.report(message="done")


def workspace(root: Path, name: str) -> Path:
    folder = root / name / STATE_FOLDER
    folder.mkdir(parents=True)
    return root / name


async def run_in(histories: WorkspaceHistories, *roots: Path) -> None:
    async with open_job_queue(history=histories) as queue:
        for root in roots:
            await queue.run(nothing, name=f"Pull {root.name}", key=str(root))


async def names(histories: WorkspaceHistories) -> list[str]:
    return [job.name for job in await histories.read(limit=10, status=None)]


async def test_a_workspace_that_was_added_later_has_a_history_too(tmp_path: Path) -> None:
    one, two = workspace(tmp_path, "one"), workspace(tmp_path, "two")
    histories = WorkspaceHistories([one])

    await run_in(histories, one, two)

    assert await names(histories) == ["Pull two", "Pull one"]
    assert await names(WorkspaceHistories([two])) == ["Pull two"]


async def test_jobs_with_a_tag_are_left_out(tmp_path: Path) -> None:
    root = workspace(tmp_path, "one")
    histories = WorkspaceHistories([root], without="quiet")

    async with open_job_queue(history=histories) as queue:
        await queue.run(nothing, name="Pull one", key=str(root))
        await queue.run(nothing, name="Refresh one", key=str(root), tags={"quiet"})

    assert await names(histories) == ["Pull one"]


async def test_a_history_that_cannot_be_used_hides_no_other(tmp_path: Path) -> None:
    one, two = workspace(tmp_path, "one"), workspace(tmp_path, "two")
    (one / STATE_FOLDER / HISTORY_FILE).write_text("this is not a database" * 100)
    histories = WorkspaceHistories([one, two])

    await run_in(histories, one, two)

    assert await names(histories) == ["Pull two"]
    with pytest.raises(HistoryFailed):
        await names(WorkspaceHistories([one]))


async def test_a_folder_whose_name_is_not_utf8_has_a_history(tmp_path: Path) -> None:
    root = workspace(tmp_path, os.fsdecode(b"odd-\xff"))
    histories = WorkspaceHistories([root])

    await run_in(histories, root)

    assert [job.message for job in await histories.read(limit=10, status=None)] == ["done"]


async def test_a_folder_whose_name_holds_a_secret_has_a_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticketr.app.cli.history.redacted", lambda text: text.replace("s3cr3t", ""))
    root = workspace(tmp_path, "s3cr3t")
    histories = WorkspaceHistories([root])

    await run_in(histories, root)

    assert await names(histories) == ["Pull "]
    assert [folder.name for folder in tmp_path.iterdir()] == ["s3cr3t"]


async def test_reading_the_history_of_a_folder_that_is_gone_makes_none(tmp_path: Path) -> None:
    assert await names(WorkspaceHistories([tmp_path / "gone"])) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"TICKETR_CONFIG_DIR": str(tmp_path / "config")}


def add(tmp_path: Path, url: str, *names: str) -> None:
    """Add workspaces to the user's config, as `workspace add` would."""
    config = tmp_path / "config"
    config.mkdir(mode=0o700)
    lines = []
    for name in names:
        (tmp_path / name).mkdir()
        lines += [f"[workspaces.{name}]", f'folder = "{tmp_path / name}"', f'site = "{url}"']
    path = config / "config.toml"
    path.touch(mode=0o600)
    path.write_text("\n".join([*lines, ""]))


def test_every_workspace_is_synced_and_reported_by_its_name(
    tmp_path: Path, env: dict[str, str]
) -> None:
    with sandbox_thread(tickets=10) as url:
        add(tmp_path, url, "one", "two")
        (tmp_path / "one" / "new.md").write_text("# TICKET: From one\n")
        ran = environment(url, **env)

        told = ticketr_here("sync", "--all", folder=tmp_path, env=ran)
        listed = ticketr_here("sync", "--all", "--json", folder=tmp_path, env=ran)
        jobs = ticketr_here("jobs", "-w", "one", "--json", folder=tmp_path, env=ran)

    assert told.returncode == listed.returncode == 0, told.stderr
    lines = told.stderr.splitlines()
    assert lines.index("one:") < lines.index("two:")
    assert "1 created (DEMO-11)" in told.stderr
    found = json.loads(listed.stdout)["workspaces"]
    assert {name: each["pull"]["total"] for name, each in found.items()} == {"one": 11, "two": 11}
    assert {each["key"] for each in json.loads(jobs.stdout)} == {str(tmp_path / "one")}


def test_one_that_fails_stops_no_other(tmp_path: Path, env: dict[str, str]) -> None:
    with sandbox_thread(tickets=10) as url:
        add(tmp_path, url, "one", "two")
        (tmp_path / "one" / "ticketr.toml").write_text('[fields]\nTeam = "customfield_99999"\n')

        ended = ticketr_here(
            "pull", "--all", "--json", folder=tmp_path, env=environment(url, **env)
        )

    assert ended.returncode == 1
    found = json.loads(ended.stdout)["workspaces"]
    assert (found["one"]["status"], found["one"]["error"]) == ("failed", "UnknownFieldInSettings")
    assert 'the ID of "Team" is that of no field' in found["one"]["message"]
    assert (found["two"]["status"], found["two"]["total"]) == ("completed", 10)


def test_one_that_cannot_begin_stops_no_other(tmp_path: Path, env: dict[str, str]) -> None:
    with sandbox_thread(tickets=10) as url:
        add(tmp_path, url, "broken", "fine", "gone", "torn")
        (tmp_path / "broken" / "ticketr.toml").write_text("siet = 1\n")
        (tmp_path / "gone").rmdir()
        command = '[workspaces.torn]\ntoken_command = ["false"]'
        config = tmp_path / "config" / "config.toml"
        config.write_text(config.read_text().replace("[workspaces.torn]", command))
        ran = environment(url, **env) | {"JIRA_URL": "", "JIRA_API_TOKEN": ""}
        command = '\nemail = "demo@example.com"\ntoken_command = ["echo", "demo"]'
        config.write_text(config.read_text().replace('/fine"', f'/fine"{command}'))

        told = ticketr_here("pull", "--all", folder=tmp_path, env=ran)
        listed = ticketr_here("sync", "--all", "--json", folder=tmp_path, env=ran)

    assert (told.returncode, listed.returncode) == (2, 2), told.stderr
    assert "fine:\n10 new" in told.stderr
    assert f"broken: {tmp_path}/broken/ticketr.toml:1: unknown key 'siet'" in told.stderr
    assert f"gone: the folder of gone is '{tmp_path}/gone': it is gone" in told.stderr
    assert "\ntorn: " in told.stderr
    found = json.loads(listed.stdout)["workspaces"]
    assert found["fine"]["status"] == "completed"
    assert {name: each["error"] for name, each in found.items() if "error" in each} == {
        "broken": "UnknownKey",
        "gone": "BadSetting",
        "torn": "TokenFailed",
    }
    assert {each["status"] for name, each in found.items() if name != "fine"} == {"failed"}


def test_if_no_workspace_can_start_all_are_reported(tmp_path: Path, env: dict[str, str]) -> None:
    add(tmp_path, "https://acme.example", "gone")
    (tmp_path / "gone").rmdir()

    ended = ticketr_here("push", "--all", folder=tmp_path, env=environment(**env))

    words = "it is gone: bring it back, or 'ticketr workspace remove gone'"
    assert ended.returncode == 2
    assert ended.stderr == f"gone: the folder of gone is '{tmp_path}/gone': {words}\n"


def test_every_workspace_or_one_but_not_both(tmp_path: Path, env: dict[str, str]) -> None:
    both = ticketr_here("pull", "--all", "-w", "x", folder=tmp_path, env=environment(**env))
    none = ticketr_here("pull", "--all", folder=tmp_path, env=environment(**env))

    assert (both.returncode, none.returncode) == (2, 2)
    assert "use --all, or name one workspace, not both" in both.stderr
    assert "you have added no workspace yet" in none.stderr
