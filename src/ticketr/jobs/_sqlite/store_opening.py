"""What an opening takes up: the jobs that are left in the file, and those that have ended.

A job that cannot be rebuilt stays in the file as it is, and is named in the log: its function may
be back with the next version of the program. So do the jobs that start after it.
"""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr._errors import TicketrError, TooManyKills
from ticketr.jobs._arguments.function import resolve_function
from ticketr.jobs._calls.importable import LoadFailed
from ticketr.jobs._calls.stored_call import StoredCall
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._job import FAILED, CancelCause, JobErrorInfo, JobStatus, OnConflict
from ticketr.jobs._maps.repeat import Repeat
from ticketr.jobs._record import NO_CONTEXT, JobRecord, ended_job_function
from ticketr.jobs._scheduling.links import After
from ticketr.jobs._sqlite.store_calls import unpack_call
from ticketr.jobs._sqlite.store_file import PAGE
from ticketr.jobs._sqlite.store_repeats import repeat_of_row
from ticketr.jobs._sqlite.store_rows import LiveValues, check_values
from ticketr.jobs._values import safe_str

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._sqlite.store_file import Contents
    from ticketr.jobs._sqlite.store_repeats import RepeatRow
    from ticketr.jobs._sqlite.store_rows import JobRow
    from ticketr.jobs._sqlite.store_writer import StoreWriter

logger = logging.getLogger("ticketr.jobs")

TIMED_OUT: Final = "JobTimedOut"


async def open_store(core: QueueCore, store: StoreWriter) -> None:
    """Open a store, and take up what is in it."""
    contents = await store.open()
    try:
        store.attach(core)
        core.attach_store(store)
        core.repeats.observe(store.repeat_changed)
        await Opening(core, store).take_up(contents)
    except BaseException:
        await store.close()  # noqa: ASYNC102 - it is shielded and bounded
        raise


@final
class Opening:
    """Takes up what is in a store's file.

    Attributes:
        records: The jobs that were taken up, by number.
        left_out: The numbers of those that stay in the file alone.
    """

    def __init__(self, core: QueueCore, writer: StoreWriter) -> None:
        self._core = core
        self._writer = writer
        self._now = core.now()
        self._offset = core.wall_clock.offset()
        self.records: dict[int, JobRecord] = {}
        self.left_out: set[int] = set()

    async def take_up(self, contents: Contents) -> None:  # noqa: ASYNC910 - a file may be empty
        """Enter the jobs into the queue, in the order of their submits, page by page."""
        registry = self._core.registry
        registry.continue_ids(contents.next_number)
        ended: list[JobRecord] = []
        page = contents.jobs
        while page:
            self._now = self._core.now()
            for row, predecessors in page:
                with left_in_file("Job", row.id, partial(self._leave, row)):
                    if row.finished_at is not None:
                        ended.append(self._restore_ended(row, row.finished_at))
                    else:
                        self._enter(row, predecessors)
            await trio.lowlevel.checkpoint()
            page = [] if len(page) < PAGE else await self._writer.jobs_after(page[-1][0].number)
        for repeat in contents.repeats:
            with left_in_file("Repeat", repeat.id, partial(self._leave_repeat, repeat)):
                self._restore_repeat(repeat)
        ended.sort(key=lambda record: record.finished_at)
        for start in range(0, len(ended), PAGE):
            registry.restore_ended(ended[start : start + PAGE])
            await trio.lowlevel.checkpoint()
        self._core.totals.restore_ended(len(ended))

    def _leave(self, row: JobRow, problem: str) -> None:
        """List a job that is not loaded, unless it has ended."""
        if row.finished_at is None:
            job_id = row.id if type(row.id) is str else f"row {row.number}"
            self._writer.leave(job_id, row.number, problem)

    def _leave_repeat(self, row: RepeatRow, _: str) -> None:
        """List a repeat that is not loaded, for a call to take it over or to end it."""
        repeat = Repeat(row.id, self._core.repeats.next_number(), None, None, is_behind=False)
        repeat.restore("", is_due_used=False, is_paused=False, runs=row.runs, missed=row.missed)
        self._core.repeats.restore(repeat, None)

    # Live jobs

    def _enter(self, row: JobRow, predecessors: list[int]) -> None:
        core = self._core
        self.left_out.add(row.number)  # until it has entered
        if any(number in self.left_out for number in predecessors):
            raise LoadFailed("it starts after a job that stays there")
        check_values(row)
        record = self._record_of(row)
        live = [self.records[number] for number in predecessors if number in self.records]
        if live:
            jobs = tuple(JobHandle[object](job, core) for job in live)
            record.set_options({"after": After(jobs, json.loads(row.options)["any_end"])})
        values = LiveValues(*row[9:16])
        self._writer.know(record, row.number, row.codec, values)
        try:
            core.enter(record, above=True)
        except BaseException:
            self._writer.forget(record)
            raise
        record.restore_submit(min(row.submitted_at - self._offset, self._now))
        self.records[row.number] = record
        self.left_out.discard(row.number)
        if len(live) < len(predecessors):  # a job that was to complete has not
            core.cancel_pending(record, CancelCause.DEPENDENCY)

    def _record_of(self, row: JobRow) -> JobRecord:
        stored = StoredCall(row.codec, row.job, row.key, row.options)
        call = unpack_call(stored, self._writer.codec, self._writer.allowed)
        offset, retry = self._offset, call.retry
        # A clock that stands before the submit was set back: the delay begins again.
        now = max(self._now, row.submitted_at - offset)
        counted = row.attempts - row.uncounted
        has_no_attempt = retry is not None and counted >= (retry.attempts or float("inf"))
        if row.kills >= self._writer.max_kills or has_no_attempt:  # it was running
            record = JobRecord(
                _losing(row.kills), (), copy_context(), call.name, call.timeout, None
            )
        else:
            function, _ = resolve_function(call.job, call.args)
            record = JobRecord(function, call.args, copy_context(), call.name, call.timeout, retry)
        options = {
            "id": row.id,
            "on_conflict": OnConflict.SUPERSEDE,
            "key": call.key,
            "tags": call.tags,
            "priority": row.priority,
            "delay": row.due_at - offset - now,
            "uncounted_retries": row.uncounted,
            "start_by": None if row.start_by is None else row.start_by - offset,
        }
        record.set_options(options)
        started_at, total_ends_at = row.started_at, row.total_ends_at
        if total_ends_at is None and started_at is not None and retry is not None:
            total_ends_at = started_at + (retry.total or 0.0)
        record.restore(
            row.attempts,
            None if started_at is None else started_at - offset,
            None if total_ends_at is None else total_ends_at - offset,
        )
        return record

    # Repeats

    def _restore_repeat(self, row: RepeatRow) -> None:
        core = self._core
        number, writer = core.repeats.next_number(), self._writer
        repeat = repeat_of_row(row, number, self._now, self._offset, writer.codec, writer.allowed)
        run = core.registry.by_id.get(f"{repeat.id}#{repeat.runs}")
        core.repeats.restore(repeat, None if run is None or run.status.is_terminal else run)

    # Ended jobs

    def _restore_ended(self, row: JobRow, finished_at: float) -> JobRecord:
        check_values(row)
        core, offset = self._core, self._offset
        codec = self._writer.codec if row.codec == self._writer.codec.name else None
        options = json.loads(row.options)
        timeout = float("inf") if options["timeout"] is None else options["timeout"]
        record = JobRecord(ended_job_function, (), NO_CONTEXT, options["name"], timeout, None)
        cause = None if row.cancel_cause is None else CancelCause(row.cancel_cause)
        record.set_options({"tags": frozenset(options["tags"]), "priority": row.priority})
        record.note_cause(cause)
        result: object = row.result
        if codec is not None:
            with suppress(LoadFailed):
                result = codec.decode(row.result) if isinstance(row.result, bytes) else result
            with suppress(Exception):  # the key's own code
                key = None if row.key is None else codec.decode(row.key)
                hash(key)
                record.set_options({"key": key})
        due_at = row.due_at - offset
        record.accept(row.id, core.registry.next_number(), due_at, core)
        record.restore_submit(row.submitted_at - offset)
        started_at = None if row.started_at is None else row.started_at - offset
        record.restore(row.attempts if started_at is not None else 0, started_at, None)
        status = JobStatus(row.status)
        error = None if row.error is None else JobErrorInfo.from_dict(json.loads(row.error))
        exception = None
        if status is FAILED and error is not None and error.type != TIMED_OUT:
            exception = TicketrError(f"{error.type}: {error.message}")
        record.restore_end(status, finished_at - offset, result, error, exception)
        return record


@contextmanager
def left_in_file(
    what: str, row_id: str, leave: Callable[[str], None]
) -> Generator[None, None, None]:
    """Name what cannot be taken up in the log, and call a function with the reason."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a class or key of the user's may raise anything
        words = safe_str(error) or type(error).__name__
        logger.error(  # noqa: TRY400 - the words say it all
            "%s %r cannot be taken up and stays in the store: %s", what, row_id, words
        )
        leave(words)


def _losing(kills: int) -> Callable[..., Awaitable[object]]:
    """Return the function of a job that fails since its process has ended so often."""

    async def fail(_: object, /) -> None:
        raise TooManyKills(kills)

    return fail
