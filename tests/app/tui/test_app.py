"""Test the app on a virtual clock: keys through a channel, exact frames at exact times."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from fakes.pulls import inline
from fakes.screens import FakeScreen
from trio.testing import MockClock

from ticketr import JobContext, JobQueue, JobStatus, open_job_queue
from ticketr.app.sync import Store
from ticketr.app.sync.session_job import OnWritten
from ticketr.app.tickets import Ticket, render
from ticketr.app.tui.app import (
    CAREFUL_ESCAPE,
    FRAME_INTERVAL,
    MESSAGES_PER_CHECKPOINT,
    App,
    OpenWorkspace,
)
from ticketr.app.tui.effects import StartJob
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.messages import Told
from ticketr.app.tui.services.jobs import start_job
from ticketr.app.tui.theme import Theme
from ticketr.terminal import Focused, HungUp, Key, Paste, Quit, Resize, Resumed


@dataclass
class Pull:
    """A fake pull of ten tickets, one per second."""

    root: Path
    on_written: OnWritten
    name: str = "Pull DEMO"

    async def execute(self, context: JobContext) -> None:
        context.report(current=0, message="Connecting to Jira...")
        await trio.sleep(1)
        done = 0
        try:
            for done in range(1, 11):
                await trio.sleep(1)
                ticket = Ticket(title=f"Number {done}", key=f"DEMO-{done}")
                (self.root / f"DEMO-{done}.md").write_text(render([ticket]))
                self.on_written([(ticket, f"DEMO-{done}.md")])
                context.report(current=done, total=10, message="Pulling tickets")
        except trio.Cancelled:
            context.report(current=done, message=f"Cancelled: {done - 1}/10 tickets pulled")
            raise
        context.report(current=10, message="Pull complete: 10 tickets")


@dataclass
class Run:
    """A running app."""

    app: App
    screen: FakeScreen
    queue: JobQueue
    left: trio.Event = field(default_factory=trio.Event)


@asynccontextmanager
async def running(
    root: Path, screen: FakeScreen | None = None, *, pull: bool = False
) -> AsyncGenerator[Run]:
    screen = FakeScreen() if screen is None else screen
    async with open_job_queue(workers=2) as queue:
        workspace = OpenWorkspace(
            "work", Store(root, ".ticketr"), lambda _, on_written: Pull(root, on_written)
        )
        app = App(screen, queue, (workspace,), theme=Theme(), in_thread=inline)
        run = Run(app, screen, queue)

        async def until_left() -> None:
            await app.run(pull=pull)
            run.left.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_left)
            await trio.testing.wait_all_tasks_blocked()
            yield run
            nursery.cancel_scope.cancel()
        await queue.shutdown(grace=0)


async def settle() -> None:
    """Let everything happen that needs no time, and draw one frame."""
    await trio.testing.wait_all_tasks_blocked()
    await trio.sleep(FRAME_INTERVAL * 2)


async def test_an_empty_folder_says_what_to_press(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        await settle()

        assert "work" in run.screen.rows[0]
        assert " No tickets here yet. Press P to pull" in run.screen.text


async def test_the_tickets_of_the_folder_are_shown(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    tickets = [Ticket(title="A", key="DEMO-2"), Ticket(title="B", key="DEMO-1")]
    (tmp_path / "all.md").write_text(render(tickets))

    async with running(tmp_path) as run:
        await settle()

        assert "DEMO-1" in run.screen.rows[2]
        assert "DEMO-2" in run.screen.rows[3]


@pytest.mark.parametrize("event", [Key("r"), Resumed(), Focused()])
async def test_an_edit_of_another_program_is_shown_when_asked_for_and_after_a_suspend(
    event: Key | Resumed | Focused, tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket(title="Old", key="DEMO-1")]))

    async with running(tmp_path) as run:
        await settle()
        (tmp_path / "a.md").write_text(render([Ticket(title="New", key="DEMO-1")]))
        run.screen.tell(event)
        await settle()

        assert "New" in run.screen.rows[2]
        assert run.screen.redraws == isinstance(event, Resumed)


async def test_a_broken_file_is_reported_and_the_rest_is_shown(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text("#TICKET: x\n")
    (tmp_path / "b.md").write_text(render([Ticket(title="B", key="DEMO-1")]))

    async with running(tmp_path) as run:
        await settle()

        assert "left out: a.md:1:1" in run.screen.text
        assert "DEMO-1" in run.screen.text


async def test_a_pull_fills_the_list_while_it_runs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        run.screen.press("P")
        await trio.sleep(4.5)

        assert "DEMO-3" in run.screen.rows[4]
        assert "30% (3/10) Pulling tickets" in run.screen.rows[-1]
        await trio.sleep(8)
        assert "Pull complete: 10 tickets" in run.screen.rows[-1]


async def test_escape_cancels_at_once_and_the_count_stays_on_the_screen(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        run.screen.press("P")
        await trio.sleep(4.5)
        pressed = trio.current_time()
        run.screen.press("KEY_ESCAPE")
        await settle()

        first = next(
            time for time, rows in run.screen.frames if any("Cancelled: 3/10" in r for r in rows)
        )
        assert first == pytest.approx(pressed, abs=FRAME_INTERVAL)
        assert [job.status for job in run.queue.jobs()] == [JobStatus.CANCELLED]
        await trio.sleep(60)
        assert "Cancelled: 3/10 tickets pulled" in run.screen.rows[-1]


async def test_escape_right_after_the_key_of_a_pull_cancels_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        await settle()
        run.screen.press("P", "KEY_ESCAPE")  # no checkpoint is between them
        await settle()

        assert [job.status for job in run.queue.jobs()] == [JobStatus.CANCELLED]
        assert run.screen.rows[-1] == "⊘ Cancelled · P goes on | 0s"
        assert "does nothing here" not in run.screen.text


async def test_every_message_of_a_burst_is_handled(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"message {number}" for number in range(2 * MESSAGES_PER_CHECKPOINT + 7)]
    async with running(tmp_path) as run:
        await settle()
        for each in words:
            run.app._send.send_nowait(Told(each))
        await settle()
        assert run.app.state.log == tuple(words)

        monkeypatch.setattr("ticketr.app.tui.app.SECONDS_PER_CHECKPOINT", 0.0)
        run.app._send.send_nowait(Told("one"))
        run.app._send.send_nowait(Told("more"))
        await settle()
        assert run.app.state.log == (*words, "one", "more")


async def test_pasted_text_on_the_main_screen_is_refused_with_a_word(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        await settle()
        run.screen.tell(Paste("P"))
        run.screen.press("P")  # within the time for the rest of typed words
        await settle()

        assert run.screen.rows[-2] == " Pasted text does nothing here; ? lists the keys"
        assert run.queue.jobs() == []


async def test_a_second_pull_waits_for_the_first(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, pull=True) as run:
        await trio.sleep(2)
        run.screen.press("KEY_F2")
        await settle()

        assert run.screen.rows[-1].endswith("+1 J")
        assert [job.status for job in run.queue.jobs()] == [JobStatus.RUNNING, JobStatus.PENDING]


async def test_a_third_pull_is_not_queued(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path) as run:
        await settle()
        run.screen.press("P", "P", "P")
        await settle()

        assert "A pull of work waits already" in run.screen.text
        assert len(run.queue.jobs()) == 2


async def test_a_pull_of_some_tickets_does_not_stand_for_one_of_all(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, pull=True) as run:
        await settle()
        for keys in (("DEMO-1", "DEMO-2"), ("DEMO-2",), ("DEMO-3",), (), ("DEMO-4",), ()):
            start = StartJob("work", JobRequest(JobKind.PULL, keys=keys))
            start_job(run.app._services, start)

        waiting = run.queue.jobs(status=JobStatus.PENDING)
        assert [sorted(each.tags)[1:-1] for each in waiting] == [
            ["ticket:DEMO-1", "ticket:DEMO-2"],
            ["ticket:DEMO-3"],
            [],
        ]


async def test_keys_typed_before_the_first_frame_are_dropped(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    screen = FakeScreen()
    screen.press("P", "q")
    async with running(tmp_path, screen) as run:
        await settle()

        assert (screen.dropped, run.queue.jobs()) == (2, [])
        assert not run.left.is_set()


async def test_an_escape_that_would_cancel_a_job_is_held_longer(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, pull=True) as run:
        await trio.sleep(2)
        assert run.screen.held == CAREFUL_ESCAPE
        run.screen.press("?")
        await settle()
        assert run.screen.held is None


async def test_the_editor_gets_the_terminal_and_the_file_is_read_again(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket(title="Old", key="DEMO-1")]))
    monkeypatch.setenv("EDITOR", "sed -i s/Old/New/ --")
    async with running(tmp_path) as run:
        await settle()
        run.screen.press("e")
        while "New" not in run.screen.text:
            await settle()

        assert run.screen.handovers == 1


async def test_a_key_is_drawn_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    tickets = [Ticket(title="T", key=f"DEMO-{n}") for n in range(1, 6)]
    (tmp_path / "all.md").write_text(render(tickets))

    async with running(tmp_path, pull=True) as run:
        await trio.sleep(1.37)
        run.screen.press("j")
        await trio.testing.wait_all_tasks_blocked()

        time, _ = run.screen.frames[-1]
        assert time == trio.current_time()
        assert run.screen.rows[3].startswith("▌    DEMO-2")


async def test_progress_is_drawn_15_times_a_second_at_most(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async def busy(context: JobContext) -> None:
        for number in range(1000):
            await trio.sleep(0.01)
            context.report(current=number, total=1000, message="Busy")

    async with running(tmp_path) as run:
        await settle()
        before = len(run.screen.frames)
        await run.queue.submit(busy)
        await trio.sleep(10)

        assert len(run.screen.frames) - before == pytest.approx(150, abs=8)


async def test_an_idle_app_draws_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path) as run:
        await settle()
        before = len(run.screen.frames)

        await trio.sleep(3600)

        assert len(run.screen.frames) == before


async def test_a_ticket_is_opened_read_and_left(tmp_path: Path, autojump_clock: MockClock) -> None:
    task = Ticket(title="Part", key="DEMO-2", description="Of the whole.")
    whole = Ticket(title="Whole", key="DEMO-1", description="Some words.", tasks=(task,))
    (tmp_path / "a.md").write_text(render([whole]))

    async with running(tmp_path) as run:
        await settle()
        run.screen.press("KEY_ENTER")
        await settle()
        assert "Some words." in run.screen.text

        run.screen.press("KEY_ESCAPE", "j")
        await settle()
        assert "Of the whole." in run.screen.text
        assert "Some words." not in run.screen.text


async def test_an_open_ticket_shows_what_is_in_its_file_now(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "a.md"
    path.write_text(render([Ticket(title="T", key="DEMO-1", description="Old words.")]))

    async with running(tmp_path) as run:
        await settle()
        run.screen.press("KEY_ENTER")
        await settle()
        path.write_text(render([Ticket(title="T", key="DEMO-1", description="New words.")]))
        run.screen.press("r")
        await settle()
        assert "New words." in run.screen.text

        path.write_text("# TICKET: [DEMO-1] T\n<<<<<<< HEAD\n")
        run.screen.press("r")
        await settle()
        assert "a.md:2:1" in run.screen.text


async def test_help_shows_every_key_and_escape_closes_it_without_cancelling(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, FakeScreen(80, 30), pull=True) as run:
        await trio.sleep(2)
        run.screen.press("?")
        await settle()
        assert "pull from Jira" in run.screen.text
        run.screen.press("KEY_ESCAPE")
        await settle()

        assert "Keys of" not in run.screen.text
        assert [job.status for job in run.queue.jobs()] == [JobStatus.RUNNING]


@pytest.mark.parametrize("key", ["q", "KEY_F10", "KEY_CTRL_C"])
async def test_these_keys_leave(key: str, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, pull=True) as run:
        run.screen.press(key)
        with trio.fail_after(1):
            await run.left.wait()

        assert run.app.ended_by is None


@pytest.mark.parametrize(
    ("event", "signal_"),
    [
        (Quit(signal.SIGINT), None),
        (Quit(signal.SIGTERM), signal.SIGTERM),
        (Quit(signal.SIGHUP), signal.SIGHUP),
        (HungUp(), signal.SIGHUP),
    ],
)
async def test_a_signal_ends_the_app_and_is_named(
    event: Quit | HungUp, signal_: signal.Signals | None, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        run.screen.tell(event)
        with trio.fail_after(1):
            await run.left.wait()

        assert run.app.ended_by is signal_


async def test_another_size_is_another_frame(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path) as run:
        await settle()
        run.screen.size = (40, 8)
        run.screen.tell(Resize(40, 8))
        await settle()

        assert len(run.screen.rows) == 8
        assert run.screen.redraws == 1


async def test_a_stalled_terminal_does_not_hold_up_a_job(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        await settle()
        run.screen.stalled = trio.Event()
        run.screen.press("P")
        await trio.sleep(11.5)

        assert [job.status for job in run.queue.jobs()] == [JobStatus.COMPLETED]
        run.screen.stalled.set()
        await settle()
        assert "Pull complete: 10 tickets" in run.screen.rows[-1]


async def test_a_spinner_turns_in_the_jobs_only_while_one_runs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, pull=True) as run:
        await trio.sleep(5)
        run.screen.press("J")
        await settle()
        before = len(run.screen.frames)
        await trio.sleep(2)
        assert len(run.screen.frames) - before == pytest.approx(20, abs=4)

        await trio.sleep(10)
        before = len(run.screen.frames)
        await trio.sleep(3600)
        assert len(run.screen.frames) == before
