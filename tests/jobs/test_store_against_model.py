"""Random programs that open a store again and again, after a shutdown or a crash.

A crash is a copy of the file as it is at that moment, with SQLite's log. The next opening uses the
copy.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trio
from fakes.durable import RAN, REPAIRED, break_down, live_ids, note, open_stored, rows, slow
from fakes.examples import examples
from fakes.small_jobs import quiet
from hypothesis import given, strategies as st
from trio.testing import MockClock

from ticketr import CancelOutcome, DuplicateJob, JobQueue, JobStatus, UnknownJob
from ticketr.testing import StepReport, cancel_at_every_step

SUBMIT = st.tuples(
    st.just("submit"),
    st.sampled_from([0.0, 1.0, 3.0]),  # the delay
    st.sampled_from([None, "k", "l"]),  # the key
    st.integers(-1, 1),  # the priority
    st.lists(st.integers(0, 5), max_size=2),  # after which jobs
    st.booleans(),  # whether it fails until it is repaired
)
OTHERS = st.one_of(
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("retry"), st.integers(0, 5)),
    st.tuples(st.just("once"), st.integers(0, 5)),
    st.tuples(st.just("sleep"), st.sampled_from([0.0, 0.5, 2.0])),
    st.tuples(st.just("shutdown")),
    st.tuples(st.just("crash")),
)
PROGRAMS = st.lists(st.one_of(SUBMIT, OTHERS), max_size=14)


class Program:
    """A run of one program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count()
        self.path = folder / "0"
        self.after: dict[int, set[int]] = {}
        self.cancelled: set[int] = set()
        self.broken: set[int] = set()
        self.retried: set[int] = set()

    async def run(self, steps: list[tuple[object, ...]]) -> None:
        """Do the steps, then open the store once more and wait until all is done."""
        left = [*steps]
        while left:
            async with self._open() as queue:
                await self._run_in(queue, left)
        async with self._open():
            pass

    def _open(self) -> AbstractAsyncContextManager[JobQueue]:
        return open_stored(self.path, workers=2, max_pending=None, on_job_error=quiet)

    async def _run_in(self, queue: JobQueue, left: list[tuple[object, ...]]) -> None:
        path = self.path
        while left and path == self.path:
            kind, *args = left.pop(0)
            if kind == "submit":
                await self._submit(queue, *args)  # type: ignore[arg-type]
            elif kind == "cancel":
                self._cancel(queue, *args)  # type: ignore[arg-type]
            elif kind == "retry":
                await self._retry(queue, *args)  # type: ignore[arg-type]
            elif kind == "once":
                await self._submit_once(queue, *args)  # type: ignore[arg-type]
            elif kind == "sleep":
                await trio.sleep(*args)  # type: ignore[arg-type]
            elif kind == "shutdown":
                await queue.shutdown(grace=0)
                return
            else:
                self._crash()
        await queue.shutdown(grace=0)

    async def _submit(
        self,
        queue: JobQueue,
        delay: float,
        key: str | None,
        priority: int,
        after: list[int],
        is_broken: bool,
    ) -> None:
        number = len(self.after)
        before = [f"n{n}" for n in after if n < number]
        await queue.submit(
            break_down if is_broken else slow,
            number,
            id=f"n{number}",
            delay=delay,
            key=key,
            priority=priority,
            after=before,
        )
        self.after[number] = {n for n in after if n < number}
        if is_broken:
            self.broken.add(number)

    async def _retry(self, queue: JobQueue, number: int) -> None:
        REPAIRED.add(number)
        try:
            await queue.retry(f"n{number}")
        except (UnknownJob, DuplicateJob, ValueError):
            return
        self.retried.add(number)

    async def _submit_once(self, queue: JobQueue, number: int) -> None:
        if number not in self.after:
            return
        starts = len(RAN)
        had_completed = queue.status(f"n{number}") is JobStatus.COMPLETED
        handle = await queue.submit(slow, number, id=f"n{number}", once=True)
        if had_completed:
            assert await handle.result() == number
            assert len(RAN) == starts

    def _cancel(self, queue: JobQueue, number: int) -> None:
        if number in self.after and queue.cancel(f"n{number}") in {
            CancelOutcome.CANCELLED,
            CancelOutcome.REQUESTED,
        }:
            self.cancelled.add(number)

    def _crash(self) -> None:
        path = self.folder / str(1 + next(self.numbers))
        for ending in ("", "-wal"):
            if (file := self.path.with_name(self.path.name + ending)).exists():
                shutil.copyfile(file, path.with_name(path.name + ending))
        self.path = path

    def check(self) -> None:
        """Compare what has run with what should have."""
        ended = {what for what, _, *end in RAN if end}
        doomed = self.cancelled | self.broken
        for number, before in self.after.items():  # each names earlier ones alone
            if before & doomed:
                doomed.add(number)
        assert {*self.after} - doomed <= ended
        assert self.retried - self.cancelled <= ended
        assert live_ids(self.path) == []
        assert rows(self.path, "SELECT * FROM links") == []
        assert rows(self.path, "PRAGMA integrity_check") == [("ok",)]


@examples(400, in_gate=10)
@given(PROGRAMS)
def test_every_job_ends_that_nobody_has_cancelled(steps: list[tuple[object, ...]]) -> None:
    RAN.clear()
    REPAIRED.clear()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(Path(folder))
        trio.run(program.run, steps, clock=MockClock(autojump_threshold=0))
        program.check()


# A submit that has returned is kept, whatever is cancelled or interrupted at whatever step.


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.stress) for n in (1, 2))])
def test_what_was_submitted_is_run_at_last(seed: int, tmp_path: Path) -> None:
    numbers = itertools.count()
    path = tmp_path
    submitted: list[object] = []

    async def use() -> None:
        nonlocal path
        path = tmp_path / str(next(numbers))
        submitted.clear()
        RAN.clear()
        async with open_stored(path, workers=2) as queue:
            first = await queue.submit(slow, "a", 1)
            submitted.append("a")
            await queue.submit(note, "b", after=[first])
            submitted.append("b")
            await queue.submit(note, "c", delay=2, key="k")
            submitted.append("c")
            await queue.run(note, "run")

    async def check(_: StepReport) -> None:
        if not path.exists():
            assert submitted == []
            return
        async with open_stored(path):
            pass
        ran = {what[0] for what in RAN}
        assert {*submitted} <= ran
        assert live_ids(path) == []
        known = rows(path, "SELECT job FROM jobs WHERE status = 'completed'")
        assert len(known) <= 4
        attempts = [what for what in RAN if len(what) == 2]
        assert len(attempts) == len({*attempts})  # no attempt has the number of another

    summary = cancel_at_every_step(use, check=check, seed=seed, every=1 if seed else 10)

    assert summary.cancelled


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.stress)])
def test_what_was_retried_is_run_at_last(seed: int, tmp_path: Path) -> None:
    numbers = itertools.count()
    path = tmp_path
    is_retried = False

    async def use() -> None:
        nonlocal path, is_retried
        path, is_retried = tmp_path / str(next(numbers)), False
        RAN.clear()
        REPAIRED.clear()
        async with open_stored(path, on_job_error=quiet) as queue:
            await (await queue.submit(break_down, "a", id="a")).wait()
            REPAIRED.add("a")
            await queue.retry("a")
            is_retried = True

    async def check(_: StepReport) -> None:
        if not path.exists():
            return
        async with open_stored(path, on_job_error=quiet) as queue:
            await queue.wait_idle()
            failed = queue.jobs(status=JobStatus.FAILED)
            if failed:
                assert not is_retried
                REPAIRED.add("a")
                assert await (await queue.retry("a")).result() == "a"
        assert live_ids(path) == []
        assert len([ran for ran in RAN if "end" in ran]) <= 1

    summary = cancel_at_every_step(use, check=check, seed=seed, every=1 if seed else 5)

    assert summary.cancelled
