"""What a history remembers of a job that has ended."""

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
"""Characters that are kept of a text; a history is no place for whole documents."""
MAX_DRIFT = 1.0
"""By how many seconds the two clocks may drift apart before it counts."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJob:
    """A job that has ended, as a history remembers it: plain values, nothing alive.

    The times are dates in UTC: unlike those of a :class:`JobSnapshot` they mean the
    same in every process. Long texts are cut.

    Attributes:
        run: Stands for one opening of one queue; job IDs may repeat from run to run.
        number: Its place among the jobs of the run, in the order in which they ended.
        id: The job's ID.
        name: The job's name.
        key: Its key as text; None if it had none.
        status: How it ended.
        attempts: How often its function was started.
        submitted_at: When the queue took it.
        started_at: When a worker took it last; None if none did.
        finished_at: When it ended.
        cancel_cause: Why it was stopped, or was asked to; None otherwise.
        error_type: The name of the class of what it failed with; None unless it failed.
        error_message: The message of that.
        current: How much it reported as done.
        total: How much it reported there was to do; 0 if that is unknown.
        message: What it last reported to be doing.
        result: A summary of what it returned; None unless it completed.
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
    """What to add to a time on Trio's clock to make it a date.

    Kept as it was, so that jobs stay in the order in which they ended: between two looks at two
    clocks anything may happen. Only a clock that was set, or a machine that slept, changes it.

    Args:
        offset: What it was before; None at first.
    """
    new = time.time() - trio.current_time()
    return new if offset is None or abs(new - offset) > MAX_DRIFT else offset


def finished_job(
    snapshot: JobSnapshot, run: str, number: int, summary: Callable[[object], str], offset: float
) -> FinishedJob:
    """The record of a job that has ended: this is where Trio's clock becomes a date."""
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
    """A text of bounded length that can be written as UTF-8."""
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS - 1] + "…"
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def storable_number(number: float) -> float:
    """A number that a database can hold."""
    if isinstance(number, int) and abs(number) < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf
