"""The pull that nobody has asked for: it marks what has changed in Jira, and disturbs nobody."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.apps import Run, running_app
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import JobStatus
from ticketr.app.jira.errors import ConnectFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.tui.services.workspaces import open_workspace

EVERY = 300.0
#: Seconds that each answer takes.
LATENCY = 1.0


class Line(Recorder):
    """Connects to a site, unless it is cut."""

    is_cut = False

    async def send(self, request: Request) -> Response:
        if self.is_cut:
            raise ConnectFailed(request.url, "Connection refused")
        return await super().send(request)


@asynccontextmanager
async def refreshing(root: Path, **changes: Any) -> AsyncGenerator[tuple[Run, Bench, Line]]:
    """Run the app on a workspace that was pulled once, with a quiet pull every five minutes."""
    bench = Bench(make_site(tickets=6, seed=1), root)
    await bench.pull()
    line = Line(create_app(bench.site, latency=LATENCY))
    work = replace(open_workspace("work", bench.options(transport=line)), **changes)
    async with running_app((work,), auto_pull_seconds=EVERY) as run:
        await run.settle()
        yield run, bench, line


def flags(run: Run) -> dict[str, str]:
    """Return what is before each ticket in the list, and the beginning of its title."""
    rows = (row.split("│")[0] for row in run.screen.rows if " DEMO-" in row[:20])
    return {row[5:15].strip(): f"{row[0]}|{row[15:30].strip()}" for row in rows}


def jobs(run: Run) -> list[tuple[str, JobStatus]]:
    return [(job.name, job.status) for job in run.queue.jobs()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "work"


async def test_a_change_in_jira_is_marked_until_its_ticket_was_looked_at(
    root: Path, autojump_clock: MockClock
) -> None:
    async with refreshing(root) as (run, bench, _):
        before = run.screen.rows
        bench.site.edit("DEMO-3", summary="Of Jira")
        await trio.sleep(EVERY + LATENCY / 2)
        assert run.screen.rows[1:] == before[1:]  # it runs, and nothing says so
        assert run.queue.jobs()[0].status is JobStatus.RUNNING
        await trio.sleep(60)

        assert flags(run)["DEMO-3"] == "•|Of Jira"
        assert "• 1 changed in Jira" in run.screen.rows[0]
        assert {at: flag[0] for at, flag in flags(run).items() if flag[0] != " "} == {
            "DEMO-1": "▌",
            "DEMO-3": "•",
        }
        assert run.screen.rows[-2:] == before[-2:]
        assert run.app.state.jobs.ended == ()

        await run.press("j", "j")
        assert flags(run)["DEMO-3"] == "▌|Of Jira"
        await trio.sleep(1)  # its ticket is open
        await run.press("k")
        assert flags(run)["DEMO-3"] == " |Of Jira"
        assert "changed in Jira" not in run.screen.text


async def test_a_mark_goes_with_its_file(root: Path, autojump_clock: MockClock) -> None:
    async with refreshing(root) as (run, bench, _):
        bench.site.edit("DEMO-3", summary="Of Jira")
        await trio.sleep(EVERY + 60)
        assert "• 1 changed in Jira" in run.screen.rows[0]

        (root / "DEMO-3.md").unlink()
        await run.press("r")

        assert "changed in Jira" not in run.screen.text


async def test_an_error_of_the_network_is_quiet(root: Path, autojump_clock: MockClock) -> None:
    async with refreshing(root) as (run, bench, line):
        before = run.screen.rows
        bench.site.edit("DEMO-3", summary="Of Jira")
        line.is_cut = True
        await trio.sleep(EVERY + 200)
        assert jobs(run) == [("Refresh work", JobStatus.FAILED)]
        assert run.screen.rows[-2:] == before[-2:]
        assert (run.app.state.notice, run.app.state.status.last) == ("", None)

        line.is_cut = False
        await trio.sleep(EVERY)
        assert flags(run)["DEMO-3"] == "•|Of Jira"


async def test_it_waits_for_no_plan_no_question_and_no_login(
    root: Path, autojump_clock: MockClock
) -> None:
    async with refreshing(root) as (run, _, line):
        for key in "p/J":
            await run.press(key)
            await trio.sleep(EVERY)
            await run.press("KEY_ESCAPE")
        run.screen.is_handed_over = True  # the user's editor is open
        await trio.sleep(EVERY)
        assert line.asked == []
        run.screen.is_handed_over = False
        await trio.sleep(EVERY)
        assert line.asked != []

    async with refreshing(root, has_login=lambda: False) as (run, _, line):
        await trio.sleep(EVERY * 2)
        assert line.asked == []


async def test_a_job_of_the_user_goes_first(root: Path, autojump_clock: MockClock) -> None:
    async with refreshing(root) as (run, bench, _):
        bench.site.edit("DEMO-3", summary="Of Jira")
        await trio.sleep(EVERY + LATENCY / 2 - (trio.current_time() % EVERY))
        await run.press("KEY_ESCAPE")  # it cancels no job that it does not see
        assert jobs(run) == [("Refresh work", JobStatus.RUNNING)]
        await run.press("P")
        assert jobs(run) == [
            ("Refresh work", JobStatus.CANCELLED),
            ("Pull work", JobStatus.RUNNING),
        ]
        await trio.sleep(60)
        assert "Pull complete" in run.screen.rows[-1]
        assert [job.name for job in run.app.state.jobs.ended] == ["Pull work"]
        assert flags(run)["DEMO-3"][2:] == "Of Jira"


async def test_a_workspace_that_was_never_pulled_is_left_alone(
    root: Path, autojump_clock: MockClock
) -> None:
    root.mkdir()
    line = Line(create_app(make_site(tickets=2, seed=1)))
    bench = Bench(make_site(tickets=2, seed=1), root)
    async with running_app(
        (open_workspace("work", bench.options(transport=line)),), auto_pull_seconds=EVERY
    ) as run:
        await trio.sleep(EVERY * 2)
        assert line.asked == []
        assert len(run.queue.repeats()) == 1
        await run.press("r")  # and the repeat is begun once
        assert len(run.queue.repeats()) == 1
