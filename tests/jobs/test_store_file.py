"""Stores whose file is shared, damaged, foreign, full, gone or slow."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from fakes import durable
from fakes.durable import RAN, Disk, change, cut_off, live_ids, note, open_stored, rows, slow
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    JobContext,
    NotSendable,
    OnConflict,
    Retry,
    SqliteStore,
    StoreFailed,
    StoreInUse,
    in_thread,
    open_job_queue,
)
from ticketr.jobs._sqlite.writer import StoreFile


async def refuse(path: Path, words: str, **options: Any) -> None:
    """Check that a store is not opened, for this reason."""
    with pytest.raises((StoreFailed, StoreInUse), match=words):
        async with open_stored(path, **options):
            pass


# Opening


async def test_a_second_queue_is_refused_with_the_process(path: Path) -> None:
    async with open_stored(path) as queue:
        with pytest.raises(StoreInUse) as refused:
            async with open_stored(path):
                pass
        assert refused.value.pid == os.getpid()
        assert await queue.run(note, 1) == 1

    async with open_stored(path):
        pass


OPEN = """
import os, sys, time
import trio
from ticketr import SqliteStore, StoreFailed, open_job_queue

async def main():
    async with open_job_queue(store=SqliteStore(sys.argv[1])) as queue:
        print("open", flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


async def test_no_file_can_be_deleted_to_get_a_second_queue(path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(path)]
    async with open_stored(path) as queue:
        path.read_bytes()  # which closes a descriptor of the file
        for file in path.parent.iterdir():
            if file.name.endswith("lock"):
                file.unlink()
        await refuse(path, "is open in process")
        second = await trio.run_process(command, capture_stderr=True, check=False)
        assert f"is open in process {os.getpid()}".encode() in second.stderr
        assert await queue.run(note, 1) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on POSIX alone")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_store_of_a_killed_process(path: Path) -> None:
    program = OPEN.replace(
        'print("open", flush=True)',
        """
        if not os.fork():
            file = queue._core.store._file
            try:
                file.write(None, {}, 0.0)
            except StoreFailed as error:
                print(str(error).split(": ")[-1], os.getpid(), flush=True)
            time.sleep(300)
""",
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        *words, child = first.stdout.readline().split()
        assert " ".join(words) == "this process was forked from the one that has it open"
        with path.with_name("other").open("w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)  # this process has locks too, of another file
            second = subprocess.run(command, capture_output=True, text=True, check=False)
        first.kill()
        first.wait()
        try:
            assert f"is open in process {first.pid}: a store has one queue" in second.stderr

            async def reopen() -> None:
                async with open_stored(path) as queue:
                    assert await queue.run(note, 1) == 1

            trio.run(reopen)
        finally:
            os.kill(int(child), signal.SIGKILL)


async def test_a_link_to_a_store_is_the_same_store(path: Path) -> None:
    link = path.with_name("link.sqlite")
    link.symlink_to(path)
    async with open_stored(link):
        await refuse(path, "is open in process")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on POSIX alone")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_closed_store_is_free_while_a_forked_process_lives(path: Path) -> None:
    read, write = os.pipe()

    async def fork() -> int:
        async with open_stored(path):
            child = os.fork()
            if not child:
                os.close(write)
                os.read(read, 1)  # until the parent closes its end
                os._exit(0)
            return child

    async def reopen() -> None:
        async with open_stored(path) as queue:
            assert await queue.run(note, 1) == 1

    child = trio.run(fork)
    try:
        trio.run(reopen)
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)


async def test_the_files_are_for_their_owner_alone(path: Path) -> None:
    async with open_stored(path) as queue:
        await queue.run(note, 1)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert set(modes.values()) == {0o600}
    assert len(modes) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no database" * 100, "file is not a database"),
        (b"\0" * 8192, "file is not a database"),
    ],
)
async def test_a_file_that_is_no_database_is_refused(
    content: bytes, words: str, path: Path
) -> None:
    path.write_bytes(content)

    await refuse(path, words)

    assert path.read_bytes() == content


async def test_a_damaged_database_is_refused(path: Path) -> None:
    async with open_stored(path) as queue:
        for number in range(30):
            await queue.run(note, "x" * 1000 + str(number))
    data = bytearray(path.read_bytes())
    for at in range(4096 * 3, len(data), 4096):
        data[at : at + 200] = b"\xff" * 200
    path.write_bytes(data)

    await refuse(path, r"damaged|malformed")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 99", "another version of ticketr wrote it"),
        ("CREATE VIEW v AS SELECT 1", "it has triggers or views"),
        ("DROP TABLE links", "it is another database"),
        ("DROP TABLE jobs", "it is another database"),
    ],
)
async def test_a_foreign_database_is_refused(statement: str, words: str, path: Path) -> None:
    async with open_stored(path):
        pass
    change(path, statement)

    await refuse(path, words)


@pytest.mark.parametrize("codec", ["json", "pickle"])
@pytest.mark.parametrize("suffix", ["", "-wal"])
@pytest.mark.parametrize("mode", [0o620, 0o602])
async def test_a_file_that_others_can_write_is_refused(
    mode: int, suffix: str, codec: str, path: Path
) -> None:
    async with open_stored(path, store={"codec": codec}):
        pass
    file = path.with_name(path.name + suffix)
    file.touch()
    file.chmod(mode)

    await refuse(path, r"others can write .* name the functions", store={"codec": codec})


async def test_a_file_of_another_user_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    await refuse(path, "others can write it")


async def test_only_functions_that_the_program_allows_are_called_from_a_shared_file(
    autojump_clock: MockClock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with cut_off(path) as queue:
        queue.pause()
        await queue.submit(note, "a", retry=Retry(2, on=ValueError))
        await queue.submit(in_thread(os.system), f"touch {path}.ran")
        await queue.submit(note, "b", retry=Retry(2, on=RAN_ON))
        queue.repeat(in_thread(os.system), f"touch {path}.ran", every=1, id="r")
    path.chmod(0o666)

    async with open_stored(path, store={"functions": [note]}) as queue:
        assert [*queue.unloaded()] == ["job-2", "job-3", "r#1"]
        for job in (in_thread(os.system), slow, partial(slow, seconds=1)):
            with pytest.raises(NotSendable, match="is not among the functions"):
                await queue.submit(job, "x")
        with pytest.raises(NotSendable, match="is not among the functions"):
            await queue.submit(note, "x", retry=Retry(2, on=RAN_ON))
        with pytest.raises(NotSendable, match="is not among the store's functions"):
            queue.repeat(note, "x", every=RAN_ON, id="x")

    assert RAN == [("a", 1)]
    assert not path.with_name(path.name + ".ran").exists()
    assert "posix:system is not among the functions that SqliteStore allows" in caplog.text

    async with open_stored(path, store={"functions": [durable]}) as queue:
        assert await queue.run(partial(slow, seconds=1), "c") == "c"


def RAN_ON(error: object) -> Any:  # noqa: N802 - it is passed on
    raise AssertionError(error)


async def test_a_row_chooses_no_codec(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path) as queue:
        queue.pause()
        await queue.submit(note, "a")
    evil = b"cposix\nsystem\n(S'touch " + os.fsencode(path) + b".ran'\ntR."
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE jobs SET codec = 'pickle', job = ?, key = ?", (evil, evil))

    async with open_stored(path) as queue:
        assert queue.unloaded() == {
            "job-1": "its codec is 'pickle', and the store was opened with 'json'"
        }
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE jobs SET status = 'completed', finished_at = 1e12, result = ?", (evil,))
    async with open_stored(path) as queue:
        assert queue.snapshot("job-1").result == evil

    assert not path.with_name(path.name + ".ran").exists()


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "jobs.sqlite"

    await refuse(path, r"none/jobs.sqlite cannot be used: .*No such file")


# Writing


async def test_a_disk_that_fails_fails_the_submits_and_no_books(
    autojump_clock: MockClock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk), workers=2) as queue:
        before = await queue.submit(slow, "before")
        disk.problem = "database or disk is full"
        with pytest.raises(StoreFailed, match="cannot be used: database or disk is full"):
            await queue.submit(note, "a")
        with pytest.raises(StoreFailed):
            await queue.run(note, "b", key="k")
        await before.wait()
        statistics = queue.statistics()
        assert (statistics.pending, statistics.running, statistics.cancelled) == (0, 0, 2)
        assert {job.cancel_cause for job in queue.jobs()} == {None, CancelCause.USER}

        disk.problem = ""
        assert await queue.run(note, "c", key="k") == "c"

    assert [what[0] for what in RAN] == ["before", "before", "c"]
    assert live_ids(path) == []
    assert [record.message for record in caplog.records] == [
        f"Changes of jobs are not written: {StoreFailed('jobs.sqlite', 'database or disk is full')}"
    ]


async def test_a_joined_submit_fails_with_the_other(autojump_clock: MockClock, path: Path) -> None:
    disk = Disk()
    failures: list[str] = []

    async def submit(what: str, **options: Any) -> None:
        try:
            await queue.submit(note, what, id="i", **options)
        except StoreFailed:
            failures.append(what)

    async with open_job_queue(store=SqliteStore(path, run_sync=disk)) as queue:
        disk.problem, disk.seconds = "no", 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit, "a")
            await trio.sleep(0.5)
            await submit("b", on_conflict=OnConflict.JOIN)
        disk.problem = ""

    assert sorted(failures) == ["a", "b"]
    assert RAN == []


async def test_what_could_not_be_written_is_written_later(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk)) as queue:
        await queue.submit(slow, "a")
        await trio.sleep(1)
        disk.problem = "no"
        async with queue.map(note, [1, 2]) as values:  # nobody waits until these are written
            assert [value async for value in values] == [1, 2]
        calls = disk.calls
        await trio.sleep(100)
        assert disk.calls - calls < 15  # the pauses grow
        assert live_ids(path) == ["job-1"]
        disk.problem = ""
        await trio.sleep(60)
        assert live_ids(path) == []
        assert len(rows(path, "SELECT * FROM jobs")) == 3


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_file_that_is_gone_fails_the_submit(
    is_replaced: bool, autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path) as queue:
        path.unlink()
        if is_replaced:
            path.touch()
        words = "was replaced since" if is_replaced else "No such file"
        with pytest.raises(StoreFailed, match=words):
            await queue.submit(note, "a")

    assert RAN == []


async def test_a_reader_of_the_file_is_waited_for_and_disturbs_nothing(path: Path) -> None:
    async with open_stored(path) as queue:
        await queue.run(note, 1)
        with closing(sqlite3.connect(path)) as db:
            db.execute("BEGIN")
            assert db.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
            await queue.run(note, 2)
            assert db.execute("SELECT count(*) FROM jobs").fetchone() == (1,)


async def test_the_submits_of_a_moment_share_a_transaction(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk), max_pending=None) as queue:
        queue.pause()
        calls = disk.calls
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(queue.submit, note, number)
        assert disk.calls - calls == 1
        assert len(live_ids(path)) == 100


async def test_a_job_is_not_called_before_its_start_is_in_the_file(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk)) as queue:
        disk.seconds = 5
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.submit, slow, "a", 1)
            await trio.sleep(4)
            assert RAN == []
        assert trio.current_time() == 5
        await trio.testing.wait_all_tasks_blocked()
        assert RAN == [("a", 1)]  # the start went with the submit
        assert rows(path, "SELECT status, attempts FROM jobs") == [("running", 1)]


async def test_new_jobs_are_flushed_to_the_disk(
    autojump_clock: MockClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[int] = []
    real = StoreFile._drop_old_and_surplus

    def trim(file: StoreFile, db: sqlite3.Connection, now: float, ended: int) -> int:
        levels.append(db.execute("PRAGMA synchronous").fetchone()[0])
        return real(file, db, now, ended)

    monkeypatch.setattr(StoreFile, "_drop_old_and_surplus", trim)
    async with open_stored(path) as queue:
        await queue.submit(slow, 1)

    assert levels == [1, 2, 1]  # FULL with the new job, NORMAL with its end


async def test_a_transaction_that_fails_half_way_leaves_nothing(
    autojump_clock: MockClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError("half way")

    async with open_stored(path) as queue:
        with monkeypatch.context() as patch:
            patch.setattr(StoreFile, "_drop_old_and_surplus", fail)
            with pytest.raises(StoreFailed, match="half way"):
                await queue.submit(note, "a")
        assert rows(path, "SELECT * FROM jobs") == []
        assert await queue.run(note, "b") == "b"


# Arguments


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"path": 1}, TypeError, "path must be text"),
        ({"path": "a", "codec": "yaml"}, ValueError, "codec must be 'json' or 'pickle'"),
        ({"path": "a", "functions": [5]}, TypeError, "functions takes functions and modules"),
        ({"path": "a", "functions": [lambda: 1]}, NotSendable, "is a lambda"),
        ({"path": "a", "functions": [], "codec": "pickle"}, ValueError, "needs codec='json'"),
        ({"path": "a", "max_kills": 0}, ValueError, "max_kills must be at least 1"),
        ({"path": "a", "run_sync": 1}, TypeError, "run_sync must be an async function"),
    ],
)
def test_arguments_are_checked(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        SqliteStore(**arguments)


def test_a_store_is_checked() -> None:
    assert repr(SqliteStore("/a.sqlite")) == "SqliteStore('/a.sqlite')"
    with pytest.raises(TypeError, match="store must be a SqliteStore"):
        open_job_queue(store="jobs.sqlite")  # type: ignore[arg-type]


async def test_around_is_inside_the_wait_for_the_file(path: Path) -> None:
    @asynccontextmanager
    async def around(context: JobContext) -> AsyncGenerator[None]:
        RAN.append(("enter", 0))
        yield
        RAN.append(("exit", 0))

    async with open_stored(path, around=around) as queue:
        await queue.run(note, 1)

    assert RAN == [("enter", 0), (1, 1), ("exit", 0)]
