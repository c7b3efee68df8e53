"""Test pull, push, sync and conflicts in the app: real jobs on the sandbox, in virtual time."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from fakes.pulls import Bench, inline
from fakes.screens import FakeScreen

from ticketr import JobStatus, open_job_queue
from ticketr.sandbox import make_site
from ticketr.sync import PullJob, PushJob, Store, SyncJob
from ticketr.tickets import parse
from ticketr.tui.app import FRAME_INTERVAL, App
from ticketr.tui.job_kind import JobKind
from ticketr.tui.state import NO_NOTES
from ticketr.tui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from trio.testing import MockClock

    from ticketr import Job
    from ticketr.sync import Loss, OnWritten

KINDS = {JobKind.PULL: PullJob, JobKind.PUSH: PushJob, JobKind.SYNC: SyncJob}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


@asynccontextmanager
async def running(bench: Bench) -> AsyncGenerator[FakeScreen]:
    def make(work: JobKind, on_written: OnWritten, accepted: frozenset[Loss]) -> Job[object]:
        changes = {} if work is JobKind.PULL else {"accept_loss": accepted}
        job: Job[object] = KINDS[work](**bench.settings(on_written=on_written, **changes))
        return job

    screen = FakeScreen(80, 20)
    async with open_job_queue(workers=1) as queue:
        app = App(
            screen,
            queue,
            Store(bench.root, ".ticketr"),
            make,
            theme=Theme(),
            title="work",
            run_sync=inline,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app.run)
            yield screen
            nursery.cancel_scope.cancel()
        assert all(job.status is JobStatus.COMPLETED for job in queue.jobs())


async def press(screen: FakeScreen, *keys: str) -> None:
    for key in keys:
        screen.press(key)
        await trio.testing.wait_all_tasks_blocked()
    await trio.sleep(FRAME_INTERVAL * 3)
    await trio.testing.wait_all_tasks_blocked()


async def test_an_edit_is_marked_and_pushed(bench: Bench, autojump_clock: MockClock) -> None:
    await bench.pull()
    path = bench.root / "DEMO-1.md"
    _, rest = path.read_text().split("\n", 1)
    path.write_text(f"# TICKET: [DEMO-1] Mine\n{rest}")

    async with running(bench) as screen:
        await press(screen)
        assert "1 edited" in screen.rows[0]
        assert "*DEMO-1 " in screen.rows[1]

        await press(screen, "p")

        assert "Push complete: 1 ticket" in screen.rows[-1]
        assert "edited" not in screen.rows[0]
    issue = bench.site.find("DEMO-1")
    assert issue is not None
    assert issue.summary == "Mine"


async def test_a_draft_gets_its_key_on_the_screen_too(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.root.mkdir()
    (bench.root / "new.md").write_text("# TICKET: Something new\n")

    async with running(bench) as screen:
        await press(screen)
        assert "draft" in screen.rows[1]

        await press(screen, "p")

        assert "DEMO-13    Something new" in screen.rows[1]
        assert "draft" not in screen.text


async def test_many_writes_are_asked_about_first(bench: Bench, autojump_clock: MockClock) -> None:
    bench.root.mkdir()
    for number in range(21):
        (bench.root / f"{number}.md").write_text(f"# TICKET: Number {number}\n")

    async with running(bench) as screen:
        await press(screen, "s")
        assert "y yes  n no  Esc later: create or change 21 tickets in Jira?" in screen.text

        await press(screen, "n")
        assert len(bench.site) == 12

        await press(screen, "s", "y")
        assert len(bench.site) == 33
        assert "Sync complete: 12 tickets pulled, 21 pushed" in screen.rows[-1]


@pytest.fixture
async def lossy(bench: Bench, autojump_clock: MockClock) -> Bench:
    """Edit a text with a heading in a quote, which a file cannot hold, and another ticket."""
    words, kept = ({"type": "text", "text": each} for each in ("old words", "kept by Jira"))
    heading = {"type": "heading", "attrs": {"level": 2}, "content": [kept]}
    paragraph = {"type": "paragraph", "content": [words]}
    quote = {"type": "blockquote", "content": [paragraph, heading]}
    document = {"type": "doc", "version": 1, "content": [quote, paragraph]}
    bench.site.edit("DEMO-9", description=document)
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace("old words", "new words"))
    bench.retitles("DEMO-1", "Mine")
    return bench


async def test_a_loss_is_asked_about_and_is_not_caused_without_a_yes(lossy: Bench) -> None:
    before = lossy.finds("DEMO-9").description
    async with running(lossy) as screen:
        await press(screen, "p")
        assert (
            "y yes  o others  n no  Esc later: lose a heading at “kept by Jira” in" in screen.text
        )

        await press(screen, "n")
        assert lossy.finds("DEMO-1").summary != "Mine"

        await press(screen, "p", "o")
        assert lossy.finds("DEMO-1").summary == "Mine"
        assert lossy.finds("DEMO-9").description == before


async def test_a_loss_that_is_accepted_is_sent(lossy: Bench) -> None:
    async with running(lossy) as screen:
        await press(screen, "s", "y")

    assert "new words" in str(lossy.finds("DEMO-9").description)
    assert "kept by Jira" not in str(lossy.finds("DEMO-9").description)


async def test_failures_are_reported_and_can_be_read(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.root.mkdir()
    (bench.root / "new.md").write_text("# TICKET: Wrong\n\n## Fields\nType: Storry\n")

    async with running(bench) as screen:
        await press(screen, "n")
        assert NO_NOTES in screen.text

        await press(screen, "p")
        assert "1 to look at: n lists them" in screen.text
        assert "Push complete: 0 tickets, 1 failed" in screen.rows[-1]

        await press(screen, "n")
        assert 'failed: draft "Wrong" (new.md): Type: "Storry" is no issue type' in screen.text
        await press(screen, "KEY_ESCAPE")
        assert "failed: " not in screen.text


@pytest.mark.parametrize(("letter", "title"), [("l", "Mine"), ("r", "Theirs")])
async def test_a_conflict_is_shown_and_settled(
    bench: Bench, autojump_clock: MockClock, letter: str, title: str
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-1.md"
    _, rest = path.read_text().split("\n", 1)
    path.write_text(f"# TICKET: [DEMO-1] Mine\n{rest}")
    bench.site.edit("DEMO-1", summary="Theirs")

    async with running(bench) as screen:
        await press(screen, "P")
        assert "1 conflict" in screen.rows[0]
        assert "!DEMO-1 " in screen.rows[1]

        await press(screen, "r")
        assert "-# TICKET: [DEMO-1] Mine\n +# TICKET: [DEMO-1] Theirs\n" in screen.text
        assert "changed on both sides" in screen.text

        await press(screen, letter)
        assert "conflict" not in screen.rows[0]
        assert title in screen.rows[1]

        await press(screen, "s")
    issue = bench.site.find("DEMO-1")
    assert issue is not None
    assert issue.summary == parse(path.read_text()).tickets[0].title == title


async def test_a_file_with_both_versions_is_broken_and_keeps_its_place(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    _, rest = path.read_text().split("\n", 1)
    path.write_text(f"# TICKET: [DEMO-9] Mine\n{rest}")
    bench.site.edit("DEMO-9", summary="Theirs")

    async with running(bench) as screen:
        await press(screen, "P")
        (at,) = (number for number, row in enumerate(screen.rows) if "!DEMO-9 " in row)
        await press(screen, *"j" * (at - 1))

        await press(screen, "r", "m")

        assert "11 tickets · 1 broken file" in screen.rows[0]
        assert screen.rows[at].startswith("▸ broken     DEMO-9.md:1:1: this file holds a git")
        path.write_text(f"# TICKET: [DEMO-9] Ours\n{rest}")
        await press(screen, "KEY_CTRL_L")
        assert screen.rows[at].startswith("▸*DEMO-9     Ours")
        assert "broken" not in screen.text


async def test_a_conflict_that_cannot_be_resolved_is_reported(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-1.md"
    _, rest = path.read_text().split("\n", 1)
    path.write_text(f"# TICKET: [DEMO-1] Mine\n{rest}")
    bench.site.edit("DEMO-1", summary="Theirs")

    async with running(bench) as screen:
        await press(screen, "P")
        path.unlink()
        await press(screen, "r", "m")

        assert "cannot find DEMO-1 in" in screen.text
