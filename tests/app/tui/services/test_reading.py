"""Test reading a folder: in batches, only what has changed, and the open ticket; in virtual time."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import pytest
import trio
import trio.testing
from fakes.apps import services
from fakes.pulls import Bench, inline
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.config.state_folder import LIST_VIEW_FILE
from ticketr.app.sync import Store, Template
from ticketr.app.tickets import Ticket, render
from ticketr.app.tickets.filter import FieldTerm
from ticketr.app.tui import messages
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.messages import (
    FilesRead,
    Message,
    Notice,
    SavedListViewRead,
    SomeTicketRowsRead,
)
from ticketr.app.tui.panels.detail import detail_lines
from ticketr.app.tui.services import files
from ticketr.app.tui.services.files import (
    LIST_CACHE_FILE,
    RACY_NANOSECONDS,
    FileCache,
    read_detail,
    read_issue_sheet,
)
from ticketr.app.tui.services.reading import FILES_PER_BATCH, Reader

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BROKEN = "# TICKET: A\n<<<<<<< HEAD\n"


async def slow(sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False) -> T:
    """Run blocking work that takes a second."""
    await trio.sleep(1)
    return sync_fn(*args)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


def write(root: Path, number: int) -> None:
    ticket = Ticket(title=f"Number {number}", key=f"DEMO-{number}")
    (root / f"DEMO-{number}.md").write_text(render([ticket]))


def retitle(root: Path, key: str) -> None:
    path = root / f"{key}.md"
    _, rest = path.read_text().split("\n", 1)
    path.write_text(f"# TICKET: [{key}] Mine\n{rest}")


def read(told: list[Message]) -> FilesRead:
    (found,) = (each for each in told if isinstance(each, FilesRead))
    return found


async def test_rows_are_sent_as_they_are_read_and_then_all_together(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, 2 * FILES_PER_BATCH + 2):
        write(tmp_path, number)
    told: list[Message] = []

    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read_and_compare()

    *portions, whole = told
    sizes = [len(each.tickets) for each in portions if isinstance(each, SomeTicketRowsRead)]
    assert sizes == [FILES_PER_BATCH, FILES_PER_BATCH, 1]
    assert whole == read(told)
    assert [row.key for row in read(told).rows] == [
        f"DEMO-{n}" for n in range(1, 2 * FILES_PER_BATCH + 2)
    ]


async def test_a_broken_file_costs_no_other_its_mark(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    retitle(bench.root, "DEMO-1")
    (bench.root / "A.md").write_text(BROKEN)
    (bench.root / "b.md").write_text(render([Ticket(title="Again", key="DEMO-2")]))
    told: list[Message] = []

    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read_and_compare()

    assert read(told).edited_keys == {"DEMO-1"}
    first, second = read(told).broken_file_errors
    assert first.startswith("A.md:2:1: ")
    assert second == "DEMO-2 is in DEMO-2.md and in b.md; keep one of them"
    assert [row.title_or_error for row in read(told).rows if row.is_broken] == [first, second]


async def test_a_last_sync_that_cannot_be_read_is_reported_and_the_tickets_are_shown(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    with closing(sqlite3.connect(bench.root / ".ticketr" / "state.db")) as damage:
        damage.execute("DROP TABLE ticket")
    told: list[Message] = []
    reader = Reader("work", Store(bench.root, ".ticketr"), inline, told.append)

    await reader.read_and_compare()

    assert len(read(told).rows) == 12
    assert isinstance(told[-1], Notice)
    assert "state.db cannot be used: it does not hold what ticketr writes there" in told[-1].text


async def test_to_look_at_a_folder_makes_nothing_in_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "new.md").write_text("# TICKET: New\n")
    told: list[Message] = []

    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read_and_compare()

    assert len(read(told).rows) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new.md"]


async def test_templates_are_read_with_the_tickets(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for name in "feature", "torn":
        path = tmp_path / "templates" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text("# TICKET: {Name}\n" if name == "feature" else "# TICKET:\n")
    told: list[Message] = []

    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read_and_compare()

    feature, torn = read(told).templates.values()
    assert isinstance(feature, Template)
    assert [each.name for each in feature.placeholders] == ["Name"]
    assert isinstance(torn, str)
    assert torn.startswith("templates/torn.md:1:")


async def test_shown_rows_stay_until_all_files_are_read_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    write(tmp_path, 1)
    told: list[Message] = []
    reader = Reader("work", Store(tmp_path, ".ticketr"), inline, told.append)
    await reader.read_and_compare()
    told.clear()

    write(tmp_path, 2)
    await reader.read_and_compare()

    assert told == [read(told)]
    assert [row.key for row in read(told).rows] == ["DEMO-1", "DEMO-2"]


async def test_a_cancel_waits_for_a_few_files_and_closes_the_state(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, 10 * FILES_PER_BATCH + 1):
        write(tmp_path, number)
    told: list[Message] = []

    # A second each: the filter, the stored list, the state, its texts, each batch.
    with trio.move_on_after(6.5):
        await Reader("work", Store(tmp_path, ".ticketr"), slow, told.append).read_and_compare()

    sizes = [len(each.tickets) for each in told if isinstance(each, SomeTicketRowsRead)]
    assert sizes == [FILES_PER_BATCH, FILES_PER_BATCH]
    assert trio.current_time() == 7.5  # one more second, to close the state


async def test_looks_take_turns_and_one_that_waits_is_enough(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    write(tmp_path, 1)
    told: list[Message] = []
    reader = Reader("work", Store(tmp_path, ".ticketr"), slow, told.append)
    rows_after: list[int] = []

    def looks() -> list[FilesRead]:
        return [message for message in told if isinstance(message, FilesRead)]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader.read_and_compare)
        await trio.sleep(5.5)  # it has read the files and is about to join their rows
        write(tmp_path, 2)

        async def read_and_look() -> None:
            await reader.read_and_compare()
            rows_after.append(len(looks()[-1].rows))

        for _ in range(3):
            nursery.start_soon(read_and_look)

    assert [len(look.rows) for look in looks()] == [1, 2]
    assert rows_after == [2, 2, 2]  # a task goes on once its files are read, by whichever task


@pytest.mark.parametrize("text", [None, "# TICKET: [DEMO-2] Another\n"])
def test_a_ticket_that_is_not_there_any_more_has_no_sheet(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "DEMO-1.md").write_text(text)

    sheet = read_issue_sheet(Store(tmp_path, ".ticketr"), "DEMO-1.md", ("DEMO", 1, "DEMO-1.md", 0))

    assert sheet is None or "DEMO-1.md" in sheet.error
    assert (sheet is None) == (text is not None)


async def test_filter_and_sort_come_back_and_nonsense_is_ignored(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    own = tmp_path / ".ticketr"
    own.mkdir()
    remembered = '{"filter": "status=done", "sort": "title", "hidden": ["sprint"]}'
    for content, sort in ((remembered, "title"), ("{", None), ("[" * 60_000, None)):
        (own / LIST_VIEW_FILE).write_text(content)
        told: list[Message] = []
        await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read_and_compare()
        recalled = [each for each in told if isinstance(each, SavedListViewRead)]
        assert [(each.sort, each.hidden_columns) for each in recalled] == (
            [(sort, frozenset({"sprint"}))] if sort else []
        )


async def test_a_filter_for_the_users_tickets_comes_back_with_the_name_of_the_user(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    (bench.root / ".ticketr" / LIST_VIEW_FILE).write_text('{"filter": "@me", "sort": "key"}')
    told: list[Message] = []

    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read_and_compare()

    (recalled,) = [message for message in told if isinstance(message, SavedListViewRead)]
    assert recalled.filter.terms == (FieldTerm("assignee", "demo user", is_whole_value=True),)
    assert read(told).filter_names.app_user_name == "Demo User"
    assert {"Status", "Assignee", "Sprint"} <= read(told).filter_names.fields


async def test_the_clashes_of_a_conflict_are_read_with_the_files(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    retitle(bench.root, "DEMO-1")
    path = bench.root / "DEMO-1.md"
    path.write_text(re.sub("^Labels: .*", "Labels: mine", path.read_text(), flags=re.MULTILINE))
    bench.site.edit("DEMO-1", summary="Theirs", labels=("theirs",))
    await bench.pull()
    told: list[Message] = []

    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read_and_compare()

    assert read(told).conflicts_by_key == {"DEMO-1": ("DEMO-1: Title", "DEMO-1: Labels")}


async def test_the_age_of_the_last_whole_pull_is_read(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Message] = []
    reader = Reader("work", Store(bench.root, ".ticketr"), inline, told.append)
    await bench.pull()
    with closing(sqlite3.connect(bench.root / ".ticketr" / "state.db")) as db:
        ((at,),) = db.execute("SELECT value FROM about WHERE name = 'pulled'")
    for now in (float(at) + 90.0, float(at) - 5.0):  # a clock may have been set
        monkeypatch.setattr("time.time", lambda now=now: now)
        await reader.read_and_compare()
    assert [each.complete_pull_age_seconds for each in told if isinstance(each, FilesRead)] == [
        90.0,
        0.0,
    ]


def later() -> int:
    """Return a time at which what was just written counts as unchanged."""
    return time.time_ns() + 2 * RACY_NANOSECONDS


class App:
    """A run of the app, as far as it reads files.

    Attributes:
        opened: The names of the files that were read, in their order.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str] = []
        self._told: list[Message] = []
        store = Store(root, ".ticketr")
        self._reader = Reader("work", store, inline, self._told.append, FileCache(store, later))
        content = Store.read_bytes

        def counted(store: Store, name: str) -> bytes:
            self.opened.append(name)
            return content(store, name)

        monkeypatch.setattr(Store, "read_bytes", counted)

    async def read(self) -> FilesRead:
        self.opened.clear()
        self._told.clear()
        await self._reader.read_and_compare()
        (found,) = (each for each in self._told if isinstance(each, FilesRead))
        return found


@pytest.fixture
def small_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(files, "MIN_STORED_FILES", 1)
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


def edit(path: Path) -> None:
    """Change a file; its size and the time that programs can set stay."""
    before = path.stat()
    text = path.read_text()
    at = text.index("] ") + 2
    path.write_text(f"{text[:at]}{'x' if text[at] != 'x' else 'y'}{text[at + 1 :]}")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


async def test_a_second_reading_reads_the_files_that_have_changed(
    small_bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await small_bench.pull()
    app = App(small_bench.root, monkeypatch)
    first = await app.read()
    assert sorted(app.opened) == sorted(path.name for path in small_bench.root.glob("*.md"))

    second = await app.read()
    assert app.opened == []
    assert second == first
    assert second.rows is first.rows

    edit(small_bench.root / "DEMO-1.md")
    third = await app.read()
    assert app.opened == ["DEMO-1.md"]
    assert third.edited_keys == {"DEMO-1"}
    assert [row.key for row in third.rows] == [row.key for row in first.rows]
    assert (
        third.rows.all_rows[0].row.title_or_error[1:]
        == first.rows.all_rows[0].row.title_or_error[1:]
    )
    assert third.rows.all_rows[0].row.title_or_error != first.rows.all_rows[0].row.title_or_error


async def test_the_next_start_reads_only_what_has_changed_since(
    small_bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await small_bench.pull()
    (small_bench.root / "notes.md").write_text("No ticket.\n")
    first = await App(small_bench.root, monkeypatch).read()

    app = App(small_bench.root, monkeypatch)
    assert await app.read() == first
    assert app.opened == []

    edit(small_bench.root / "DEMO-1.md")
    (small_bench.root / "draft.md").write_text(render([Ticket(title="Mine")]))
    app = App(small_bench.root, monkeypatch)
    found = await app.read()
    assert app.opened == ["DEMO-1.md", "draft.md"]
    assert found.edited_keys == {"DEMO-1"}
    assert found.rows.draft_count == 1


async def test_a_row_knows_when_jira_last_changed_its_issue_whatever_its_file_says(
    small_bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await small_bench.pull()
    with small_bench.state() as state:
        wanted = {issue.key: issue.updated for issue in state.known_issues_by_id().values()}
    app = App(small_bench.root, monkeypatch)
    assert {row.key: row.candidate.updated for row in (await app.read()).rows} == wanted

    later = "2026-11-30T12:00:00.000+0000"  # a comment, for instance
    with closing(sqlite3.connect(small_bench.root / ".ticketr" / "state.db")) as database:
        database.execute("UPDATE issue SET updated = ? WHERE key = 'DEMO-2'", (later,))
        database.commit()
    rows = (await app.read()).rows
    assert app.opened == []
    assert {row.key: row.candidate.updated for row in rows} == {**wanted, "DEMO-2": later}


CHANGES: dict[str, Callable[[str], str]] = {
    "of another version": lambda text: re.sub(r"\d+\n", "1\n", text, count=1),
    "cut": lambda text: text[:60],
    "other nesting": lambda text: text.replace("[[", "[", 3),
    "numbers for texts": lambda text: re.sub(r'"DEMO-(\d+)"(?!\t)', r"\1", text),
    "no JSON": lambda text: text.replace('"', "", 1),
    "no ASCII": lambda text: f"{text}é",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_stored_list_that_makes_no_sense_is_none(
    small_bench: Bench,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    await small_bench.pull()
    first = await App(small_bench.root, monkeypatch).read()
    stored = small_bench.root / ".ticketr" / LIST_CACHE_FILE
    before = stored.read_text()
    stored.write_text(CHANGES[change](before))
    assert stored.read_text() != before

    assert await App(small_bench.root, monkeypatch).read() == first


ORDER = ("DEMO", 1, "DEMO-1.md", 0)


async def test_an_older_answer_does_not_replace_a_newer_one(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    file = tmp_path / "DEMO-1.md"
    file.write_text("# TICKET: [DEMO-1] Old\n")
    delays = iter((5.0, 1.0))

    async def read_then_wait(
        sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        found = sync_fn(*args)
        await trio.sleep(next(delays))
        return found

    told: list[Message] = []
    used = services(tmp_path, told, in_thread=read_then_wait)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(used.carry_out, call_in("work", read_detail, "DEMO-1.md", ORDER, 40))
        await trio.testing.wait_all_tasks_blocked()
        file.write_text("# TICKET: [DEMO-1] New\n")
        nursery.start_soon(used.carry_out, call_in("work", read_detail, "DEMO-1.md", ORDER, 40))

    (read,) = told
    assert isinstance(read, messages.DetailRead)
    assert read.sheet is not None
    assert read.sheet.title == "New"


async def test_the_lines_of_an_issue_come_with_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "DEMO-1.md").write_text(
        f"# TICKET: [DEMO-1] A\n\n## Description\n{'word ' * 100}\n"
    )
    told: list[Message] = []
    used = services(tmp_path, told)

    await used.carry_out(call_in("work", read_detail, "DEMO-1.md", ORDER, 40))
    (read,) = told
    assert isinstance(read, messages.DetailRead)
    assert read.sheet is not None
    assert (read.wrapped_to_cells, read.wrapped_lines) == (40, detail_lines(read.sheet, 40))


async def test_a_file_that_is_gone_is_said_to_be_but_a_link_to_nothing_is_not(
    tmp_path: Path,
) -> None:
    told: list[Message] = []
    used = services(tmp_path, told)

    await used.carry_out(call_in("work", read_detail, "DEMO-1.md", ORDER, 40))
    (tmp_path / "DEMO-1.md").symlink_to("nowhere.md")  # the list has it as a broken file
    await used.carry_out(call_in("work", read_detail, "DEMO-1.md", ORDER, 40))

    assert [isinstance(each, messages.DetailRead) and each.is_file_gone for each in told] == [
        True,
        False,
    ]


async def test_a_key_in_two_files_is_reported_each_time_and_one_that_has_gone_is_not(
    small_bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await small_bench.pull()
    app = App(small_bench.root, monkeypatch)
    whole = await app.read()
    copy = small_bench.root / "a.md"
    copy.write_text((small_bench.root / "DEMO-1.md").read_text())

    for _ in range(2):
        assert (await app.read()).broken_file_errors == (
            "DEMO-1 is in DEMO-1.md and in a.md; keep one of them",
        )
    copy.unlink()
    assert await app.read() == whole
    (small_bench.root / "DEMO-1.md").unlink()
    assert len((await app.read()).rows) < len(whole.rows)
