"""The rows of a store's file. Times are seconds since 1970 on the wall clock."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final, NamedTuple

from ticketr._errors import NotSendable
from ticketr.jobs._calls.codecs import CODECS
from ticketr.jobs._calls.importable import LoadFailed
from ticketr.jobs._calls.sendable import pack_value
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, RUNNING, CancelCause
from ticketr.jobs._readers.json import json_text
from ticketr.jobs._sqlite.store_calls import MAX_BYTES
from ticketr.jobs._values import exact_str, full_repr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.jobs._calls.codecs import CodecName
    from ticketr.jobs._calls.stored_call import StoredCall
    from ticketr.jobs._record import JobRecord


class LiveValues(NamedTuple):
    """What of a live job changes: the values that an attempt, a retry or a call changes."""

    status: str
    priority: int
    attempts: int
    uncounted: int
    due_at: float
    started_at: float | None
    total_ends_at: float | None


class EndValues(NamedTuple):
    """How a job has ended.

    The result is bytes of the codec, or else the ``repr`` as text.
    """

    status: str
    attempts: int
    finished_at: float
    cancel_cause: str | None
    error: str | None
    result: bytes | str | None


class NewRow(NamedTuple):
    """A job that was submitted."""

    number: int
    id: str
    codec: str
    job: bytes
    key: bytes | None
    options: str
    submitted_at: float
    start_by: float | None
    predecessors: Mapping[int, bool]


class JobRow(NamedTuple):
    """A job of the file."""

    number: int
    id: str
    codec: CodecName
    job: bytes
    key: bytes | None
    options: str
    submitted_at: float
    start_by: float | None
    kills: int
    status: str
    priority: int
    attempts: int
    uncounted: int
    due_at: float
    started_at: float | None
    total_ends_at: float | None
    finished_at: float | None
    cancel_cause: str | None
    error: str | None
    result: bytes | str | None


COLUMNS: Final = JobRow._fields


def live_values(record: JobRecord, offset: float) -> LiveValues:
    """Return the values of a live job that change.

    Args:
        record: The job's record.
        offset: The difference between wall-clock time and Trio's clock.
    """
    extras, attempt, retry = record.extras, record.attempt, record.retry
    has_total = attempt and retry is not None and retry.total is not None
    return LiveValues(
        "running" if record.status is RUNNING else "pending",
        extras.priority,
        attempt,
        extras.uncounted_retries,
        record.due_at + offset,
        record.started_at + offset if attempt else None,
        record.total_ends_at + offset if has_total else None,
    )


def interrupted(values: LiveValues) -> LiveValues:
    """Return the values of a job whose queue ends before it does: the attempt does not count."""
    if values.status != "running":
        return values
    return values._replace(status="pending", uncounted=values.uncounted + 1)


def end_values(record: JobRecord, codec: CodecName, offset: float) -> EndValues:
    """Return how a job has ended."""
    cause = record.extras.cancel_cause
    error = record.error if record.status is FAILED else None
    return EndValues(
        exact_str(record.status),
        record.attempt,
        record.finished_at + offset,
        None if cause is None else exact_str(cause),
        None if error is None else json.dumps(error.as_dict()),
        stored_result(record.result, codec) if record.status is COMPLETED else None,
    )


def superseded_values(record: JobRecord, now: float) -> EndValues:
    """Return how a pending job ends whose place another one takes."""
    cause = exact_str(CancelCause.SUPERSEDED)
    return EndValues(exact_str(CANCELLED), record.attempt, now, cause, None, None)


def stored_result(result: object, codec: CodecName) -> bytes | str | None:
    """Return a result as bytes; its ``repr`` if it would not come back equal; None for None."""
    if result is None:
        return None
    try:
        data = pack_value(result, CODECS[codec])
    except NotSendable:
        data = b""
    if data and len(data) <= MAX_BYTES:
        return data
    return json_text(full_repr(result)[:MAX_REPR])


MAX_REPR: Final = 2000
"""The most characters of the ``repr`` of a result."""


def new_row(
    record: JobRecord,
    number: int,
    call: StoredCall,
    predecessors: Mapping[int, bool],
    offset: float,
) -> NewRow:
    """Return the row of a job that was submitted."""
    extras = record.extras
    return NewRow(
        number,
        record.id,
        call.codec,
        call.job,
        call.key,
        call.options,
        record.submitted_at + offset,
        None if extras.start_by is None else extras.start_by + offset,
        predecessors,
    )


ENDED: Final = {COMPLETED, FAILED, CANCELLED}


def check_values(row: JobRow) -> None:
    """Check that the values of a job are of their types: SQLite keeps any in any column.

    Raises:
        LoadFailed: They are not.
    """
    counts = (row.kills, row.attempts, row.uncounted)
    has_ended = row.finished_at is not None
    times: list[object] = [row.submitted_at, row.due_at]
    others = (row.start_by, row.started_at, row.total_ends_at, row.finished_at)
    times += [at for at in others if at is not None]
    is_sound = (
        all(type(count) is int and count >= 0 for count in counts)
        and type(row.priority) is int
        and all(type(at) is float and math.isfinite(at) for at in times)
        and all(type(text) is str for text in (row.id, row.codec, row.options))
        and type(row.key) in (bytes, type(None))
        and (
            row.status in ENDED
            if has_ended
            else type(row.job) is bytes and (not row.attempts or row.started_at is not None)
        )
    )
    if not is_sound:
        raise LoadFailed("its values are damaged")
