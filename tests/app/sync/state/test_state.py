from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ticketr.app.jira import Issue
from ticketr.app.sync.errors import OtherSite, StateFailed
from ticketr.app.sync.state.database import MIGRATIONS
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import Base, IssueRow, State
from ticketr.app.sync.workspace.store import Store

ISSUE = Issue(id="1", key="DEMO-1", fields={"summary": "x", "description": {"type": "doc"}})
PART = Issue(id="2", key="DEMO-2", fields={})
BASE = Base("DEMO-1.md", "# TICKET: [DEMO-1] x\n")


def record(state: State, *, seen: float = 5.0) -> None:
    with state.batch():
        state.record(
            "1",
            BASE,
            [IssueRow(ISSUE, "then", exact=True), IssueRow(PART, "later", exact=False)],
            seen=seen,
        )


def test_a_batch_is_all_or_nothing(state: State) -> None:
    def interrupted() -> None:
        with state.batch():
            state.record("1", BASE, [IssueRow(ISSUE, "then", exact=True)], seen=1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert state.known() == {}


@pytest.mark.parametrize("settled", [False, True])
def test_an_issue_that_was_asked_for_binds_a_workspace(
    settled: bool, state: State, tmp_path: Path
) -> None:
    state.site_record.claim_site("https://a.example")
    asked = Creation("marker", "DEMO", None, "x", "a.md", "# TICKET: x\n", after=0, sent=1.0)
    state.creations.put(asked)
    if settled:
        state.creations.mark_written(asked, "a.md", now=2.0)

    with pytest.raises(OtherSite):
        state.site_record.check_site(tmp_path, "https://b.example")
    state.creations.forget("marker")
    state.site_record.check_site(tmp_path, "https://b.example")


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    State(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(StateFailed, match="a newer ticketr wrote it"):
        State(path)


def test_threads_take_turns(state: State) -> None:
    record(state)
    read: list[Base | None] = []

    def another_thread() -> Base | None:
        return state.base("1")

    with ThreadPoolExecutor(1) as threads:
        with state.batch():
            waiting = threads.submit(another_thread)
            with pytest.raises(TimeoutError):
                waiting.result(0.05)
            state.record("1", replace(BASE, path="moved.md"), [], seen=9.0)
        read.append(waiting.result(10))

    assert read == [Base("moved.md", BASE.text)]


def test_a_reader_needs_no_lock(state: State, store: Store) -> None:
    record(state)
    with state.batch(), closing(sqlite3.connect(store.state_path)) as reader:
        state.mark_stale(["1"])

        assert reader.execute("SELECT count(*) FROM issue WHERE stale = 0").fetchone() == (2,)


def test_a_full_disk_is_called_that(state: State) -> None:
    pages = state._db.read("PRAGMA page_count")[0][0]
    state._db.read(f"PRAGMA max_page_count = {pages}")
    issue = Issue(id="1", key="DEMO-1", fields={"description": "x" * 100_000})

    with pytest.raises(StateFailed, match="no space left on its disk"), state.batch():
        state.record("1", Base("a.md", "text"), [IssueRow(issue, "then", exact=True)], seen=0.0)

    assert state.known() == {}
