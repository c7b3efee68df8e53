"""Pull, push and change on a real sandbox: cancelled, cut off, typed by mistake, below changing files."""

from __future__ import annotations

import shutil
import string
from collections.abc import AsyncGenerator, Mapping
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
from ticketr.app.jira.errors import ConnectFailed
from ticketr.app.jira.transport import Request, Response
from ticketr.app.tickets import Ticket, parse, render
from ticketr.app.tui.overlays.base import ENTER_IGNORED_SECONDS
from ticketr.app.tui.services.workspaces import open_workspace
from ticketr.terminal import Paste

#: Seconds that each answer takes.
LATENCY = 1.0


@asynccontextmanager
async def pulled(
    root: Path, latency: float = LATENCY, **changes: Any
) -> AsyncGenerator[tuple[Run, Bench]]:
    """Run the app on a workspace that was pulled once, from a site that now answers slowly."""
    bench = Bench(make_site(tickets=12, seed=1), root)
    await bench.pull()
    bench.latency = latency
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
        await trio.sleep(ENTER_IGNORED_SECONDS)
        assert "DEMO-1" in run.screen.text
        await run.press("KEY_ENTER")

        states = [(job.name, job.status) for job in run.queue.jobs()]
        assert states == [
            ("Pull work", JobStatus.RUNNING),
            ("Check work", JobStatus.CANCELLED),  # of the plan, which Enter has closed
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
        assert "DEMO-2" in run.screen.text


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


async def test_a_conflict_is_settled_and_taken_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work", 0.0) as (run, bench):
        row = run.app.state.selected_row
        assert row is not None
        key = row.key
        bench.retitles(key, "Mine")
        bench.site.edit(key, summary="Of Jira")
        await run.press("P")
        await ended(run)

        await run.press("c")
        await run.settle()
        await run.press("KEY_RIGHT")
        await trio.sleep(ENTER_IGNORED_SECONDS)
        await run.press("KEY_ENTER")
        await run.settle()

        assert run.app.state.notice.startswith(f"{key} is resolved; the text that it had is in ")
        assert "] Of Jira" in bench.files()[row.path]
        await run.press("u")
        await trio.sleep(ENTER_IGNORED_SECONDS)
        await run.press("KEY_ENTER")
        await run.settle()
        assert run.app.state.notice.startswith(f"{key} is as it was")
        assert "] Mine" in bench.files()[row.path]


async def test_chosen_tickets_are_deleted_by_a_job_after_their_number_was_typed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    async with running_app((open_workspace("work", bench.options()),)) as run:
        row = run.app.state.selected_row
        assert row is not None
        ticket = parse((bench.root / row.path).read_text()).tickets[0]
        count = ticket.count_issues()
        await run.press(" ", "b", *"delete", "KEY_ENTER")
        await trio.sleep(2)
        assert bench.writes == []
        await run.press("KEY_ENTER")
        assert (
            f"type {count} to delete {count} ticket{'s' * (count != 1)} for ever:"
            in run.screen.text
        )
        await run.press(*str(count), "KEY_ENTER")
        await trio.sleep(10)

        (ended,) = run.queue.jobs()
        assert ended.status is JobStatus.COMPLETED
        assert ended.name == "Change 1 ticket"
        assert run.screen.rows[-1].startswith(
            "✓ Deleted 1 ticket · ticketr pull --prune moves the files away"
        )
    assert len(list(bench.site)) == 12 - count
    assert bench.writes == ["POST bulk/issues/delete"]


async def test_esc_cancels_it_and_says_how_many_may_be_changed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    bench.latency = 5.0
    async with running_app((open_workspace("work", bench.options()),)) as run:
        row = run.app.state.selected_row
        assert row is not None
        count = parse((bench.root / row.path).read_text()).tickets[0].count_issues()
        await run.press(" ", "b", *"delete", "KEY_ENTER")
        await trio.sleep(6)
        await run.press("KEY_ENTER", *str(count), "KEY_ENTER")
        while not bench.writes:  # noqa: ASYNC110 - a virtual clock
            await trio.sleep(1)
        await run.press("KEY_ESCAPE")
        await trio.sleep(20)

        (ended,) = run.queue.jobs()
        assert ended.status is JobStatus.CANCELLED
        assert run.screen.rows[-1].startswith("⊘ Cancelled: 0/1 tickets deleted, 1 may be")
        await run.press("J", "R")
        assert "A change in Jira is not run again unseen; b asks again" in run.screen.text


async def test_two_keys_assign_a_ticket_to_the_user_and_letters_find_what_jira_lists(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    async with running_app((open_workspace("work", bench.options()),)) as run:
        row = run.app.state.selected_row
        assert row is not None

        def fields() -> Mapping[str, str]:
            return parse((bench.root / row.path).read_text()).tickets[0].fields

        await run.press("i", "KEY_ENTER")
        await trio.sleep(2)
        assert fields()["Assignee"] == "Demo User"
        await run.press("i")
        await trio.sleep(2)
        await run.press(*"tomas", "KEY_ENTER")  # nobody here is assigned to him
        await trio.sleep(2)
        assert fields()["Assignee"] == "Tomás O’Brien"
        await run.press("!")
        await trio.sleep(2)
        await run.press(*"lowest", "KEY_ENTER")
        await trio.sleep(2)
        assert fields()["Priority"] == "Lowest"
        await run.press("t", *"prog")  # typed before Jira has answered
        await trio.sleep(2)
        await run.press("KEY_ENTER")
        await trio.sleep(2)
        assert fields()["Status"] == "In Progress"
        assert bench.writes == []


async def test_a_file_is_attached_and_work_is_logged_after_a_word(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await bench.pull()
    shot = tmp_path / "my shot.png"
    shot.write_bytes(b"x" * 1500)
    async with running_app((open_workspace("work", bench.options()),)) as run:
        row = run.app.state.selected_row
        assert row is not None
        await run.press("F", *f"'{shot}'no", "KEY_ENTER")
        await trio.sleep(1)
        assert "there is no file" in run.screen.text
        await run.press("KEY_BACKSPACE", "KEY_BACKSPACE", "KEY_ENTER")
        await trio.sleep(1)
        assert "my shot.png (1.5 kB) is sent to Jira at once" in " ".join(run.screen.text.split())
        assert bench.writes == []
        await run.press("KEY_ENTER")
        await trio.sleep(10)
        assert f"issue/{row.key}/attachments" in str(bench.writes)

        await run.press("w", *"2h wrote the tests", "KEY_ENTER")
        await trio.sleep(1)
        assert "worklog" not in str(bench.writes)
        await run.press("KEY_ENTER")
        await trio.sleep(10)
        assert f"issue/{row.key}/worklog" in str(bench.writes)
        ended = run.queue.jobs()
        assert [job.status for job in ended] == [JobStatus.COMPLETED] * 2
        assert [job.name for job in ended] == [
            f"Attach files to {row.key}",
            f"Log work on {row.key}",
        ]


TICKETS = 12


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
    async with pulled(root, 0.0) as (run, bench):
        before = bench.files()
        await run.press("p")
        shutil.rmtree(root)
        await run.press("KEY_ESCAPE", "r")

        gone = f"the folder {root} is gone"
        assert gone[:30] in run.screen.rows[2]
        assert run.app.state.notice == f"work: {gone}"
        await run.press("e", "t", "d", "p", "KEY_ESCAPE", "u", "KEY_ESCAPE", "P")
        assert run.app.state.notice == f"{gone}; r reads it again"
        assert not root.exists()
        root.mkdir()
        await run.press("r", "P")
        assert await job(run) is JobStatus.COMPLETED
        assert bench.files() == before
        assert run.app.state.workspace.rows.issue_and_draft_count == TICKETS
        assert run.app.state.workspace.opening_problem == ""


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
        assert run.screen.rows[-1].startswith("! DEMO-1 is in DEMO-1.md and in")


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
        (b"", "Reading the files again"),
        (None, "Reading the files again"),
    ],
    ids=["garbage", "empty", "deleted"],
)
async def test_what_a_file_lost_is_told_and_the_rest_can_be_pushed(
    content: bytes | None, words: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with pulled(tmp_path / "work") as (run, bench):
        bench.retitles("DEMO-9", "Edited here")
        path = bench.root / "DEMO-1.md"
        path.unlink() if content is None else path.write_bytes(content)
        await run.press("r")

        assert run.app.state.notice.startswith(words)
        await run.press("p")
        await trio.sleep(ENTER_IGNORED_SECONDS)
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

        assert run.app.state.notice == "Reading the files again"
        assert run.app.state.workspace.edited_keys == frozenset()


async def test_a_folder_with_spaces_new_lines_and_other_scripts_in_its_path_is_worked_in(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    parent = tmp_path / "two words\nand a line"
    parent.mkdir()
    async with pulled(parent / "größe 陈 \u202eevil") as (run, bench):
        bench.retitles("DEMO-9", "Edited here")
        await run.press("r", "p")
        await trio.sleep(ENTER_IGNORED_SECONDS)
        await run.press("KEY_ENTER")
        assert await job(run) is JobStatus.COMPLETED
        assert bench.finds("DEMO-9").summary == "Edited here"
        bench.site.edit("DEMO-1", summary="From Jira")
        await run.press("P")
        assert await job(run) is JobStatus.COMPLETED
        assert "\u202e" not in run.screen.text


DRAFTS = 30
KEYS = [key for key in string.printable if key.isprintable() and key != "q"]
WORDS = ["/spam", "push", "sync", ":push", "ppp", "sss", "P p", "uuu", "c", "fall"]


@asynccontextmanager
async def unpushed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Run, Bench]]:
    """Run the app on a workspace with an edited ticket and 30 drafts.

    At the end, Jira must have got no write, and each file must be as before, byte for byte.
    """
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("BROWSER", "true")
    bench = Bench(make_site(tickets=12, seed=1), root)
    await bench.pull()
    bench.retitles("DEMO-1", "Edited here")
    for number in range(DRAFTS):
        (root / f"draft-{number}.md").write_text(render([Ticket(title=f"Draft {number}")]))
    before = bench.files()
    async with running_app((open_workspace("work", bench.options()),)) as run:
        await run.settle()
        assert "1 edited" in run.screen.rows[0]
        assert f"{DRAFTS} drafts" in run.screen.rows[0]
        yield run, bench
    assert bench.writes == []
    assert bench.files() == before


async def home(run: Run) -> None:
    """Wait until nothing runs, and go back to the main screen."""
    while run.queue.statistics().running:
        await run.settle()
    await trio.sleep(1)
    for _ in range(5):
        if run.app.state.overlays:
            await run.press("KEY_ESCAPE")
    assert not run.app.state.overlays


@pytest.mark.unmeasured
async def test_no_key_pressed_twice_writes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for key in KEYS:
            await run.type(key * 2)
            await home(run)
            assert bench.writes == [], key
        assert not run.left.is_set()


@pytest.mark.parametrize("typed", ["qq", "quit?"])
async def test_q_leaves_and_what_follows_it_writes_nothing(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, _):
        run.screen.press(*typed)
        with trio.fail_after(1):
            await run.left.wait()


@pytest.mark.parametrize("ends", [[], ["KEY_ENTER"] * 3], ids=["", "enter"])
async def test_no_typed_word_writes_anything(
    ends: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for word in WORDS:
            run.screen.press(*word, *ends)
            await home(run)
            assert bench.writes == [], word


@pytest.mark.unmeasured
@pytest.mark.parametrize("gap", [0.05, 0.12, 0.15, 0.2, 0.25])
async def test_no_word_typed_at_the_speed_of_people_writes_anything(
    gap: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for word in (*WORDS, "p", "s", "u"):
            for key in (*word, "KEY_ENTER"):
                run.screen.press(key)
                await trio.sleep(gap)
            await home(run)
            assert bench.writes == [], word


@pytest.mark.unmeasured
@pytest.mark.parametrize("opened", ["", "/", "f", ":", "p", "s", "J", "u", "t"])
async def test_no_paste_of_lines_writes_anything(
    opened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with unpushed(tmp_path / "work", monkeypatch) as (run, bench):
        for lines in ("push\n\n\n", "\n\np\n\n", "q\ns\n\n", "show what a push would write\n\n"):
            await run.press(*opened)
            await trio.sleep(1)
            before = len(run.app.state.overlays)
            run.screen.tell(Paste(lines))
            await run.settle()
            assert len(run.app.state.overlays) == before
            await home(run)
            assert bench.writes == [], lines
        assert not run.left.is_set()
