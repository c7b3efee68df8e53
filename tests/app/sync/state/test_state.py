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
from ticketr.app.sync.state.state import Base, IssueRow, KnownIssue, State
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


def test_what_is_recorded_is_read_back(state: State) -> None:
    record(state)

    assert state.known() == {
        "1": KnownIssue("1", "DEMO-1", "1", "then", 5.0, stale=False),
        "2": KnownIssue("2", "DEMO-2", "1", "later", 5.0, stale=False),
    }
    assert state.issues_of("1") == [ISSUE, PART]
    assert state.members(["1", "3"]) == {"1": ["1", "2"], "3": []}
    assert state.base("1") == BASE
    assert state.base("2") is None


def test_it_outlives_the_process(tmp_path: Path) -> None:
    first = State(tmp_path / "state.db")
    record(first)
    first.close()

    second = State(tmp_path / "state.db")

    assert second.base("1") == BASE
    second.close()


def test_a_batch_is_all_or_nothing(state: State) -> None:
    def interrupted() -> None:
        with state.batch():
            state.record("1", BASE, [IssueRow(ISSUE, "then", exact=True)], seen=1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert state.known() == {}


def test_a_stale_issue_is_not_confirmed_until_it_is_recorded_again(state: State) -> None:
    record(state)
    state.mark_stale(["1"])

    state.confirm(["1", "2"], seen=9.0)

    known = state.known()
    assert (known["1"].stale, known["1"].seen) == (True, 5.0)
    assert (known["2"].stale, known["2"].seen) == (False, 9.0)
    record(state, seen=9.0)
    assert not state.known()["1"].stale


def test_a_sight_never_moves_back(state: State) -> None:
    record(state, seen=9.0)

    state.confirm(["1"], seen=8.0)

    assert state.known()["1"].seen == 9.0


def test_a_workspace_belongs_to_one_site(state: State, tmp_path: Path) -> None:
    state.site_record.check_site(tmp_path, "https://a.example")
    state.site_record.claim_site("https://a.example")
    state.site_record.check_site(tmp_path, "https://a.example")
    state.site_record.check_site(tmp_path, "https://b.example")
    record(state)

    with pytest.raises(OtherSite, match=r"tickets of https://a\.example, not of https://b"):
        state.site_record.check_site(tmp_path, "https://b.example")


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


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is not a database" * 100)

    with pytest.raises(StateFailed, match="not a database; move it away and pull again"):
        State(path)


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


def test_another_site_takes_an_empty_workspace_with_nothing_of_the_first(
    state: State, tmp_path: Path
) -> None:
    state.site_record.claim_site("https://a.example")
    state.site_record.keep_fields("[]", at=1.0)
    state.site_record.take_columns([("Type", "issuetype")])

    state.site_record.check_site(tmp_path, "https://b.example")
    state.site_record.claim_site("https://b.example")

    assert state.site_record.kept_fields(now=1.0, age=1.0) is None
    record(state)
    assert not state.site_record.take_columns([("Other", "customfield_1")])


def test_other_columns_make_every_issue_stale_once(state: State) -> None:
    first, other = [("Type", "issuetype")], [("Type", "issuetype"), ("Due", "duedate")]
    assert not state.site_record.take_columns(first)
    record(state)
    assert not state.site_record.take_columns(first)
    assert not any(each.stale for each in state.known().values())

    assert state.site_record.take_columns(other)

    assert all(each.stale for each in state.known().values())
    assert not state.site_record.take_columns(other)


def test_the_time_of_the_last_pull_is_kept_until_another_site_comes(tmp_path: Path) -> None:
    with closing(State(tmp_path / "state.db")) as state:
        state.site_record.claim_site("https://a.example")
        assert state.site_record.pulled() is None
        state.site_record.note_pull(at=1.5)
        state.site_record.note_pull(at=2.5)
        assert state.site_record.pulled() == 2.5
        state.site_record.claim_site("https://b.example")
        assert state.site_record.pulled() is None
