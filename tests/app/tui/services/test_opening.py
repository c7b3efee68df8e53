"""Test the jobs of a workspace that was opened from the options of its jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import TicketrError
from ticketr.app.config import BadSetting
from ticketr.app.jira import Credentials
from ticketr.app.sync import PullJob, PushJob, PushPlan, SessionOptions, Side, SyncJob
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.services.opening import open_workspace

PLAN = PushPlan()


def options(root: Path) -> SessionOptions:
    login = Credentials("https://gateway.example", "p@h.example", "token")
    return {"root": root, "credentials": login, "project": "DEMO", "prefer": Side.LOCAL}


@pytest.mark.parametrize(
    ("kind", "job"), [(JobKind.PULL, PullJob), (JobKind.PUSH, PushJob), (JobKind.SYNC, SyncJob)]
)
def test_a_request_becomes_the_job_of_its_kind(
    kind: JobKind, job: type[PullJob | PushJob | SyncJob], tmp_path: Path
) -> None:
    written: list[object] = []
    request = JobRequest(kind, confirmed=None if kind is JobKind.PULL else PLAN)

    made = open_workspace("work", options(tmp_path)).make_job(request, written.append)

    assert type(made) is job
    assert getattr(made, "confirmed", None) is request.confirmed
    assert isinstance(made, PullJob | PushJob | SyncJob)
    assert (made.root, made.on_written) == (tmp_path, written.append)


def test_a_pull_of_some_tickets_names_them(tmp_path: Path) -> None:
    request = JobRequest(JobKind.PULL, keys=("DEMO-1",))

    made = open_workspace("work", options(tmp_path)).make_job(request, lambda _: None)

    assert isinstance(made, PullJob)
    assert made.keys == ("DEMO-1",)


def test_the_site_is_shown_without_its_scheme_and_cleaned(tmp_path: Path) -> None:
    behind: SessionOptions = {**options(tmp_path), "browse": "https://h.example\x1b[2J"}

    plain = open_workspace("w\x07ork", options(tmp_path))
    other = open_workspace("work", behind)

    assert (plain.name, plain.site, plain.project) == ("w\ufffdork", "gateway.example", "DEMO")
    assert (other.site, other.prefer) == ("h.example", Side.LOCAL)


async def test_its_statuses_are_asked_with_its_login_and_its_drafts_get_its_type(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path)
    asked: SessionOptions = {**bench.options(), "story_type": "Story"}

    made = open_workspace("work", asked)

    assert await made.read_statuses("DEMO-9") == ("In Review", "To Do")
    assert bench.asked == ["issue/DEMO-9/transitions"]
    assert (made.draft_type, open_workspace("work", options(tmp_path)).draft_type) == (
        "Story",
        "Task",
    )


async def test_it_searches_by_query_and_by_the_name_of_one(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path)
    bench.site.edit("DEMO-9", labels=("late",))

    made = open_workspace("work", bench.options(), {"late": "labels = late"})

    assert await made.search("labels = late") == await made.search("@late AND key = DEMO-9")
    assert len(await made.search("@late")) == 1
    assert made.aliases == {"late": "labels = late"}
    assert "mine" in open_workspace("work", bench.options()).aliases
    with pytest.raises(BadSetting, match="there is no such alias"):
        await made.search("@nobody")


async def test_it_is_asked_who_changed_an_issue_last(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path)
    before = bench.finds("DEMO-9").history
    bench.site.edit("DEMO-9", summary="Theirs")
    made = open_workspace("work", bench.options())

    found = await made.read_last_change("DEMO-9", "")
    assert bench.asked == ["issue/DEMO-9?fields=updated&expand=changelog"]
    assert found is not None
    newest = bench.finds("DEMO-9").history[-1]
    assert len(bench.finds("DEMO-9").history) == len(before) + 1
    assert found.author == newest.author.name
    assert await made.read_last_change("DEMO-9", found.at) == found
    assert await made.read_last_change("DEMO-9", "1999-01-31T09:30:00.000+0000") is None
    with pytest.raises(TicketrError):
        await made.read_last_change("DEMO-999", "")
