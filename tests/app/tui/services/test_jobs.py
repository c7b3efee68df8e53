"""The service that reads the jobs that ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from fakes.pulls import inline
from trio.testing import MockClock

from ticketr import JobContext, SqliteHistory, open_job_queue
from ticketr.app.sync import Store
from ticketr.app.tui import effects, messages
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.jobs import read_history
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace, Workspaces


async def nothing_to_do(context: JobContext) -> None:
    context.report(message="Done")


async def test_the_history_comes_with_the_workspaces_of_its_jobs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    nothing = cast("Any", None)
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    told: list[Message] = []
    opened = Workspaces(
        (
            OpenWorkspace("work", Store(tmp_path / "link", ".ticketr"), nothing),
            ClosedWorkspace("shop", nothing, folder=tmp_path / "shop"),
            ClosedWorkspace("unknown", nothing),
        ),
        lambda _: nothing,
        told.append,
    )
    here, shop, gone = (str(tmp_path / each) for each in ("here", "shop", "gone"))

    history = SqliteHistory(tmp_path / "jobs.db", run_sync=inline)  # no thread on a fake clock
    async with open_job_queue(history=history) as queue:
        for key in (here, shop, gone, None):
            await (await queue.submit(nothing_to_do, key=key)).wait()
        services = Services(nothing, queue, opened, told.append, in_thread=inline)
        await read_history(services, effects.ReadHistory())

    (read,) = told
    assert isinstance(read, messages.HistoryRead)
    assert [job.key for job in read.jobs] == [None, gone, shop, here]
    assert read.workspaces == {here: "work", shop: "shop"}
