"""What an opening takes up: the jobs that are left in the file, and those that have ended.

A job that cannot be rebuilt stays in the file as it is, and is named in the log: its function may
be back with the next version of the program. So do the jobs that start after it.
"""

from __future__ import annotations

import json
import logging
import math
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from contextvars import copy_context
from operator import attrgetter
from typing import final

import trio

from ticketr._errors import JobTimedOut, TicketrError, TooManyKills
from ticketr.jobs._calls import LoadFailed
from ticketr.jobs._core import QueueCore
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._job import FAILED, CancelCause, JobErrorInfo, JobStatus, OnConflict
from ticketr.jobs._maps.due_times import utc
from ticketr.jobs._maps.repeat import Repeat
from ticketr.jobs._record import ENDED_CALL, JobRecord
from ticketr.jobs._sqlite.rows import (
    JobRow,
    NotedRow,
    RepeatRow,
    check_row,
    record_of_call,
    repeat_of_row,
)
from ticketr.jobs._sqlite.store import SqliteStore
from ticketr.jobs._sqlite.writer import PAGE_ROWS, StoreWriter
from ticketr.jobs._values import safe_str

logger = logging.getLogger("ticketr.jobs")


async def open_store(core: QueueCore, store: SqliteStore) -> None:
    """Open a store, and take up what is in it."""
    writer = store.make_writer(core)
    try:
        repeats, next_number = await writer.open_and_get_next_job_number()
        core.attach_store(writer)
        core.registry.number_ids_from(next_number)
        await StoreLoader(core, writer).restore_all(repeats)
    except BaseException:
        await writer.close()  # noqa: ASYNC102 - it is shielded and bounded
        raise


@final
class StoreLoader:
    """Takes up what is in a store's file.

    Attributes:
        numbers: The numbers of the live jobs that were taken up. In a dictionary they would have to
            be copied now and then, which takes several milliseconds.
        records: These jobs, in the same order.
        left_out: The numbers of those that stay in the file alone.
    """

    def __init__(self, core: QueueCore, writer: StoreWriter) -> None:
        self._core = core
        self._writer = writer
        self._now = core.now()
        self._offset = core.wall_clock.offset()
        self.numbers: list[int] = []
        self.records: list[JobRecord] = []
        self.left_out: set[int] = set()

    async def restore_all(self, repeats: Iterable[RepeatRow]) -> None:
        """Enter the jobs into the queue, in the order of their submits.

        Each has a checkpoint: where the dictionaries of a large queue grow, one takes milliseconds.
        """
        ended: list[JobRecord] = []
        page = await self._writer.jobs_after(0)
        while page:
            self._now = self._core.now()
            for row, predecessors in page:
                try:
                    if row.finished_at is not None:
                        ended.append(self._restore_ended(row, row.finished_at))
                    else:
                        self._restore_live(row, predecessors)
                except Exception as error:  # noqa: BLE001 - a class or key of the user's
                    self._list_unloaded_job(row, error)
                await trio.lowlevel.checkpoint()
            page = (
                [] if len(page) < PAGE_ROWS else await self._writer.jobs_after(page[-1][0].number)
            )
        for repeat in repeats:
            try:
                self._restore_repeat(repeat)
            except Exception as error:  # noqa: BLE001 - the same
                self._add_placeholder_repeat(repeat, error)
        ended.sort(key=attrgetter("finished_at"))
        for start in range(0, len(ended), PAGE_ROWS):
            self._core.registry.restore_ended(ended[start : start + PAGE_ROWS])
            await trio.lowlevel.checkpoint()

    def _list_unloaded_job(self, row: JobRow, error: Exception) -> None:
        """List a job that is not loaded, unless it has ended."""
        problem = _log_problem("Job", row.id, error)
        if row.finished_at is None:
            self.left_out.add(row.number)
            job_id = row.id if type(row.id) is str else f"row {row.number}"
            self._writer.mark_unloaded(job_id, row.number, problem)

    def _add_placeholder_repeat(self, row: RepeatRow, error: Exception) -> None:
        """List a repeat that is not loaded, for a call to take it over or to end it."""
        _log_problem("Repeat", row.id, error)
        repeats = self._core.repeats
        number = next(repeats.creation_orders)
        repeat = Repeat(
            row.id, number, is_restored_unclaimed=True, submitted_runs=row.runs, missed=row.missed
        )
        repeats.restore(repeat, None)

    # Live jobs

    def _restore_live(self, row: JobRow, predecessors: list[int]) -> None:
        core = self._core
        if any(number in self.left_out for number in predecessors):
            raise LoadFailed("it starts after a job that stays there")
        record = self._record_of(row)
        live = [job for number in predecessors if (job := self._find_restored(number)) is not None]
        if live:
            jobs = tuple(JobHandle[object](job) for job in live)
            any_end = json.loads(row.options)["any_end"]
            record.set_options({"after": jobs, "after_any_end": any_end})
        record.set_options({"stored": NotedRow(row.number, row[10:17])})
        core.try_enter_or_join(record, is_forced=True)
        record.restore_submitted_at(min(row.submitted_at - self._offset, self._now))
        self.numbers.append(row.number)
        self.records.append(record)
        if len(live) < len(predecessors):  # a job that was to complete has not
            core.cancel_pending(record, CancelCause.DEPENDENCY)

    def _find_restored(self, number: int) -> JobRecord | None:
        """Return the job with this number if it is already restored and live; else None."""
        index = bisect_left(self.numbers, number)
        return self.records[index] if number in self.numbers[index : index + 1] else None

    def _record_of(self, row: JobRow) -> JobRecord:
        check_row(row)
        record = record_of_call(row, self._writer.codec)
        offset, retry, started_at = self._offset, record.retry, row.started_at
        # A clock that stands before the submit was set back: the delay begins again.
        ahead = max(row.submitted_at - offset - self._now, 0)
        attempts = math.inf if retry is None else retry.attempts or math.inf
        if row.kills >= self._writer.max_kills or row.attempts - row.uncounted >= attempts:
            key, tags = record.extras.key, record.extras.tags  # it was running each time
            call = (_fail_after_kills, (row.kills,), copy_context(), None)
            record = JobRecord(call, record.name, record.attempt_timeout, None)
            record.set_options({"key": key, "tags": tags})
        options = {
            "given_id": row.id,
            "on_conflict": OnConflict.SUPERSEDE,
            "priority": row.priority,
            "restored_due_at": row.due_at - offset - ahead,
            "uncounted_retries": row.uncounted,
            "start_by": self._trio_time(row.start_by),
            "scheduled_at": None if row.scheduled_at is None else utc(row.scheduled_at),
        }
        record.set_options(options)
        times = self._trio_time(started_at), self._trio_time(row.total_ends_at)
        record.restore_attempts(0 if row.started_at is None else row.attempts, *times)
        return record

    def _trio_time(self, at: float | None) -> float | None:
        return None if at is None else at - self._offset

    # Repeats

    def _restore_repeat(self, row: RepeatRow) -> None:
        core = self._core
        number, writer = next(core.repeats.creation_orders), self._writer
        repeat = repeat_of_row(row, number, self._now, self._offset, writer.codec)
        run = core.registry.by_id.get(f"{repeat.id}#{repeat.submitted_runs}")
        core.repeats.restore(repeat, None if run is None or run.status.is_terminal else run)

    # Ended jobs

    def _restore_ended(self, row: JobRow, finished_at: float) -> JobRecord:
        check_row(row)
        core, codec, options = self._core, self._writer.codec, json.loads(row.options)
        name, tags, timeout = options["name"], frozenset(options["tags"]), options["timeout"]
        record = JobRecord(ENDED_CALL, name, timeout, None)
        record.set_options({"tags": tags, "priority": row.priority})
        record.note_cause(None if row.cancel_cause is None else CancelCause(row.cancel_cause))
        result: object = row.result
        if row.codec == codec.name:
            with suppress(LoadFailed):
                result = codec.decode(row.result) if isinstance(row.result, bytes) else result
            with suppress(Exception):  # the key's own code
                key = None if row.key is None else codec.decode(row.key)
                hash(key)
                record.set_options({"key": key})
        offset, started_at = self._offset, self._trio_time(row.started_at)
        record.accept(row.id, core.registry.count_restored_ended_job(), row.due_at - offset, core)
        record.restore_submitted_at(row.submitted_at - offset)
        record.restore_attempts(row.attempts if started_at is not None else 0, started_at, None)
        status = JobStatus(row.status)
        error = None if row.error is None else JobErrorInfo.from_dict(json.loads(row.error))
        exception = None
        if status is FAILED:
            if error is not None and error.type != JobTimedOut.__name__:
                exception = TicketrError(f"{error.type}: {error.message}")
            scheduled_at = None if row.scheduled_at is None else utc(row.scheduled_at)
            record.set_options({"stored": NotedRow(row.number), "scheduled_at": scheduled_at})
        record.set_failure(exception, error)
        record.restore_end(status, finished_at - offset, result)
        return record


def _log_problem(what: str, row_id: str, error: Exception) -> str:
    """Return why something cannot be taken up, and log it."""
    problem = safe_str(error) or type(error).__name__
    logger.error("%s %r cannot be taken up and stays in the store: %s", what, row_id, problem)
    return problem


async def _fail_after_kills(_: object, kills: int) -> None:
    """Fail a job, since its process has ended so often."""
    raise TooManyKills(kills)
