"""A state file that is broken, locked or somebody's else: words of ours, and the files stay."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ticketr import JobFailed
from ticketr.sync import StateFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.pulls import Bench
    from trio.testing import MockClock


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


BROKEN: dict[str, Callable[[Path], object]] = {
    "text": lambda path: write(path, b"no database, this\n" * 100),
    "half": cut,
    "no table": lambda path: run_sql(path, "DROP TABLE issue"),
    "no column": lambda path: run_sql(path, "ALTER TABLE ticket RENAME COLUMN text TO word"),
    "no JSON": lambda path: run_sql(path, "UPDATE issue SET fields = 'x'"),
    "JSON of a wrong shape": lambda path: run_sql(path, "UPDATE issue SET fields = '[1]'"),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_state_is_told_in_our_words(
    bench: Bench, autojump_clock: MockClock, how: str
) -> None:
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
    for theirs in ("sqlite", "no such", "malformed", "disk image", "Expecting", "object"):
        assert theirs not in str(error)
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
    bench: Bench,
    autojump_clock: MockClock,
    locked: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await bench.pull()
    locked()
    monkeypatch.setattr("ticketr.sync.state.database.sqlite3.connect", impatient)

    with pytest.raises(JobFailed) as failed:
        await bench.pull(full=True)

    error = failed.value.__cause__
    assert isinstance(error, StateFailed)
    assert not error.damaged
    assert str(error).endswith("another program holds it; wait until that has ended, or end it")
