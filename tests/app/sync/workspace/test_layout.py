"""Test where the keys of a workspace are found, and what stops them from being changed."""

from __future__ import annotations

import os

import pytest
from fakes.stores import put
from fakes.unlisted import forbid_folder

from ticketr.app.jira import Issue
from ticketr.app.sync.errors import DuplicateKey
from ticketr.app.sync.state.state import Base, IssueRow, State
from ticketr.app.sync.workspace.store import Layout, Store, notes_on

BROKEN = "# TICKET: [DEMO-1] One\n<<<<<<< HEAD\n\n## Tasks\n- [DEMO-2] Two\n"


def lay_out(store: Store, state: State) -> Layout:
    layout = Layout()
    for paths in store.walk():
        layout.add(store, paths)
    layout.complete(store, state)
    return layout


def record(state: State, key: str, path: str, *, head: str = "") -> None:
    number = key.rpartition("-")[2]
    row = IssueRow(Issue(number, key, {}), updated="", exact=True)
    rows = [*(state.rows_of(head) if head else []), row]
    state.record(head or number, Base(path, f"# TICKET: [{key}] x\n"), rows, seen=0.0)


@pytest.mark.parametrize("good", ["0.md", "z.md"])
def test_a_key_in_a_broken_file_and_in_another_stops_that_ticket(
    store: Store, state: State, good: str
) -> None:
    put(store, "a.md", BROKEN)
    put(store, good, "# TICKET: [DEMO-1] One\n\n# TICKET: [DEMO-3] Three\n")

    layout = lay_out(store, state)

    assert {key for key, each in layout.locations.items() if each.reason} == {"DEMO-1", "DEMO-2"}
    words = f"DEMO-1 is in {good} and in a.md, which cannot be read; repair that"
    assert str(layout.broken[good]).startswith(words)


def test_a_copied_file_is_one_error_that_counts_its_keys(store: Store, state: State) -> None:
    text = "".join(f"# TICKET: [DEMO-{number}] x\n\n" for number in (1, 2, 3))
    put(store, "a.md", text)
    put(store, "b.md", text)

    layout = lay_out(store, state)

    error = layout.broken["b.md"]
    assert isinstance(error, DuplicateKey)
    assert (error.key, error.more) == ("DEMO-1", ("DEMO-2", "DEMO-3"))
    words = "DEMO-1 and 2 more keys are in a.md and in b.md; keep one of them"
    assert [(note.key, note.reason) for note in notes_on(layout.broken)] == [("DEMO-1", words)]
    assert all(each.reason for each in layout.locations.values())


def test_the_tickets_of_a_folder_that_cannot_be_listed_are_in_it(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "DEMO-1", "sprint/a.md")
    record(state, "DEMO-3", "gone/b.md")
    put(store, "sprint/a.md", "# TICKET: [DEMO-1] x\n")
    put(store, "other/b.md", "# TICKET: [DEMO-4] x\n")
    forbid_folder(monkeypatch, store.root / "sprint")
    forbid_folder(monkeypatch, store.root / "other")

    layout = lay_out(store, state)

    assert set(layout.locations) == {"DEMO-1"}
    folder = store.root / "sprint"
    reason = f"cannot read {folder}: {os.strerror(13)}; let your account read it, or move it away"
    assert {path: str(error) for path, error in layout.broken.items()} == {"sprint": reason}
    assert layout.locations["DEMO-1"].reason == reason
