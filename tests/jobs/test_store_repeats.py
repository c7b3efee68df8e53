"""Repeats that go on with the next opening of a store."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.durable import RAN, change, cut_off, note, open_stored, rows, slow
from trio.testing import MockClock

from ticketr import DuplicateJob, JobContext, NotSendable, open_job_queue
from ticketr.jobs._maps.due_times import utc


@pytest.fixture(autouse=True)
def _wall_clock(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1e9 + autojump_clock.current_time())


def ten_seconds_later(due: datetime) -> datetime:
    return due + timedelta(seconds=10)


async def scheduled(context: JobContext) -> None:
    assert context.scheduled_at is not None
    RAN.append((round(context.scheduled_at.timestamp() - 1e9), trio.current_time()))


async def scheduled_slowly(context: JobContext) -> None:
    RAN.append((context.scheduled_at,))
    await trio.sleep(100)


def a_third_later(due: datetime) -> datetime:
    return due + timedelta(seconds=1 / 3)


async def timed(context: Any, what: object) -> None:
    RAN.append((what, context.id, trio.current_time()))


async def test_a_repeat_goes_on_by_itself(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path, 25) as queue:
        queue.repeat(timed, "a", every=10, id="r", key="k", tags=["t"], priority=2)
    await trio.sleep(20)

    async with cut_off(path) as queue:
        await trio.sleep(10)
        job = queue.snapshot("r#4")

    # Those at 30 and 40 passed while no queue was open.
    assert [("a", f"r#{n}", at) for n, at in [(1, 0), (2, 10), (3, 20), (4, 50)]] == RAN
    assert (job.key, job.tags, job.priority) == ("k", frozenset({"t"}), 2)


async def test_a_first_run_that_is_far_ahead_stays_there(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 5) as queue:
        queue.repeat(timed, "a", every=10, first=100, id="r")

    async with cut_off(path) as queue:
        await trio.sleep(100)

    assert RAN == [("a", "r#1", 100)]


@pytest.mark.parametrize("every", [10, ten_seconds_later])
async def test_the_latest_due_time_that_an_opening_has_missed_has_a_run_if_that_was_asked(
    autojump_clock: MockClock, path: Path, every: Any
) -> None:
    async with cut_off(path, 5) as queue:
        queue.repeat(scheduled, every=every, id="r", missed="run_once")
    await trio.sleep(40)

    async with cut_off(path, 5) as queue:
        await trio.sleep(1)
        (repeat,) = queue.repeats()
        assert (repeat.runs, repeat.missed) == (2, 4)

    assert RAN == [(0, 0), (40, 45), (50, 50)]  # the due time, and when it was run


async def test_a_run_that_was_cut_off_knows_its_due_time(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 6) as queue:
        queue.repeat(scheduled_slowly, every=a_third_later, first=1 / 3, id="r")

    async with cut_off(path) as queue:
        await trio.sleep(1)

    assert [(utc(1e9 + 1 / 3),)] * 2 == RAN


@pytest.mark.parametrize("is_taken_over", [False, True])
async def test_a_late_run_is_not_lost_by_an_opening_that_ends_at_once(
    is_taken_over: bool, autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 5) as queue:
        queue.repeat(scheduled, every=10, id="r", missed="run_once")
    await trio.sleep(40)

    for _ in range(2):
        async with open_stored(path) as queue:
            if is_taken_over:
                queue.repeat(scheduled, every=10, id="r", missed="run_once")
    async with cut_off(path) as queue:
        await trio.sleep(1)
        (repeat,) = queue.repeats()
        assert (repeat.runs, repeat.missed) == (2, 4)

    assert RAN == [(0, 0), (40, 45)]


async def test_a_run_by_hand_is_for_the_due_time_that_was_missed(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 5) as queue:
        queue.repeat(scheduled, every=10, id="r", missed="run_once")
    await trio.sleep(40)

    async with cut_off(path) as queue:
        assert queue.repeat(scheduled, every=10, id="r", missed="run_once").run_now()
        await trio.sleep(1)
        assert [job.id for job in queue.jobs()] == ["r#1", "r#2"]

    assert RAN == [(0, 0), (40, 45)]


async def test_a_call_with_its_id_takes_it_over(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path, 2) as queue:
        queue.repeat(timed, "old", every=10, first=1, id="r")

    async with cut_off(path) as queue:
        repeat = queue.repeat(timed, "new", every=10, first=1, id="r")
        with pytest.raises(DuplicateJob):
            queue.repeat(timed, "again", every=10, id="r")
        await trio.sleep(10)
        assert (repeat.runs, repeat.missed) == (2, 0)

    async with cut_off(path, 5) as queue:
        queue.repeat(timed, "other", every=3, first=1, id="r")

    assert RAN == [
        ("old", "r#1", 1),
        ("new", "r#2", 11),
        ("other", "r#3", 13),
        ("other", "r#4", 16),
    ]


@pytest.mark.parametrize(
    ("seconds", "due"),
    [
        (1e6, 15),
        (4, 9),  # not again at the time that it has run at
    ],
)
async def test_a_clock_that_was_set_back_holds_up_no_repeat(
    autojump_clock: MockClock,
    seconds: float,
    due: float,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with cut_off(path, 5) as queue:
        queue.repeat(timed, "a", every=10, id="r")
    monkeypatch.setattr(time, "time", lambda: 1e9 + autojump_clock.current_time() - seconds)

    async with cut_off(path) as queue:
        repeat = queue.repeat(timed, "a", every=10, id="r")
        assert repeat.next_at is not None
        wait = repeat.next_at.timestamp() - time.time()

    assert wait == due


async def test_a_pause_is_kept(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path, 1) as queue:
        queue.repeat(timed, "a", every=10, first=5, id="r").pause()

    async with cut_off(path, 9) as queue:
        await trio.sleep(20)
        assert RAN == []
        queue.repeat(timed, "a", every=10, first=5, id="r").resume()

    assert [at for *_, at in RAN] == [25]


async def test_a_run_that_was_cut_off_is_the_run_of_its_repeat(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 5) as queue:
        queue.repeat(slow, "a", every=15, id="r")

    async with cut_off(path) as queue:
        await trio.sleep(5)
        repeat = queue.repeat(slow, "a", every=15, id="r")
        assert repeat.next_at is None  # while its run lasts
        assert [job.id for job in queue.jobs()] == ["r#1"]
        await trio.sleep(12)
        assert [job.id for job in queue.jobs()] == ["r#1", "r#2"]

    assert RAN == [("a", 1), ("a", 2), ("a", 2, "end"), ("a", 1)]


@pytest.mark.parametrize(
    ("args", "options", "error", "words"),
    [
        ((1,), {"every": 5}, ValueError, "needs an id"),
        (
            (1,),
            {"every": lambda due: due, "id": "r"},
            NotSendable,
            "'every' of the repeat .*lambda",
        ),
        (((1,),), {"every": 5, "id": "r"}, NotSendable, "argument 1"),
        ((1,), {"every": "5", "id": "r"}, TypeError, "every must be a number"),
        ((1,), {"every": 0, "id": "r"}, ValueError, "every must be at least 0.001"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    args: Any,
    options: Any,
    error: type[Exception],
    words: str,
    autojump_clock: MockClock,
    path: Path,
) -> None:
    async with open_stored(path) as queue:
        with pytest.raises(error, match=words):
            queue.repeat(note, *args, **options)

    assert rows(path, "SELECT * FROM repeats") == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE repeats SET every = '{}'", "its 'every' is damaged"),
        ("UPDATE repeats SET every = '5'", "its 'every' is damaged"),
        ("UPDATE repeats SET job = x'7b'", "this is not JSON"),
        ("UPDATE repeats SET due_at = 'x'", "its values are damaged"),
    ],
)
async def test_a_repeat_that_cannot_be_taken_up_stays(
    statement: str,
    words: str,
    autojump_clock: MockClock,
    path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with cut_off(path, 1) as queue:
        queue.repeat(note, "a", every=10, first=5, id="r")
    change(path, statement)

    async with cut_off(path) as queue:
        await trio.sleep(50)

    assert RAN == []
    assert "Repeat 'r' cannot be taken up and stays in the store" in caplog.text
    assert words in caplog.text
    assert len(rows(path, "SELECT * FROM repeats")) == 1


# The counts, and the list


async def test_the_counts_go_on_over_restarts(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path) as queue:
        repeat = queue.repeat(timed, "a", every=10, first=5, id="r")
        await trio.sleep(20)
        assert (repeat.runs, repeat.missed) == (2, 0)
    await trio.sleep(27)  # those at 25, 35 and 45 pass

    for missed in (3, 4):
        async with cut_off(path) as queue:
            (repeat,) = queue.repeats()
            assert (repeat.id, repeat.runs, repeat.missed) == ("r", 2, missed)
        await trio.sleep(10)

    async with cut_off(path) as queue:
        again = queue.repeat(timed, "b", every=10, first=5, id="r")
        assert (again.runs, again.missed) == (2, 5)
        await trio.sleep(10)
        assert (again.runs, again.missed) == (3, 5)
        again.pause()
    await trio.sleep(100)

    async with open_stored(path) as queue:  # due times in a pause do not count
        assert [(r.runs, r.missed) for r in queue.repeats()] == [(3, 5)]


async def test_a_repeat_that_the_program_no_longer_has_is_listed_and_can_be_ended(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path) as queue:
        queue.repeat(timed, "a", every=10, first=5, id="old")
        queue.repeat(timed, "b", every=10, first=5, id="new")

    async with open_stored(path) as queue:
        queue.repeat(timed, "b", every=10, first=5, id="new")
        assert [repeat.id for repeat in queue.repeats()] == ["old", "new"]
        assert queue.cancel_repeat("old")
        assert not queue.cancel_repeat("old")
        assert not queue.cancel_repeat("other")
        with pytest.raises(TypeError, match="repeat_id must be text"):
            queue.cancel_repeat(5)  # type: ignore[arg-type]
        assert [repeat.id for repeat in queue.repeats()] == ["new"]
        await trio.sleep(6)
        await queue.shutdown(grace=0)
        assert queue.repeats() == []

    assert [what[0] for what in RAN] == ["b"]
    assert rows(path, "SELECT id FROM repeats") == [("new",)]


async def test_a_repeat_that_cannot_be_loaded_is_listed_and_can_be_ended(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 15) as queue:
        queue.repeat(note, "a", every=10, id="r")
    change(path, "UPDATE repeats SET every = '5'")

    async with cut_off(path, 30) as queue:
        (repeat,) = queue.repeats()
        assert repr(repeat) == "<RepeatHandle id='r', not loaded, 2 runs, 0 missed>"
        assert (repeat.next_at, repeat.run_now(), repeat.snapshot()) == (None, False, None)
        repeat.pause()
        repeat.resume()
    async with cut_off(path) as queue:
        taken = queue.repeat(note, "b", every=10, first=5, id="r")
        assert (taken.runs, taken.missed) == (2, 0)
        await trio.sleep(6)
        assert taken.snapshot() == queue.snapshot("r#3")
    change(path, "UPDATE repeats SET every = '5'")
    async with open_stored(path) as queue:
        assert queue.cancel_repeat("r")
        assert queue.repeats() == []
        await trio.sleep(1)

    assert rows(path, "SELECT id FROM repeats") == []
    assert [what[0] for what in RAN] == ["a", "a", "b"]


async def test_a_queue_without_a_store_lists_its_repeats(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        first = queue.repeat(timed, "a", every=10, first=5)
        queue.repeat(timed, "b", every=10, first=5)
        assert [repeat.id for repeat in queue.repeats()] == ["repeat-1", "repeat-2"]
        first.cancel()
        assert [repeat.id for repeat in queue.repeats()] == ["repeat-2"]
        assert repr(first) == "<RepeatHandle id='repeat-1', ended, 0 runs, 0 missed>"
