"""Test that only changed files are read again, and that what was found is stored."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.pulls import Bench, inline
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.sync import Store
from ticketr.app.tickets import Ticket, render
from ticketr.app.tui.messages import FilesRead, Message
from ticketr.app.tui.services import seen_files
from ticketr.app.tui.services.reading import Reader
from ticketr.app.tui.services.seen_files import CHANGING, FILE, SeenFiles


def later() -> int:
    """Return a time at which what was just written counts as unchanged."""
    return time.time_ns() + 2 * CHANGING


class App:
    """A run of the app, as far as it reads files.

    Attributes:
        opened: The names of the files that were read, in their order.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str] = []
        self._told: list[Message] = []
        store = Store(root, ".ticketr")
        self._reader = Reader("work", store, inline, self._told.append, SeenFiles(store, later))
        content = Store.content

        def counted(store: Store, name: str) -> bytes:
            self.opened.append(name)
            return content(store, name)

        monkeypatch.setattr(Store, "content", counted)

    async def read(self) -> FilesRead:
        self.opened.clear()
        self._told.clear()
        await self._reader.read()
        (found,) = (each for each in self._told if isinstance(each, FilesRead))
        return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(seen_files, "LEAST_STORED", 1)
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
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    app = App(bench.root, monkeypatch)
    first = await app.read()
    assert sorted(app.opened) == sorted(path.name for path in bench.root.glob("*.md"))

    second = await app.read()
    assert app.opened == []
    assert second == first
    assert second.rows is first.rows

    edit(bench.root / "DEMO-1.md")
    third = await app.read()
    assert app.opened == ["DEMO-1.md"]
    assert third.edited == {"DEMO-1"}
    assert [row.key for row in third.rows] == [row.key for row in first.rows]
    assert third.rows[0].title[1:] == first.rows[0].title[1:]
    assert third.rows[0].title != first.rows[0].title


async def test_an_edited_ticket_is_compared_each_time(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    edit(bench.root / "DEMO-1.md")
    app = App(bench.root, monkeypatch)

    for _ in range(2):
        assert (await app.read()).edited == {"DEMO-1"}
        assert "DEMO-1.md" in app.opened

    await bench.push()
    assert (await app.read()).edited == frozenset()


async def test_a_new_last_sync_makes_an_edit_of_an_unchanged_file(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    path = bench.root / "DEMO-1.md"
    app = App(bench.root, monkeypatch)
    await app.read()
    (bench.root / ".ticketr" / "state.db").rename(bench.root / "away.db")

    await app.read()
    assert path.name in app.opened


async def test_a_changing_file_is_read_each_time(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    monkeypatch.setattr(seen_files, "CHANGING", 10 * CHANGING)
    app = App(bench.root, monkeypatch)
    await app.read()
    read = list(app.opened)

    await app.read()
    assert app.opened == read


async def test_a_key_in_two_files_is_reported_each_time_and_one_that_has_gone_is_not(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    app = App(bench.root, monkeypatch)
    whole = await app.read()
    copy = bench.root / "a.md"
    copy.write_text((bench.root / "DEMO-1.md").read_text())

    for _ in range(2):
        assert (await app.read()).broken == (
            "DEMO-1 is in DEMO-1.md and in a.md; keep one of them",
        )
    copy.unlink()
    assert await app.read() == whole
    (bench.root / "DEMO-1.md").unlink()
    assert len((await app.read()).rows) < len(whole.rows)


async def test_the_next_start_reads_only_what_has_changed_since(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    (bench.root / "notes.md").write_text("No ticket.\n")
    first = await App(bench.root, monkeypatch).read()

    app = App(bench.root, monkeypatch)
    assert await app.read() == first
    assert app.opened == []

    edit(bench.root / "DEMO-1.md")
    (bench.root / "draft.md").write_text(render([Ticket(title="Mine")]))
    app = App(bench.root, monkeypatch)
    found = await app.read()
    assert app.opened == ["DEMO-1.md", "draft.md"]
    assert found.edited == {"DEMO-1"}
    assert found.rows.drafts == 1


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
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    await bench.pull()
    first = await App(bench.root, monkeypatch).read()
    stored = bench.root / ".ticketr" / FILE
    before = stored.read_text()
    stored.write_text(CHANGES[change](before))
    assert stored.read_text() != before

    assert await App(bench.root, monkeypatch).read() == first


async def test_a_folder_that_cannot_be_written_keeps_its_list(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    first = await App(bench.root, monkeypatch).read()
    own = bench.root / ".ticketr"
    stored = (own / FILE).read_text()
    (own / FILE).unlink()
    (own / FILE).symlink_to(own / "elsewhere")

    assert await App(bench.root, monkeypatch).read() == first
    (own / "lock").unlink()
    (own / "lock").mkdir()
    assert await App(bench.root, monkeypatch).read() == first
    assert stored
    assert not (own / "elsewhere").exists()
