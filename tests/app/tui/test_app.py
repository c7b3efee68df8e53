"""Test the app on a virtual clock: exact frames at exact times, and several workspaces."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from fakes.apps import Run, running_app, workspace
from fakes.states import FakeScreen
from trio.testing import MockClock

from ticketr import JobContext, JobStatus
from ticketr._errors import TicketrError
from ticketr.app.sync import Store
from ticketr.app.sync.session import OnTicketsWritten
from ticketr.app.tickets import Comment, Ticket, parse, render
from ticketr.app.tui.app import MESSAGES_PER_CHECKPOINT, SECONDS_PER_FRAME
from ticketr.app.tui.effects import JobKind, JobRequest
from ticketr.app.tui.messages import Message, Notice
from ticketr.app.tui.services.jobs import start_job
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace, WorkspaceRegistry
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.update import update
from ticketr.terminal import FocusGained, HungUp, Key, Paste, QuitSignal, Resumed


@dataclass
class Pull:
    """A fake pull of ten tickets, one per second."""

    root: Path
    on_written: OnTicketsWritten
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
            with trio.CancelScope(shield=True):  # until its files are closed
                await trio.sleep(1)
            raise
        context.report(current=10, message="Pull complete: 10 tickets")


@asynccontextmanager
async def running(
    root: Path, screen: FakeScreen | None = None, *, pull: bool = False, comments: bool = False
) -> AsyncGenerator[Run]:
    workspace = OpenWorkspace(
        "work",
        Store(root, ".ticketr"),
        lambda _, on_written: Pull(root, on_written),
        keeps_comments=comments,
    )
    async with running_app((workspace,), screen=screen or FakeScreen(), pull=pull) as run:
        yield run


async def settle() -> None:
    """Let everything happen that needs no time, and draw one frame."""
    await trio.testing.wait_all_tasks_blocked()
    await trio.sleep(SECONDS_PER_FRAME * 2)


async def test_an_empty_folder_says_what_to_press(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path) as run:
        await settle()

        assert "work" in run.screen.rows[0]
        assert " No tickets here yet. Press P to pull" in run.screen.text


@pytest.mark.parametrize("event", [Key("r"), Resumed(), FocusGained()])
async def test_an_edit_of_another_program_is_shown_when_asked_for_and_after_a_suspend(
    event: Key | Resumed | FocusGained, tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket(title="Old", key="DEMO-1")]))

    async with running(tmp_path) as run:
        await settle()
        (tmp_path / "a.md").write_text(render([Ticket(title="New", key="DEMO-1")]))
        run.screen.tell(event)
        await settle()

        assert "New" in run.screen.rows[2]
        assert run.screen.redraws == isinstance(event, Resumed)


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
        assert first == pressed
        assert [job.status for job in run.queue.jobs()] == [JobStatus.RUNNING]
        await trio.sleep(60)
        assert [job.status for job in run.queue.jobs()] == [JobStatus.CANCELLED]
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
    notices: list[str] = []

    def noted(state: AppState, message: Message, now: float) -> Step:
        step = update(state, message, now)
        notices.append(step[0].notice)
        return step

    monkeypatch.setattr("ticketr.app.tui.app.update", noted)
    async with running(tmp_path) as run:
        await settle()
        notices.clear()
        for each in words:
            run.app._send.send_nowait(Notice(each))
        await settle()
        assert notices == words

        monkeypatch.setattr("ticketr.app.tui.app.SECONDS_PER_CHECKPOINT", 0.0)
        run.app._send.send_nowait(Notice("one"))
        run.app._send.send_nowait(Notice("more"))
        await settle()
        assert notices == [*words, "one", "more"]


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
        run.screen.press("P")
        await settle()

        assert run.screen.rows[-1].endswith("+1 J")
        assert [job.status for job in run.queue.jobs()] == [JobStatus.RUNNING, JobStatus.PENDING]


async def test_a_pull_of_some_tickets_does_not_stand_for_one_of_all(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, pull=True) as run:
        await settle()
        for keys in (("DEMO-1", "DEMO-2"), ("DEMO-2",), ("DEMO-3",), (), ("DEMO-4",), ()):
            start_job(run.app._services, "work", JobRequest(JobKind.PULL, keys))

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


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("printf '\\n- one\\n- two\\n' >>", "a.md holds the comment"),
        ("truncate -s 0", "The comment is empty; nothing was added"),
        ("rm -f", "The comment is empty; nothing was added"),
        ("false", "the editor false"),
        ("no-such-editor", "cannot start no-such-editor"),
    ],
)
async def test_a_comment_is_written_in_the_editor(
    script: str,
    words: str,
    tmp_path: Path,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket(title="Old", key="DEMO-1")]))
    editor = tmp_path.parent / f"{tmp_path.name}-editor"
    editor.write_text(f'#!/bin/sh\n{script} "$1"\n')
    editor.chmod(0o755)
    is_script = " " in script
    monkeypatch.setenv("EDITOR", str(editor) if is_script else script)
    drafts = tmp_path.parent / f"{tmp_path.name}-drafts"
    drafts.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(drafts))
    async with running(tmp_path, comments=True) as run:
        await settle()
        run.screen.press("m", *"So:", "KEY_CTRL_O")
        while words not in run.screen.text:
            await settle()

        comments = parse((tmp_path / "a.md").read_text()).tickets[0].comments
        written = [Comment("So:\n- one\n- two")] if "printf" in script else []
        assert [*comments] == written
        assert ("comment: So:" in run.screen.text) == (not is_script)
        assert list(drafts.iterdir()) == []


async def test_a_comment_that_cannot_be_handed_to_the_editor_comes_back(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text(render([Ticket(title="Old", key="DEMO-1")]))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    async with running(tmp_path, comments=True) as run:
        await settle()
        run.screen.press("m", *"So:", "KEY_CTRL_O")
        while "No such file or directory" not in run.screen.text:
            await settle()

        assert "comment: So:" in run.screen.text


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
        assert "Keys of the ticket list" in run.screen.text
        run.screen.press("KEY_PGDOWN")
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
        (QuitSignal(signal.SIGINT), None),
        (QuitSignal(signal.SIGTERM), signal.SIGTERM),
        (QuitSignal(signal.SIGHUP), signal.SIGHUP),
        (HungUp(), signal.SIGHUP),
    ],
)
async def test_a_signal_ends_the_app_and_is_named(
    event: QuitSignal | HungUp,
    signal_: signal.Signals | None,
    tmp_path: Path,
    autojump_clock: MockClock,
) -> None:
    async with running(tmp_path) as run:
        run.screen.tell(event)
        with trio.fail_after(1):
            await run.left.wait()

        assert run.app.ended_by is signal_


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


TICKET = "# TICKET: [DEMO-1] Search\n"


class Gone(TicketrError):
    def __str__(self) -> str:
        return "the folder is gone; bring\x1b[2J it back"


@dataclass
class Opener:
    """Opens a workspace after a second, and counts how often it was asked."""

    opened: OpenWorkspace
    error: Exception | None = None
    count: int = 0

    async def open(self) -> OpenWorkspace:
        self.count += 1
        await trio.sleep(1)
        if self.error is not None:
            raise self.error
        return self.opened


def closed(root: Path, error: Exception | None = None) -> tuple[ClosedWorkspace, Opener]:
    opener = Opener(workspace(root), error)
    return ClosedWorkspace(root.name, opener.open, "jira.example"), opener


async def test_another_workspace_is_opened_when_it_is_selected(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    (tmp_path / "shop" / "DEMO-1.md").write_text(TICKET)
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await trio.sleep(60)
        assert opener.count == 0
        assert run.screen.rows[3].split() == ["shop", "│"]

        await run.press("1", "j")
        await trio.sleep(2)

        assert opener.count == 1
        assert run.screen.rows[3].split()[:4] == ["▸", "shop", "DEMO", "1"]
        assert "DEMO-1" in run.screen.rows[5]


async def test_a_workspace_that_cannot_be_opened_says_why_and_is_tried_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j")
        await trio.sleep(2)
        words = "the folder is gone; bring it back"
        assert run.screen.rows[5].startswith(f" {words}")
        assert f"shop: {words}" in run.screen.text
        assert "cannot be opened" in run.screen.rows[3]

        opener.error = None
        await run.press("r")
        await trio.sleep(2)

        assert opener.count == 2
        assert "No tickets here yet" in run.screen.rows[5]
        assert "cannot be opened" not in run.screen.text


async def test_a_plan_of_a_workspace_that_cannot_be_opened_is_closed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, _ = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "p")
        assert "Looking for edits" in run.screen.text
        await trio.sleep(3)

        assert run.app.state.overlays == ()
        assert "shop: the folder is gone" in run.screen.text


async def test_it_is_opened_once_however_much_is_asked_of_it_meanwhile(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "P", "r")
        await trio.sleep(2)

        assert opener.count == 1
        assert [each.name for each in run.queue.jobs()] == ["Pull shop"]


async def test_esc_closes_the_plan_of_a_workspace_that_is_opened_and_nothing_comes_of_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, opener = closed(tmp_path / "shop")
    (tmp_path / "shop" / "new.md").write_text("# TICKET: New\n")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "p", "KEY_ENTER", "KEY_ESCAPE")
        assert run.app.state.overlays == ()
        await trio.sleep(5)
        await run.press("KEY_ENTER")

        assert (opener.count, run.queue.jobs(), run.app.state.overlays) == (1, [], ())


async def test_a_query_of_a_workspace_that_cannot_be_opened_is_not_asked_of_another_one(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, _ = closed(tmp_path / "shop", Gone())
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "2", "f", *"jql: x", "KEY_ENTER", "KEY_ESCAPE", "1", "k")
        assert run.app.state.workspace.name == "work"
        await trio.sleep(3)

        assert run.app.state.overlays == ()
        assert "shop cannot be opened: jql: x" in run.screen.text


async def test_two_workspaces_are_pulled_side_by_side_and_one_never_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    both = workspace(tmp_path / "work"), workspace(tmp_path / "shop")
    async with running_app(both) as run:
        await run.press("P", "1", "j", "P")
        running = run.queue.jobs(status=JobStatus.RUNNING)
        assert [each.name for each in running] == ["Pull work", "Pull shop"]

        await run.press("P")
        assert run.queue.statistics().pending == 1
        await trio.sleep(12)

        assert [each.name for each in run.queue.jobs(status=JobStatus.RUNNING)] == ["Pull shop"]
        assert run.queue.statistics().completed == 2


async def test_leaving_while_a_workspace_is_opened_ends_the_app(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    other, _ = closed(tmp_path / "shop")
    async with running_app((workspace(tmp_path / "work"), other)) as run:
        await run.press("1", "j", "q")

        with trio.fail_after(0.5):
            await run.left.wait()


@pytest.fixture
def sent() -> list[Message]:
    return []


def opened(sent: list[Message], *each: OpenWorkspace | ClosedWorkspace) -> WorkspaceRegistry:
    class NoReader:
        async def read_and_compare(self) -> None:
            await trio.lowlevel.checkpoint()

    return WorkspaceRegistry(each, lambda _: NoReader(), sent.append)


def test_a_new_workspace_gets_a_name_that_no_other_one_has(
    tmp_path: Path, sent: list[Message]
) -> None:
    other, _ = closed(tmp_path / "demo-2")
    both = opened(sent, workspace(tmp_path / "demo"), other)

    assert both.add_or_replace(workspace(tmp_path / "new", "demo")) == "demo-3"
    assert both.by_name["demo-3"].store.root == tmp_path / "new"
    assert set(both.readers) == {"demo", "demo-3"}


def test_a_workspace_in_the_same_folder_takes_the_place_of_the_one_before(
    tmp_path: Path, sent: list[Message]
) -> None:
    both = opened(sent, workspace(tmp_path / "work"))
    again = workspace(tmp_path / "work", "other")

    assert both.add_or_replace(again) == "work"
    assert both.by_name["work"].make_job is again.make_job
