"""Test reading a folder in batches: real files, in virtual time."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TypeVar, TypeVarTuple, cast

import pytest
import trio
from fakes.bytecodes import Bytecodes
from fakes.pulls import Bench, inline
from fakes.states import app_state
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.config.list_memory import FILE
from ticketr.app.sync import Store
from ticketr.app.tickets import SORT_NAMES, Ticket, parse_filter, render
from ticketr.app.tui.messages import FilesRead, Message, Recalled, TicketsFound, Told
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.services import seen_files
from ticketr.app.tui.services.files import read_sheet
from ticketr.app.tui.services.reading import FILES, Reader
from ticketr.app.tui.sorting import places
from ticketr.app.tui.tree import _arranged
from ticketr.app.tui.workspace import WorkspaceView

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
    for number in range(1, 2 * FILES + 2):
        write(tmp_path, number)
    told: list[Message] = []

    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read()

    *portions, whole = told
    sizes = [len(each.tickets) for each in portions if isinstance(each, TicketsFound)]
    assert sizes == [FILES, FILES, 1]
    assert whole == read(told)
    assert [row.key for row in read(told).rows] == [f"DEMO-{n}" for n in range(1, 2 * FILES + 2)]


async def test_what_a_pull_has_shown_is_kept_and_filtered_before_it_is_sent(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, 2 * FILES + 2):
        write(tmp_path, number)
    store, told = Store(tmp_path, ".ticketr"), cast("list[Message]", [])
    await Reader("work", store, inline, told.append).read()
    brought = Rows()
    for each in told[:-1]:
        assert isinstance(each, TicketsFound)
        brought = brought.merged(each.tickets)
    view = WorkspaceView("work", rows=brought, filter=parse_filter("status="))
    _ = view.visible
    told.clear()

    await Reader("work", store, inline, told.append, shown=lambda: view).read()
    found = read(told)
    misses = _arranged.cache_info().misses
    shown = view.with_files(found, 0.0).visible

    assert found.rows is brought
    assert _arranged.cache_info().misses == misses
    assert len(shown) == 2 * FILES + 1


async def test_what_was_read_is_sorted_by_each_field_ahead(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, 4):
        write(tmp_path, number)
    told: list[Message] = []
    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read()
    before = places.cache_info().misses

    for name in SORT_NAMES:
        assert len(WorkspaceView("work", rows=read(told).rows, sort=name).visible) == 3

    assert places.cache_info().misses == before


async def test_only_the_part_of_a_list_that_has_changed_is_filtered_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, 5 * FILES):
        write(tmp_path, number)
    store, told = Store(tmp_path, ".ticketr"), cast("list[Message]", [])
    await Reader("work", store, inline, told.append).read()
    view = WorkspaceView("work", rows=read(told).rows, filter=parse_filter("type="))
    _ = view.visible
    (tmp_path / "DEMO-1.md").write_text("# TICKET: [DEMO-1] Another title\n")
    told.clear()
    before = _arranged.cache_info().misses

    await Reader("work", store, inline, told.append, shown=lambda: view).read()

    assert len(view.rows.blocks) > 2
    assert _arranged.cache_info().misses == before + 1


async def test_each_file_is_read_once_for_its_rows_and_its_mark(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    retitle(bench.root, "DEMO-1")
    told: list[Message] = []
    opened = Counter[str]()
    content = Store.content

    def counted(store: Store, name: str) -> bytes:
        opened[name] += 1
        return content(store, name)

    monkeypatch.setattr(Store, "content", counted)
    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read()

    assert opened == Counter(path.name for path in bench.root.glob("*.md"))
    assert read(told).edited == {"DEMO-1"}


async def test_the_system_is_called_six_times_for_each_file(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_files, "CHANGING", 0)
    numbers = range(1, FILES + 1)
    for number in numbers:
        write(tmp_path, number)
    told: list[Message] = []
    called = Counter[str]()

    def count(_frame: FrameType, event: str, function: object) -> None:
        if event == "c_call" and getattr(function, "__module__", "") == "posix":
            called[getattr(function, "__name__", "")] += 1

    sys.setprofile(count)
    try:
        await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read()
    finally:
        sys.setprofile(None)

    six = ("lstat", "stat", "open", "fstat", "read", "close")
    assert {each: called[each] // len(numbers) for each in six} == dict.fromkeys(six, 1)
    for no_call in ("fspath", "_path_splitroot_ex"):  # which only look at a text
        called.pop(no_call, None)
    assert sum(called.values()) < 7 * len(numbers) + FILES


async def test_an_edit_is_sent_with_its_row(bench: Bench, autojump_clock: MockClock) -> None:
    await bench.pull()
    retitle(bench.root, "DEMO-1")
    told: list[Message] = []

    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read()

    assert isinstance(told[0], TicketsFound)
    assert told[0].edited == {"DEMO-1"}


async def test_a_broken_file_costs_no_other_its_mark(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    retitle(bench.root, "DEMO-1")
    (bench.root / "A.md").write_text(BROKEN)
    (bench.root / "b.md").write_text(render([Ticket(title="Again", key="DEMO-2")]))
    told: list[Message] = []

    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read()

    assert read(told).edited == {"DEMO-1"}
    first, second = read(told).broken
    assert first.startswith("A.md:2:1: ")
    assert second == "DEMO-2 is in DEMO-2.md and in b.md; keep one of them"
    assert [row.title for row in read(told).rows if row.is_broken] == [first, second]


async def test_a_last_sync_that_cannot_be_read_is_reported_and_the_tickets_are_shown(
    bench: Bench, autojump_clock: MockClock
) -> None:
    await bench.pull()
    with closing(sqlite3.connect(bench.root / ".ticketr" / "state.db")) as damage:
        damage.execute("DROP TABLE ticket")
    told: list[Message] = []
    reader = Reader("work", Store(bench.root, ".ticketr"), inline, told.append)

    await reader.read()

    assert len(read(told).rows) == 12
    assert isinstance(told[-1], Told)
    assert "state.db cannot be used: it does not hold what ticketr writes there" in told[-1].words


async def test_to_look_at_a_folder_makes_nothing_in_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    (tmp_path / "new.md").write_text("# TICKET: New\n")
    told: list[Message] = []

    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read()

    assert len(read(told).rows) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new.md"]


async def test_shown_rows_stay_until_all_files_are_read_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    write(tmp_path, 1)
    told: list[Message] = []
    reader = Reader("work", Store(tmp_path, ".ticketr"), inline, told.append)
    await reader.read()
    told.clear()

    write(tmp_path, 2)
    await reader.read()

    assert told == [read(told)]
    assert [row.key for row in read(told).rows] == ["DEMO-1", "DEMO-2"]


async def test_a_cancel_waits_for_a_few_files_and_closes_the_state(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, 10 * FILES + 1):
        write(tmp_path, number)
    told: list[Message] = []

    # A second each: the filter, the stored list, the state, its texts, the search, each batch.
    with trio.move_on_after(7.5):
        await Reader("work", Store(tmp_path, ".ticketr"), slow, told.append).read()

    sizes = [len(each.tickets) for each in told if isinstance(each, TicketsFound)]
    assert sizes == [FILES, FILES]
    assert trio.current_time() == 8.5  # one more second, to close the state


async def test_looks_take_turns_and_one_that_waits_is_enough(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    write(tmp_path, 1)
    told: list[Message] = []
    reader = Reader("work", Store(tmp_path, ".ticketr"), slow, told.append)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader.read)
        await trio.sleep(5.5)  # it has found the files and is about to read them
        write(tmp_path, 2)
        for _ in range(3):
            nursery.start_soon(reader.read)

    looks = [each for each in told if isinstance(each, FilesRead)]
    assert [len(look.rows) for look in looks] == [1, 2]


@pytest.mark.parametrize("text", [None, "# TICKET: [DEMO-2] Another\n"])
def test_a_ticket_that_is_not_there_any_more_has_no_sheet(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "DEMO-1.md").write_text(text)

    sheet = read_sheet(Store(tmp_path, ".ticketr"), "DEMO-1.md", ("DEMO", 1, "DEMO-1.md", 0))

    assert sheet is None or "DEMO-1.md" in sheet.error
    assert (sheet is None) == (text is not None)


async def test_a_file_is_read_once_for_the_fields_and_the_edits_of_a_ticket(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    retitle(bench.root, "DEMO-1")
    store = Store(bench.root, ".ticketr")
    read = list[str]()
    content = Store.content

    def counted(store: Store, name: str) -> bytes:
        read.append(name)
        return content(store, name)

    monkeypatch.setattr(Store, "content", counted)
    sheet = read_sheet(store, "DEMO-1.md", ("DEMO", 1, "DEMO-1.md", 0))

    assert sheet is not None
    assert [each.part for each in sheet.edits] == ["Title"]
    assert sheet.edits[0].after == sheet.title == "Mine"
    assert read == ["DEMO-1.md"]


async def test_filter_and_sort_come_back_and_nonsense_is_ignored(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    own = tmp_path / ".ticketr"
    own.mkdir()
    remembered = '{"filter": "status=done", "sort": "title"}'
    for content, sort in ((remembered, "title"), ("{", None), ("[" * 60_000, None)):
        (own / FILE).write_text(content)
        told: list[Message] = []
        await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read()
        recalled = [each for each in told if isinstance(each, Recalled)]
        assert [each.sort for each in recalled] == ([sort] if sort else [])


async def test_all_rows_are_arranged_by_the_thread_as_they_were_shown_last(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    for number in range(1, FILES + 1):
        write(tmp_path, number)
    (tmp_path / ".ticketr").mkdir()
    (tmp_path / ".ticketr" / FILE).write_text('{"filter": "number -99", "sort": "title"}')
    told: list[Message] = []

    await Reader("work", Store(tmp_path, ".ticketr"), inline, told.append).read()

    view = app_state().workspace
    (recalled,) = (each for each in told if isinstance(each, Recalled))
    view = replace(view, filter=recalled.filter, sort=recalled.sort)
    bytecodes = Bytecodes()
    with bytecodes.counted():
        shown = view.with_files(read(told), 0.0).visible
    assert len(shown) == FILES - 2
    assert 0 < bytecodes.count < 10 * FILES


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

    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read()

    assert read(told).conflicts == {"DEMO-1": ("DEMO-1: Title", "DEMO-1: Labels")}


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
        await reader.read()
    assert [each.age for each in told if isinstance(each, FilesRead)] == [90.0, 0.0]


async def test_a_pull_that_has_failed_in_part_counts_as_none(
    bench: Bench, autojump_clock: MockClock
) -> None:
    told: list[Message] = []
    (bench.root / "DEMO-2.md").mkdir(parents=True)
    assert (await bench.pull()).failed
    await Reader("work", Store(bench.root, ".ticketr"), inline, told.append).read()
    assert [each.age for each in told if isinstance(each, FilesRead)] == [None]
