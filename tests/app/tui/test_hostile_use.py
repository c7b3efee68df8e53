"""Use the app as nobody planned: folders and files that change or break below it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from fakes.apps import Run, running_app
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobStatus
from ticketr.app.tui import messages
from ticketr.app.tui.overlays.reading_time import LOOK
from ticketr.app.tui.services.opening import open_workspace

TICKETS = 12


@asynccontextmanager
async def pulled(root: Path, *, latency: float = 0.0) -> AsyncGenerator[tuple[Run, Bench]]:
    """Run the app on a workspace that was pulled once."""
    bench = Bench(make_site(tickets=TICKETS, seed=1), root)
    await bench.pull()
    bench.latency = latency
    async with running_app((open_workspace("work", bench.options()),)) as run:
        await run.settle()
        yield run, bench


async def job(run: Run) -> JobStatus:
    """Return how the last job ended."""
    while not run.queue.jobs()[-1].status.is_terminal:  # noqa: ASYNC110 - a virtual clock
        await trio.sleep(0.5)
    await run.settle()
    return run.queue.jobs()[-1].status


async def test_a_folder_that_is_deleted_is_named_and_pulled_again_once_it_is_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    root = tmp_path / "work"
    async with pulled(root) as (run, bench):
        before = bench.files()
        await run.press("p")
        shutil.rmtree(root)
        await run.press("KEY_ESCAPE", "r")

        gone = f"the folder {root} is gone"
        assert gone[:30] in run.screen.rows[4]
        assert run.app.state.notice == f"work: {gone}"
        await run.press("e", "t", "d", "p", "KEY_ESCAPE", "u", "KEY_ESCAPE", "P")
        assert run.app.state.notice == f"{gone}; r reads it again"
        assert not root.exists()
        root.mkdir()
        await run.press("r", "P")
        assert await job(run) is JobStatus.COMPLETED
        assert bench.files() == before
        assert run.app.state.workspace.count == TICKETS
        assert run.app.state.workspace.problem == ""


async def test_files_that_are_renamed_during_a_pull_stay_the_only_ones_and_a_copy_is_named(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work", latency=1.0) as (run, bench):
        bench.site.edit("DEMO-1", summary="From Jira")
        await run.press("P")
        await trio.sleep(1.5)
        before = bench.files()
        for key in ("DEMO-1", "DEMO-9"):  # one has changed in Jira, one has not
            (bench.root / f"{key}.md").rename(bench.root / f"renamed-{key}.md")
        assert await job(run) is JobStatus.COMPLETED

        files = bench.files()
        assert len(files) == len(before)
        assert files["renamed-DEMO-1.md"].startswith("# TICKET: [DEMO-1] From Jira\n")
        assert files["renamed-DEMO-9.md"] == before["DEMO-9.md"]
        shutil.copy(bench.root / "renamed-DEMO-1.md", bench.root / "DEMO-1.md")
        await run.press("P")

        assert await job(run) is JobStatus.COMPLETED
        assert run.screen.rows[-1].startswith("! DEMO-1: DEMO-1 is in DEMO-1.md and in")


async def test_of_two_apps_on_a_folder_the_second_job_names_the_process_that_is_in_the_way(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        pulled(tmp_path / "work", latency=5.0) as (run, bench),
        running_app((open_workspace("work", bench.options()),)) as other,
    ):
        await run.press("P")
        await trio.sleep(1)
        await other.press("P")
        assert await job(other) is JobStatus.FAILED
        assert other.screen.rows[-1].startswith("✗ …/work is being changed by process ")
        assert await job(run) is JobStatus.COMPLETED
        await other.press("P")
        assert await job(other) is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\x00\xfe garbage", "left out: cannot read DEMO-1.md: line 1 is not UTF-8"),
        (b"", "DEMO-1.md holds no ticket any more"),
        (None, "DEMO-1.md holds no ticket any more"),
        (b"# TICKET: [DEMO-1] Other\n", "DEMO-1.md is edited; p shows what a push would write"),
    ],
    ids=["garbage", "empty", "deleted", "edited"],
)
async def test_what_an_editor_left_is_told_and_the_rest_can_be_pushed(
    content: bytes | None, words: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work") as (run, bench):
        bench.retitles("DEMO-9", "Edited here")
        path = bench.root / "DEMO-1.md"
        path.unlink() if content is None else path.write_bytes(content)
        await run.press("r")
        run.app._send.send_nowait(messages.EditorClosed("work", "DEMO-1.md"))
        await run.settle()

        assert run.app.state.notice.startswith(words)
        await run.press("p")
        await trio.sleep(LOOK)
        await run.press("KEY_ENTER")
        assert await job(run) is JobStatus.COMPLETED
        assert bench.finds("DEMO-9").summary == "Edited here"


@pytest.mark.parametrize(("begin", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n")])
async def test_a_byte_order_mark_or_other_line_ends_are_no_edit(
    begin: bytes, end: bytes, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work") as (run, bench):
        path = bench.root / "DEMO-1.md"
        path.write_bytes(begin + path.read_bytes().replace(b"\n", end))
        await run.press("r")
        run.app._send.send_nowait(messages.EditorClosed("work", "DEMO-1.md"))
        await run.settle()

        assert run.app.state.notice == "Reading the files again"
        assert run.app.state.workspace.edited == frozenset()


async def test_a_folder_with_spaces_new_lines_and_other_scripts_in_its_path_is_worked_in(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    parent = tmp_path / "two words\nand a line"
    parent.mkdir()
    async with pulled(parent / "größe 陈 \u202eevil") as (run, bench):
        bench.retitles("DEMO-9", "Edited here")
        await run.press("r", "p")
        await trio.sleep(LOOK)
        await run.press("KEY_ENTER")
        assert await job(run) is JobStatus.COMPLETED
        assert bench.finds("DEMO-9").summary == "Edited here"
        bench.site.edit("DEMO-1", summary="From Jira")
        await run.press("P")
        assert await job(run) is JobStatus.COMPLETED
        assert "\u202e" not in run.screen.text
