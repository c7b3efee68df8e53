"""The check of a plan: Jira is asked what would not arrive while the plan is on the screen."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.apps import Run, running_app
from fakes.pulls import CREDENTIALS, Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobStatus
from ticketr.app.tui.jobs_state import LOGIN_REFUSED_MESSAGE
from ticketr.app.tui.overlays.plan import CHECKING_MESSAGE
from ticketr.app.tui.services.workspaces import open_workspace
from ticketr.terminal import FocusGained

#: Seconds that each answer takes.
LATENCY = 1.0
#: More seconds than a check takes.
CHECKED = 30.0
NOBODY = "“@[Nobody Known]” goes to Jira as text, for its search finds nobody of that name"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=6, seed=1), tmp_path / "work")


@asynccontextmanager
async def planning(bench: Bench, key: str = "p", **changes: Any) -> AsyncGenerator[Run]:
    """Run the app on an edited title and a text that mentions nobody, and press a key."""
    await bench.pull()
    bench.retitles("DEMO-2", "Edited")
    bench.edits("DEMO-3", "## Description\n", "## Description\nAsk @[Nobody Known].\n\n")
    bench.latency = LATENCY
    work = replace(open_workspace("work", bench.options()), **changes)
    async with running_app((work,)) as run:
        await run.settle()
        await run.press(key)
        yield run


@pytest.mark.parametrize("key", ["p", "s"])
async def test_the_plan_is_shown_at_once_and_jiras_answer_added(
    bench: Bench, key: str, autojump_clock: MockClock
) -> None:
    async with planning(bench, key) as run:
        assert "changes 2 of your tickets in Jira" in run.screen.rows[1]
        assert run.screen.rows[0].rstrip().endswith(CHECKING_MESSAGE)
        assert "DEMO-3" in run.screen.text
        assert NOBODY not in run.screen.text
        status = run.screen.rows[-1]

        await trio.sleep(CHECKED)
        assert "Will not arrive as written" in run.screen.text
        assert f"DEMO-3: Description: DEMO-3.md:4: {NOBODY}" in " ".join(run.screen.text.split())
        assert CHECKING_MESSAGE not in run.screen.text
        assert run.screen.rows[-1] == status  # it is no job of the user's
        assert bench.writes == []

        bench.edits("DEMO-3", "Ask @[Nobody Known].", "Ask nobody.")
        run.screen.tell(FocusGained())  # the files are read again
        await run.settle()
        await trio.sleep(CHECKED)
        assert NOBODY not in run.screen.text
        assert "changes 2 of your tickets in Jira" in run.screen.rows[1]


async def test_what_jira_would_refuse_is_counted(bench: Bench, autojump_clock: MockClock) -> None:
    async with planning(bench) as run:
        bench.edits("DEMO-2", "Priority: ", "Priority: Never ")
        bench.retitles("DEMO-6", "x" * 256)
        bench.site.edit("DEMO-3", summary="Of Jira")
        run.screen.tell(FocusGained())  # the files are read again
        await run.settle()
        long = "DEMO-6: Title: it has 256 characters; Jira takes 255"
        assert "Enter changes 3 of your tickets in Jira, but 1 would be refused" in run.screen.text
        assert long in run.screen.text

        await trio.sleep(CHECKED)
        assert "Enter changes 3 of your tickets in Jira, but 3 would be refused" in run.screen.text
        assert "Refused  3" in run.screen.text
        assert run.screen.text.count(long) == 1
        assert 'DEMO-2: Priority: "Never Low" is not possible' in run.screen.text
        assert "DEMO-3: changed in Jira since the last pull (DEMO-3: Title)" in run.screen.text

        await run.press("KEY_END")
        bench.edits("DEMO-2", "Priority: Never ", "Priority: ")
        run.screen.tell(FocusGained())
        await run.settle()
        assert "Refused  1" in run.screen.text
        assert next(row for row in run.screen.rows if row.startswith("▌")).startswith("▌! DEMO-6")


async def test_esc_leaves_at_once_and_ends_the_check(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with planning(bench) as run:
        (check,) = run.queue.jobs()
        assert check.status is JobStatus.RUNNING
        await run.press("KEY_ESCAPE")
        assert run.app.state.overlays == ()
        assert run.queue.jobs()[0].status is JobStatus.CANCELLED
        asked = list(bench.asked)
        await trio.sleep(CHECKED)
        assert bench.asked == asked
        assert run.app.state.jobs.ended == ()


async def test_enter_waits_for_no_check(bench: Bench, autojump_clock: MockClock) -> None:
    async with planning(bench) as run:
        await trio.sleep(0.5)
        await run.press("KEY_ENTER")
        assert [job.status for job in run.queue.jobs()] == [
            JobStatus.CANCELLED,
            JobStatus.RUNNING,
        ]
        await trio.sleep(CHECKED)
        assert bench.finds("DEMO-2").summary == "Edited"


async def test_a_check_that_fails_is_named_and_keeps_nothing_back(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with planning(bench) as run:
        (check,) = run.queue.jobs()
        run.queue.cancel(check.id)
        await run.settle()
        # It is above the entries, where it shows however many there are.
        assert run.screen.rows[2].startswith(" ! Not checked with Jira: it was cancelled")
        assert "Enter changes 2 of your tickets in Jira" in run.screen.text


async def test_a_check_of_edits_that_were_taken_back_is_not_that_of_the_plan(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with planning(bench) as run:
        bench.edits("DEMO-2", "Edited", bench.finds("DEMO-2").summary)
        bench.edits("DEMO-3", "Ask @[Nobody Known].\n\n", "")
        run.screen.tell(FocusGained())  # the files are read again
        await run.settle()
        assert "Nothing to push" in run.screen.text
        assert "Not checked" not in run.screen.text
        assert CHECKING_MESSAGE not in run.screen.text
        assert run.queue.jobs()[0].status is JobStatus.CANCELLED


async def test_without_a_login_nothing_is_asked(bench: Bench, autojump_clock: MockClock) -> None:
    async with planning(bench, has_login=lambda: False) as run:
        assert "Enter changes 2 of your tickets in Jira" in run.screen.text
        assert CHECKING_MESSAGE not in run.screen.text
        assert (run.queue.jobs(), bench.asked) == ([], [])


async def test_a_refused_login_is_said_as_for_other_jobs(
    bench: Bench, autojump_clock: MockClock
) -> None:
    refused = open_workspace("work", bench.options(credentials=replace(CREDENTIALS, token="wrong")))
    async with planning(bench, make_job=refused.make_job) as run:
        await trio.sleep(CHECKED)
        assert run.screen.rows[2].rstrip() == f" ! Not checked with Jira: {LOGIN_REFUSED_MESSAGE}"
