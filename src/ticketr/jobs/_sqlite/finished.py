"""A finished job as a history keeps it, as an object and as a row of its file.

A queue makes the row when the job ends: a tuple that holds nothing of the user's alive and needs no
conversion to be stored. The object is made from it when the job is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final, TypeAlias, final

from ticketr.jobs._job import COMPLETED, FAILED, CancelCause, JobID, JobStatus
from ticketr.jobs._record import NO_EXTRAS, NO_TAGS, JobRecord
from ticketr.jobs._sqlite.database import check_values
from ticketr.jobs._values import safe_repr

MAX_CHARS = 2000
"""The most characters of a text that a history keeps."""
MAX_TAG_CHARS = 100_000
"""The most characters that a history keeps of the tags of one job, all in all."""

Row: TypeAlias = tuple[object, ...]
"""The facts of a finished job: of a plain one in the order of ``PLAIN_COLUMNS``, of any other in that
of ``COLUMNS``. Times are wall-clock seconds."""

NULL: Final = math.nan
"""What a row holds for None. SQLite stores nan as NULL. Of a None, Python's ``sqlite3`` first looks
for an adapter, which takes longer than to bind ten values."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJob:
    """A finished job as a history keeps it: numbers, dates and texts only.

    The times are UTC dates, which mean the same in every process, unlike the times of a
    :class:`JobSnapshot`. Long texts are cut; of very many tags, the last ones in their order are
    left out.

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
        tags: The tags it was submitted with.
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
    tags: frozenset[str] = NO_TAGS


COLUMNS: Final = tuple(FinishedJob.__dataclass_fields__)
"""The names of the values of a row: the fields of a job, in their order."""

PLAIN_COLUMNS: Final = (
    *("run", "number", "id", "name", "submitted_at", "started_at", "finished_at", "result"),
)
"""The names of the values of a plain job's row; the others are the same for all of these.

A job is plain if it has completed at its first attempt, has reported nothing, and has no key nor any
other extras. Most jobs are, and half of the values takes half of the time, to gather and to store.
"""


def row_of_record(
    record: JobRecord, run: str, number: int, summary: Callable[[object], str], offset: float
) -> Row:
    """Return the row of a job that has ended.

    Args:
        record: The record of the job.
        run: The run that the job belongs to.
        number: The number of the job in the run.
        summary: Shortens a result to a text. What it raises is raised.
        offset: The difference between wall-clock time and Trio's clock.
    """
    if (
        record.status is COMPLETED
        and record.extras is NO_EXTRAS
        and record.attempt == 1
        and not record.report[3]  # a report has a revision
    ):
        name, result = record.name, summary(record.result)
        if not (name.isascii() and result.isascii() and len(name) + len(result) <= MAX_CHARS):
            name, result = clipped(name), clipped(result)
        return (
            run,
            number,
            record.id,  # the queue has made it
            name,
            record.submitted_at + offset,
            record.started_at + offset,
            record.finished_at + offset,
            result,
        )
    return _whole_row_of_record(record, run, number, summary, offset)


def _whole_row_of_record(
    record: JobRecord, run: str, number: int, summary: Callable[[object], str], offset: float
) -> Row:
    """Return the row of a job that is not plain."""
    status, attempt, extras = record.status, record.attempt, record.extras
    key, cause = extras.key, extras.cancel_cause
    result: object = NULL
    error_type: object = NULL
    error_message: object = NULL
    if status is COMPLETED:
        result = clipped(summary(record.result))
    elif status is FAILED and record.error is not None:
        error_type, error_message = clipped(record.error.type), clipped(record.error.message)
    current: float = 0
    total: float = 0
    message = ""
    if attempt and record.report[3]:
        current, total, message, _ = record.report
        current, total = storable_number(current), storable_number(total)
        message = clipped(message)
    return (
        run,
        number,
        clipped(record.id),
        clipped(record.name),
        NULL if key is None else clipped(key if type(key) is str else safe_repr(key)),
        # SQLite stores an exact string ten times as fast as a member of an enumeration.
        "completed" if status is COMPLETED else status.value,
        attempt,
        record.submitted_at + offset,
        record.started_at + offset if attempt else NULL,
        record.finished_at + offset,
        NULL if cause is None else cause.value,
        error_type,
        error_message,
        current,
        total,
        message,
        result,
        NULL if extras.tags is NO_TAGS else tags_text(extras.tags),
    )


def row_of_job(job: FinishedJob) -> Row:
    """Return the row of a finished job."""
    values = {name: getattr(job, name) for name in COLUMNS}
    for name in ("submitted_at", "started_at", "finished_at"):
        if (date := values[name]) is not None:
            values[name] = date.timestamp()
    values["status"] = str(job.status)
    if job.cancel_cause is not None:
        values["cancel_cause"] = str(job.cancel_cause)
    values["tags"] = tags_text(job.tags) if job.tags else None
    return tuple(NULL if value is None else value for value in values.values())


def whole_row(row: Row) -> Row:
    """Return the row of a job, plain or not, in the order of ``COLUMNS``."""
    if len(row) == len(COLUMNS):
        return row
    run, number, job_id, name, submitted_at, started_at, finished_at, result = row
    times = (submitted_at, started_at, finished_at)
    return (
        *(run, number, job_id, name, NULL, "completed", 1),
        *(*times, NULL, NULL, NULL, 0, 0, "", result, NULL),
    )


KINDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(COLUMNS, str),
    **dict.fromkeys(("key", "cancel_cause", "error_type", "error_message"), str | None),
    **dict.fromkeys(("result", "tags"), str | None),
    **dict.fromkeys(("number", "attempts"), int),
    **dict.fromkeys(("submitted_at", "finished_at", "current", "total"), int | float),
    "started_at": int | float | None,
}
"""The types of the values of a row."""


def job_of_row(row: Row) -> FinishedJob:
    """Return the finished job of a row.

    Raises:
        ValueError: A value is damaged, or a later version wrote it.
    """
    facts = [None if value is NULL else value for value in whole_row(row)]
    check_values(KINDS, facts)
    values: dict[str, Any] = dict(zip(COLUMNS, facts, strict=True))
    try:
        for name in ("submitted_at", "started_at", "finished_at"):
            if (seconds := values[name]) is not None:
                values[name] = datetime.fromtimestamp(seconds, UTC)
        tags = json.loads(values["tags"] or "[]")
    except (OverflowError, OSError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if type(tags) is not list or not all(type(tag) is str for tag in tags):
        raise ValueError(f"tags are {tags!r:.50}")
    values["tags"] = frozenset(tags) if tags else NO_TAGS
    values["status"] = JobStatus(values["status"])
    if values["cancel_cause"] is not None:
        values["cancel_cause"] = CancelCause(values["cancel_cause"])
    return FinishedJob(**values)


def clipped(text: str) -> str:
    """Return a text shortened to ``MAX_CHARS``, with what UTF-8 cannot encode escaped."""
    if text.isascii() and len(text) <= MAX_CHARS:  # nearly always
        return text
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tags_text(tags: Iterable[str]) -> str:
    """Return tags as a row holds them: a list in JSON, which is ASCII."""
    return json.dumps(sorted(_kept_tags(tags)))


def _kept_tags(tags: Iterable[str]) -> frozenset[str]:
    """Return the tags that a history keeps: whole ones, since a part of one is another tag."""
    ends = accumulate(map(len, ordered := sorted(tags)))
    return frozenset(tag for tag, end in zip(ordered, ends, strict=True) if end <= MAX_TAG_CHARS)


def storable_number(number: float) -> float:
    """Return a number that SQLite can store."""
    if isinstance(number, int) and abs(number) < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf
