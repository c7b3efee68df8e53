"""The state file: transactions, older and newer versions, and what is said of a broken one."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from fakes.pulls import Bench

from ticketr import JobFailed
from ticketr.app.jira import Issue
from ticketr.app.sync import Creation, OtherSite, State, StateFailed, Store, Take, resolve
from ticketr.app.sync.compare.sent import SentComment
from ticketr.app.sync.state import database
from ticketr.app.sync.state.database import SCHEMA_VERSION
from ticketr.app.sync.state.journal import UploadEntry
from ticketr.app.sync.state.state import IssueRow, MergeBase

ISSUE = Issue(id="1", key="DEMO-1", fields={"summary": "x", "description": {"type": "doc"}})
PART = Issue(id="2", key="DEMO-2", fields={})
BASE = MergeBase("DEMO-1.md", "# TICKET: [DEMO-1] x\n")


def record(state: State, *, seen: float = 5.0) -> None:
    with state.batch():
        state.record(
            "1",
            BASE,
            [IssueRow(ISSUE), IssueRow(PART)],
            seen=seen,
        )


def test_a_batch_is_all_or_nothing(state: State) -> None:
    def interrupted() -> None:
        with state.batch():
            state.record("1", BASE, [IssueRow(ISSUE)], seen=1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert state.known_issues_by_id() == {}


@pytest.mark.parametrize("settled", [False, True])
def test_an_issue_that_was_asked_for_binds_a_workspace(
    settled: bool, state: State, tmp_path: Path
) -> None:
    state.site_record.set_site_and_read_fields("https://a.example", "Ada", now=0.0, max_age=0.0)
    state.creations.put(CREATION)
    if settled:
        state.creations.mark_in_file_and_purge_old(CREATION, now=2.0)

    with pytest.raises(OtherSite):
        state.site_record.check_site(tmp_path, "https://b.example")
    state.creations.forget(CREATION)
    state.site_record.check_site(tmp_path, "https://b.example")


def test_nothing_that_another_site_has_counts_on_this_one(state: State) -> None:
    state.site_record.set_site_and_read_fields("https://a.example", "Ada", now=0.0, max_age=0.0)
    state.comments.put(COMMENT)
    state.uploads.put(replace(UPLOAD, id="7"))
    state.media.put({"7": "media-of-a"})

    state.site_record.set_site_and_read_fields("https://b.example", "Ada", now=0.0, max_age=0.0)

    assert (state.comments.select(), state.uploads.select()) == ([], [])
    assert state.media.of(["7"]) == {}


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    State(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    with pytest.raises(StateFailed, match="a newer ticketr wrote it"):
        State(path)


def test_threads_take_turns(state: State) -> None:
    record(state)
    read: list[MergeBase | None] = []

    def another_thread() -> MergeBase | None:
        return state.base("1")

    with ThreadPoolExecutor(1) as threads:
        with state.batch():
            waiting = threads.submit(another_thread)
            with pytest.raises(TimeoutError):
                waiting.result(0.05)
            state.record("1", replace(BASE, path="moved.md"), [], seen=9.0)
        read.append(waiting.result(10))

    assert read == [MergeBase("moved.md", BASE.jira_text)]


def test_an_issue_is_read_together_with_whether_it_is_stale(
    state: State, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state)
    read, new = state.read, IssueRow(replace(PART, id="3", key="DEMO-3"), is_stale=True)

    def read_before_a_write(query: str, values: Any = ()) -> list[Any]:
        rows = read(query, values)
        with closing(State(store.state_path)) as writer:
            writer.record("1", BASE, [new], seen=6.0)
        return rows

    monkeypatch.setattr(state, "read", read_before_a_write)

    assert all(row.is_stale == (row.issue.id == "3") for row in state.rows_of("1"))


def test_a_reader_needs_no_lock(state: State, store: Store) -> None:
    record(state)
    with state.batch(), closing(sqlite3.connect(store.state_path)) as reader:
        state.mark_stale(["1"])

        assert reader.execute("SELECT count(*) FROM issue WHERE stale = 0").fetchone() == (2,)


def test_a_full_disk_is_called_that(state: State) -> None:
    pages = state.read("PRAGMA page_count")[0][0]
    state.read(f"PRAGMA max_page_count = {pages}")
    issue = Issue(id="1", key="DEMO-1", fields={"description": "x" * 100_000})

    with pytest.raises(StateFailed, match="no space left on its disk"), state.batch():
        state.record("1", MergeBase("a.md", "text"), [IssueRow(issue)], seen=0.0)

    assert state.known_issues_by_id() == {}


def write(path: Path, data: bytes) -> None:
    for each in path.parent.glob("state.db*"):
        each.unlink()
    path.write_bytes(data)


def run_sql(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)


def cut(path: Path) -> None:
    run_sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(path, path.stat().st_size // 2)


def asked_for(*, sent: str = "1.0", payload: str = "", **values: object) -> str:
    """Give the SQL of an issue that was asked for, some values of which are something else."""
    row: dict[str, object] = {"project": "DEMO", "parent": None, "title": "t", "path": "t.md"}
    row |= {"draft": "# TICKET: t", "after": 1, "parts": "[]", "key": ""} | values
    payload = payload or f"'{json.dumps(row)}'"
    return f"INSERT INTO outbox VALUES ('issue', '', 'm', {sent}, {payload}, '', 0)"


BROKEN: dict[str, Callable[[Path], object]] = {
    "text": lambda path: write(path, b"no database, this\n" * 100),
    "half": cut,
    "no table": lambda path: run_sql(path, "DROP TABLE issue"),
    "no column": lambda path: run_sql(path, "ALTER TABLE ticket RENAME COLUMN text TO word"),
    "no JSON": lambda path: run_sql(path, "UPDATE issue SET fields = 'x'"),
    "JSON of a wrong shape": lambda path: run_sql(path, "UPDATE issue SET fields = '[1]'"),
    "bytes": lambda path: run_sql(path, "UPDATE ticket SET text = x'00'"),
    "no UTF-8": lambda path: run_sql(path, "UPDATE ticket SET text = CAST(x'ff' AS TEXT)"),
    "no number": lambda path: run_sql(path, "UPDATE issue SET seen = 'x'"),
    "a creation of no draft": lambda path: run_sql(path, asked_for(draft="")),
    "a creation of no ticket": lambda path: run_sql(path, asked_for(draft="<<<<<<< a")),
    "a creation of bytes": lambda path: run_sql(path, asked_for(payload="x'00'")),
    "a creation after no number": lambda path: run_sql(path, asked_for(after="x")),
    "a creation at no moment": lambda path: run_sql(path, asked_for(sent="'x'")),
    "a creation of no JSON": lambda path: run_sql(path, asked_for(parts="x")),
    "a creation of no parts": lambda path: run_sql(path, asked_for(parts='{"a": 1}')),
    "a creation of deep JSON": lambda path: run_sql(path, asked_for(parts="[" * 100_000)),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_state_is_told_in_our_words(bench: Bench, how: str) -> None:
    await bench.pull()
    files = bench.files()
    BROKEN[how](bench.root / ".ticketr" / "state.db")
    bench.site.edit("DEMO-3", summary="Theirs")

    with pytest.raises(JobFailed) as failed:
        await bench.pull()

    error = failed.value.__cause__
    assert isinstance(error, StateFailed)
    assert error.is_damaged
    assert "move it away and pull again" in str(error)
    assert "a draft of an interrupted push may be in Jira already" in str(error)
    for theirs in ("sqlite", "no such", "malformed", "disk image", "Expecting", "object", "UTF"):
        assert theirs not in str(error)
    assert bench.files() == files


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("issues", "{broken"),
        ("issues", "[1, 2]"),
        ("issues", '{"issues": [1], "seen": 1.0}'),
        ("issues", '{"issues": [], "seen": "x"}'),
        ("text", "no ticket"),
        ("parts", "{broken"),
        ("parts", '{"a": 2}'),
        ("parts", "[2]"),
    ],
)
async def test_a_broken_conflict_is_told_in_our_words(
    bench: Bench, column: str, value: str
) -> None:
    await bench.pull()
    bench.retitles("DEMO-3", "Mine")
    bench.site.edit("DEMO-3", summary="Theirs")
    await bench.pull()
    store = Store(bench.root, ".ticketr")
    with closing(sqlite3.connect(store.state_path)) as db:
        assert db.execute(f"UPDATE conflict SET {column} = ?", (value,)).rowcount == 1
        db.commit()
    files = bench.files()

    with (
        closing(State(store.state_path)) as state,
        pytest.raises(StateFailed, match="it does not hold what ticketr writes there") as failed,
    ):
        resolve(store, state, "DEMO-3", Take.JIRA)

    assert failed.value.is_damaged
    assert bench.files() == files


@pytest.fixture
def locked(bench: Bench) -> Iterator[Callable[[], None]]:
    """Hold the state file as another program would."""
    with closing(sqlite3.connect(bench.root.parent / "none", check_same_thread=False)) as none:
        held = [none]

        def lock() -> None:
            db = sqlite3.connect(bench.root / ".ticketr" / "state.db", isolation_level=None)
            db.execute("BEGIN EXCLUSIVE")
            held.append(db)

        yield lock
        for each in held[1:]:
            each.close()


def impatient(path: Path, *, connect: Any = sqlite3.connect, **options: Any) -> Any:
    """Open a database that does not wait for another program."""
    return connect(path, timeout=0, **options)


async def test_a_locked_state_is_told_with_what_to_do(
    bench: Bench, locked: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.pull()
    locked()
    monkeypatch.setattr("ticketr.app.sync.state.database.sqlite3.connect", impatient)

    with pytest.raises(JobFailed) as failed:
        await bench.pull(full=True)

    error = failed.value.__cause__
    assert isinstance(error, StateFailed)
    assert not error.is_damaged
    assert str(error).endswith("another program holds it; wait until that has ended, or end it")


COMMENT = SentComment(
    marker="m2",
    issue="10",
    sent=1000.0,
    key="DEMO-1",
    text="A",
    body={"a": 1},
    account="me",
    after=1,
)
UPLOAD = UploadEntry(marker="d1", issue="10", name="a.png", size=3, account="me")


def put_upload(state: State) -> None:
    state.uploads.put(UPLOAD)


def put_creation(state: State) -> None:
    state.creations.put(CREATION)


def put_comment(state: State) -> None:
    state.comments.put(COMMENT)


@pytest.mark.parametrize("put", [put_upload, put_creation, put_comment])
def test_what_is_recorded_before_it_is_sent_survives_a_loss_of_power(
    state: State, put: Callable[[State], None]
) -> None:
    statements: list[str] = []
    state._db.set_trace_callback(statements.append)

    put(state)

    kept = [each for each in statements if each == "COMMIT" or each.startswith("PRAGMA")]
    assert kept == ["PRAGMA synchronous = FULL", "COMMIT", "PRAGMA synchronous = NORMAL"]


CREATION = Creation(
    marker="m1",
    project="DEMO",
    parent=None,
    title="Once",
    path="drafts.md",
    draft="# TICKET: Once\n",
    after=12,
    sent=1000.0,
)


def test_a_file_that_is_too_old_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    State(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    before = path.read_bytes()

    with pytest.raises(StateFailed, match=r"an older ticketr .* move it away and pull again"):
        State(path)

    assert path.read_bytes() == before


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    together = Barrier(3)

    def open_all() -> None:
        for number in range(150):
            together.wait(60)
            database.Database(tmp_path / f"{number}.db", "1").close()

    with ThreadPoolExecutor(3) as pool:
        for opened in [pool.submit(open_all) for _ in range(3)]:
            opened.result()
