"""A finished job as a history keeps it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._job import JobStatus
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jobs._job import CancelCause, JobID, JobSnapshot

MAX_CHARS = 2000
"""The most characters of a text that a history keeps."""
MAX_DRIFT = 1.0
"""The difference in seconds by which the two clocks may drift apart unnoticed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJob:
    """A finished job as a history keeps it: numbers, dates and texts only.

    The times are UTC dates, which mean the same in every process, unlike the times of a
    :class:`JobSnapshot`. Long texts are cut.

    Attributes:
        run: Identifies one opening of one queue; job IDs may repeat from run to run.
        number: The job's number within the run, in the order in which the jobs ended.
        id: The job's ID.
        name: The job's name.
        key: The job's key as text; None if it had none.
        status: How the job ended.
        attempts: How often its function was called.
        submitted_at: When the queue took the job.
        started_at: When its last attempt started; None if none did.
        finished_at: When the job ended.
        cancel_cause: Why the job was cancelled, or was asked to stop; None otherwise.
        error_type: The class name of its error; None unless it failed.
        error_message: The message of its error; None unless it failed.
        current: How much the job reported as done.
        total: How much it reported there was to do; 0 if unknown.
        message: The last message that it reported.
        result: A summary of its result; None unless it completed.
    """

    run: str
    number: int
    id: JobID
    name: str
    key: str | None
    status: JobStatus
    attempts: int
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime
    cancel_cause: CancelCause | None
    error_type: str | None
    error_message: str | None
    current: float
    total: float
    message: str
    result: str | None


def wall_clock_offset(offset: float | None) -> float:
    """Return the difference between wall-clock time and Trio's clock, in seconds.

    The old difference is returned while the new one is close to it, so that jitter between two clock
    readings does not reorder jobs. It changes if a clock was set, or if the machine slept.

    Args:
        offset: The old difference; None at first.
    """
    new = time.time() - trio.current_time()
    return new if offset is None or abs(new - offset) > MAX_DRIFT else offset


def finished_job(
    snapshot: JobSnapshot, run: str, number: int, summary: Callable[[object], str], offset: float
) -> FinishedJob:
    """Make the history entry of a job, with its times as dates.

    Args:
        snapshot: The final snapshot of the job.
        run: The run that the job belongs to.
        number: The number of the job in the run.
        summary: Shortens a result to a text.
        offset: The difference between wall-clock time and Trio's clock.
    """
    key = getattr(snapshot, "key", None)
    progress, error, started = snapshot.progress, snapshot.error, snapshot.started_at
    return FinishedJob(
        run=run,
        number=number,
        id=clipped(snapshot.id),
        name=clipped(snapshot.name),
        key=None if key is None else clipped(key if type(key) is str else safe_repr(key)),
        status=snapshot.status,
        attempts=snapshot.attempt,
        submitted_at=datetime.fromtimestamp(snapshot.submitted_at + offset, UTC),
        started_at=None if started is None else datetime.fromtimestamp(started + offset, UTC),
        finished_at=datetime.fromtimestamp((snapshot.finished_at or 0.0) + offset, UTC),
        cancel_cause=snapshot.cancel_cause,
        error_type=None if error is None else clipped(error.type),
        error_message=None if error is None else clipped(error.message),
        current=0 if progress is None else storable_number(progress.current),
        total=0 if progress is None else storable_number(progress.total),
        message="" if progress is None else clipped(progress.message),
        result=clipped(summary(snapshot.result))
        if snapshot.status is JobStatus.COMPLETED
        else None,
    )


def clipped(text: str) -> str:
    """Return a text shortened to ``MAX_CHARS``, with what UTF-8 cannot encode escaped."""
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS - 1] + "…"
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def storable_number(number: float) -> float:
    """Return a number that SQLite can store."""
    if isinstance(number, int) and abs(number) < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf
