"""Test that files are read one by one: an error in one does not affect the others."""

from __future__ import annotations

import os
import resource
import sqlite3
import tempfile
from contextlib import AbstractContextManager, closing

import pytest
from fakes.stores import put

from ticketr.app.config import UnsafePath
from ticketr.app.sync.edits.reading import read_state, readable
from ticketr.app.sync.edits.survey import LocalSurvey
from ticketr.app.sync.errors import FileFailed, OtherSite, StateFailed
from ticketr.app.sync.state.state import Base, State
from ticketr.app.sync.workspace.store import Store
from ticketr.app.tickets import Ticket, render


def enter(context: AbstractContextManager[object]) -> None:
    with context:
        pass


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
