"""Test that files are read one by one: an error in one does not affect the others."""

from __future__ import annotations

import os
import resource
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
import trio
from fakes.pulls import inline
from fakes.stores import put
from trio.testing import MockClock

from ticketr.app.config import UnsafePath
from ticketr.app.sync.concurrency import CHUNK
from ticketr.app.sync.edits.survey import LocalSurvey, read_state, readable, visit_files
from ticketr.app.sync.errors import DuplicateKey, FileFailed, OtherSite, StateFailed
from ticketr.app.sync.state.state import Base, State
from ticketr.app.sync.workspace.store import Store
from ticketr.app.tickets import Ticket, TicketSyntaxError, render


def enter(context: AbstractContextManager[object]) -> None:
    with context:
        pass


def test_a_file_that_cannot_be_read_is_told_and_the_next_one_is_read(
    store: Store, state: State
) -> None:
    bad = put(store, "bad.md", "# TICKET: A\n<<<<<<< HEAD\n")
    good = put(store, "good.md", render([Ticket(title="B")]))
    survey = LocalSurvey()

    broken, read = (survey.scan(store, state, path) for path in (bad, good))

    assert (broken.path, broken.tickets) == ("bad.md", ())
    assert isinstance(broken.error, TicketSyntaxError)
    assert ([each.ticket.title for each in read.tickets], read.error) == (["B"], None)
    assert [local_change.name for local_change in survey.local_changes] == ['draft "B"']


def test_a_key_that_stands_elsewhere_hides_no_other_ticket_of_its_file(
    store: Store, state: State
) -> None:
    first = put(store, "first.md", render([Ticket(title="A", key="DEMO-1")]))
    second = put(
        store, "second.md", render([Ticket(title="Again", key="DEMO-1"), Ticket(title="B")])
    )
    survey = LocalSurvey()

    _, seen = (survey.scan(store, state, path) for path in (first, second))

    assert isinstance(seen.error, DuplicateKey)
    assert [each.ticket.title for each in seen.tickets] == ["Again", "B"]
    assert [local_change.name for local_change in survey.local_changes] == ['draft "B"']


def test_a_state_that_cannot_be_read_is_nothing_that_is_wrong_with_a_file(
    store: Store, state: State
) -> None:
    path = put(store, "a.md", render([Ticket(title="A", key="DEMO-1")]))
    with closing(sqlite3.connect(store.state_path)) as damage:
        damage.execute("DROP TABLE ticket")

    with pytest.raises(StateFailed):
        LocalSurvey().scan(store, state, path)


def test_where_nothing_can_be_written_a_copy_is_read(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.site_record.claim_site(
        "https://jira.test"
    )  # in the write-ahead log still, and so is the next
    state.record("1", Base("a.md", "# TICKET: [DEMO-1] A\n"), [], seen=1.0)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere

    with readable(store.state_path) as path, read_state(store) as copied:
        assert path is not None
        assert not path.is_relative_to(store.root)
        with pytest.raises(OtherSite, match=r"jira\.test"):
            copied.site_record.check_site(store.root, "https://another.test")
    assert not path.exists()


def test_a_state_that_cannot_be_copied_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.state_path.write_bytes(b"some")
    monkeypatch.setattr(os, "access", lambda *_: False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))  # as a full disk does
    try:
        with pytest.raises(FileFailed, match=r"cannot read .*state\.db: File too large"):
            enter(read_state(store))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_state_is_told_that_nothing_can_be_copied_to(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.state_path.write_bytes(b"some")
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(tempfile, "tempdir", str(store.root / "gone"))

    with pytest.raises(
        FileFailed, match=r"cannot read .*state\.db: No such file or directory; .* TMPDIR"
    ):
        enter(read_state(store))


def test_a_folder_in_the_place_of_a_state_is_told(store: Store) -> None:
    store.state_path.mkdir()

    with pytest.raises(UnsafePath, match=r"state\.db is a folder and not a file of ticketr's own"):
        enter(read_state(store))


async def test_files_are_visited_a_few_at_a_time_in_order(
    store: Store, autojump_clock: MockClock
) -> None:
    (store.root / "empty").mkdir()
    paths = [put(store, f"{number:02}.md", "") for number in range(2 * CHUNK + 1)]
    seen: list[Sequence[Path]] = []

    await visit_files(store, inline, lambda portion: portion, seen.append)

    assert seen == [paths[:CHUNK], paths[CHUNK:-1], paths[-1:]]


async def test_a_cancel_waits_for_one_portion_and_no_more(
    store: Store, autojump_clock: MockClock
) -> None:
    for number in range(3 * CHUNK):
        put(store, f"{number:02}.md", "")
    visited: list[int] = []

    with trio.CancelScope() as scope:

        def visit(portion: Sequence[Path]) -> None:
            visited.append(len(portion))
            scope.cancel()

        await visit_files(store, inline, visit)

    assert scope.cancelled_caught
    assert visited == [CHUNK]
