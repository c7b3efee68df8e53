"""Pull and push from the app on a real sandbox: queued, cancelled, cut off, and not answered."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.apps import Run, running_app
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import JobStatus
from ticketr.app.jira import ConnectFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.tui.overlays.reading_time import LOOK
from ticketr.app.tui.services.opening import open_workspace

#: Seconds that each answer takes.
LATENCY = 1.0


@asynccontextmanager
async def pulled(root: Path, **changes: Any) -> AsyncGenerator[tuple[Run, Bench]]:
    """Run the app on a workspace that was pulled once, from a site that now answers slowly."""
    bench = Bench(make_site(tickets=12, seed=1), root)
    await bench.pull()
    bench.latency = LATENCY
    async with running_app((open_workspace("work", bench.options(**changes)),)) as run:
        await run.settle()
        yield run, bench


async def ended(run: Run) -> None:
    """Wait until every job has ended, and its end is drawn."""
    while any(not job.status.is_terminal for job in run.queue.jobs()):  # noqa: ASYNC110 - a virtual clock
        await trio.sleep(0.5)
    await run.settle()


async def test_a_confirmed_push_waits_for_the_pull_and_sends_what_was_confirmed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work") as (run, bench):
        bench.retitles("DEMO-1", "Confirmed")
        await run.press("r", "P", "p")
        await trio.sleep(LOOK)
        assert "DEMO-1" in run.screen.text
        await run.press("KEY_ENTER")

        states = [(job.name, job.status) for job in run.queue.jobs()]
        assert states == [
            ("Pull work", JobStatus.RUNNING),
            ("Push work", JobStatus.PENDING),
        ]
        assert run.screen.rows[-1].endswith("+1 J")
        bench.retitles("DEMO-2", "Edited since")
        assert bench.writes == []
        await ended(run)

        assert bench.finds("DEMO-1").summary == "Confirmed"
        assert bench.finds("DEMO-2").summary != "Edited since"
        assert bench.writes == ["PUT issue/DEMO-1"]
        assert (bench.root / "DEMO-2.md").read_text().startswith("# TICKET: [DEMO-2] Edited since")
        assert run.screen.rows[-1].startswith("! DEMO-2: ")
        assert "DEMO-2" in run.app.state.log[-1] or "DEMO-2" in run.screen.text


async def test_escape_right_after_the_key_cancels_a_pull_that_asked_nothing_yet(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work") as (run, bench):
        before = bench.files()
        await run.type("P")
        run.screen.press("KEY_ESCAPE")
        await run.settle()

        assert [job.status for job in run.queue.jobs()] == [JobStatus.CANCELLED]
        assert run.screen.rows[-1].startswith("⊘ Cancelled")
        assert bench.files() == before
        await run.press("P")
        await ended(run)
        assert run.queue.jobs()[-1].status is JobStatus.COMPLETED


@pytest.mark.parametrize("key", ["KEY_CTRL_C", "q"])
async def test_leaving_in_mid_pull_ends_the_app_at_once(
    key: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work") as (run, bench):
        before = bench.files()
        await run.press("P")
        await trio.sleep(LATENCY * 1.5)
        run.screen.press(key)
        with trio.fail_after(0.5):
            await run.left.wait()
        assert bench.files() == before
    assert [job.status for job in run.queue.jobs()] == [JobStatus.CANCELLED]


class Line(Recorder):
    """A line to the sandbox that breaks, or goes silent, at its sixth request."""

    LAST = 5

    def __init__(self, bench: Bench, *, is_silent: bool) -> None:
        super().__init__(create_app(bench.site, latency=LATENCY))
        self.is_silent = is_silent

    async def send(self, request: Request) -> Response:
        if len(self.asked) < self.LAST:
            return await super().send(request)
        if self.is_silent:
            await trio.sleep_forever()
        await trio.sleep(LATENCY)
        raise ConnectFailed(request.url, "Connection refused")


@asynccontextmanager
async def failing(root: Path, *, is_silent: bool) -> AsyncGenerator[tuple[Run, Line]]:
    """Run the app on an empty workspace, whose line fails in mid-pull."""
    bench = Bench(make_site(tickets=450, seed=1), root)
    line = Line(bench, is_silent=is_silent)
    root.mkdir()
    async with running_app((open_workspace("work", bench.options(transport=line)),)) as run:
        await run.press("P")
        yield run, line


@pytest.mark.unmeasured
async def test_a_network_that_goes_in_mid_pull_is_named_and_the_count_stays(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with failing(tmp_path / "work", is_silent=False) as (run, _):
        await ended(run)

        pulled = len(Bench(make_site(tickets=1, seed=1), tmp_path / "work").keys())
        assert 0 < pulled < 450
        assert run.screen.rows[-1].startswith("✗ cannot reach")
        assert f" · {pulled}/450 done · P goes on | " in run.screen.rows[-1]


async def test_a_server_that_stops_answering_is_named_within_5_seconds(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with failing(tmp_path / "work", is_silent=True) as (run, line):
        while len(line.asked) < line.LAST:  # noqa: ASYNC110 - a virtual clock
            await trio.sleep(LATENCY / 4)
        await trio.sleep(LATENCY + 5)

        assert "no answer for" in run.screen.rows[-1]
        await run.press("KEY_ESCAPE")
        assert [job.status for job in run.queue.jobs()] == [JobStatus.CANCELLED]
