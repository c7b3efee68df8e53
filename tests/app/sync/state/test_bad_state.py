"""A state file that is broken, locked or somebody's else: words of ours, and the files stay."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.pulls import Bench

from ticketr import JobFailed
from ticketr.app.sync import State, StateFailed, Store, Take, resolve


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


def asked_for(**values: str) -> str:
    """Give the SQL of an issue that was asked for, some columns of which hold something else."""
    row = {"marker": "'m'", "project": "'DEMO'", "title": "'t'", "path": "'t.md'", "sent": "1.0"}
    row |= {"draft": "'# TICKET: t'", "after": "1", "parts": "'[]'"} | values
    return f"INSERT INTO creation ({', '.join(row)}) VALUES ({', '.join(row.values())})"


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
    "a creation of no draft": lambda path: run_sql(path, asked_for(draft="''")),
    "a creation of no ticket": lambda path: run_sql(path, asked_for(draft="'<<<<<<< a'")),
    "a creation of bytes": lambda path: run_sql(path, asked_for(path="x'00'")),
    "a creation after no number": lambda path: run_sql(path, asked_for(after="'x'")),
    "a creation at no moment": lambda path: run_sql(path, asked_for(sent="'x'")),
    "a creation of no JSON": lambda path: run_sql(path, asked_for(parts="'x'")),
    "a creation of no parts": lambda path: run_sql(path, asked_for(parts="'{\"a\": 1}'")),
    "a creation of deep JSON": lambda path: run_sql(path, asked_for(parts=f"'{'[' * 100_000}'")),
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
    assert error.damaged
    assert "move it away and pull again" in str(error)
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

    assert failed.value.damaged
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
    assert not error.damaged
    assert str(error).endswith("another program holds it; wait until that has ended, or end it")
