"""Jobs and repeats as rows of a store's file, and back.

Times are seconds since 1970 on the wall clock. An offset is the difference between the wall clock
and Trio's clock.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, final, get_type_hints

from ticketr._errors import NotSendable
from ticketr.jobs._arguments import resolve_function
from ticketr.jobs._calls import (
    AllowedNames,
    Codec,
    JsonCodec,
    LoadFailed,
    import_by_name,
    importable_name,
    pack_job,
    pack_value,
    unpack_job,
)
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, RUNNING, CancelCause
from ticketr.jobs._maps.due_times import DueTimes, DueTimesFromFunction, Interval, utc
from ticketr.jobs._maps.repeat import Repeat, call_in_context
from ticketr.jobs._record import JobRecord
from ticketr.jobs._retry import Retry
from ticketr.jobs._sqlite.database import check_value_types
from ticketr.jobs._values import checked_seconds, full_repr, safe_repr, utf8_escaped

MAX_VALUE_BYTES: Final = 10_000_000
"""The most bytes of one job, its arguments included, and of one result."""
MAX_REPR_CHARACTERS: Final = 2000
"""The most characters of the ``repr`` of a result."""

SqlParameters: TypeAlias = tuple[object, ...]
"""The values of a job that a statement of the file writes, in its order."""


class JobRow(NamedTuple):
    """A job of the file.

    The result is bytes of the codec, or else the ``repr`` as text.
    """

    number: int
    id: str
    codec: str
    job: bytes | None
    key: bytes | None
    options: str
    submitted_at: float
    start_by: float | None
    scheduled_at: float | None
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


class RepeatRow(NamedTuple):
    """A repeat of the file."""

    id: str
    codec: str
    job: bytes
    key: bytes | None
    options: str
    priority: int
    every: str
    first_at: float
    due_at: float
    is_due_used: int
    is_paused: int
    runs: int
    missed: int


PYTHON_TYPES_BY_ROW_CLASS: Final = {row: get_type_hints(row) for row in (JobRow, RepeatRow)}


def check_row(row: JobRow | RepeatRow) -> None:
    """Check the values of a row.

    Raises:
        LoadFailed: They are damaged.
    """
    try:
        check_value_types(PYTHON_TYPES_BY_ROW_CLASS[type(row)], row)
    except ValueError as error:
        raise LoadFailed(f"its values are damaged: {error}") from error


# Jobs as values


def changing_live_values(record: JobRecord, offset: float) -> SqlParameters:
    """Return the values of a live job that change."""
    extras, attempt = record.extras, record.attempt
    total_ends_at = getattr(record, "total_ends_at", None)
    return (
        "running" if record.status is RUNNING else "pending",
        extras.priority,
        attempt,
        extras.uncounted_retries,
        record.due_at + offset,
        record.attempt_started_at + offset if attempt else None,
        None if total_ends_at is None else total_ends_at + offset,
    )


def running_as_pending_values(record: JobRecord, values: SqlParameters) -> SqlParameters:
    """Return live values; those of a running job as pending, its attempt as one not to count."""
    status, priority, attempts, _, *times = values
    if status != "running":
        return values
    return ("pending", priority, attempts, record.extras.uncounted_retries + 1, *times)


def end_values(record: JobRecord, codec: Codec, offset: float) -> SqlParameters:
    """Return how a job has ended."""
    cause = record.extras.cancel_cause
    error = record.error if record.status is FAILED else None
    return (
        record.status.value,
        record.attempt,
        record.finished_at + offset,
        None if cause is None else cause.value,
        None if error is None else json.dumps(error.as_dict()),
        _packed_result_or_repr(record.result, codec) if record.status is COMPLETED else None,
    )


def superseded_end_values(record: JobRecord, now: float) -> SqlParameters:
    """Return how a pending job ends whose place another one takes."""
    return (CANCELLED.value, record.attempt, now, CancelCause.SUPERSEDED.value, None, None)


def _packed_result_or_repr(result: object, codec: Codec) -> bytes | str | None:
    """Return a result as bytes; its ``repr`` if it would not come back equal; None for None."""
    if result is None:
        return None
    try:
        data = pack_value(result, codec)
    except NotSendable:
        data = b""
    if data and len(data) <= MAX_VALUE_BYTES:
        return data
    return utf8_escaped(full_repr(result)[:MAX_REPR_CHARACTERS])


def values_set_at_submit(record: JobRecord, call: PackedCall, offset: float) -> SqlParameters:
    """Return the values of a job that was submitted, after its number and before those that change."""
    start_by, scheduled_at = record.extras.start_by, record.extras.scheduled_at
    return (
        record.id,
        *(call.codec, call.job, call.key, call.options),
        record.submitted_at + offset,
        None if start_by is None else start_by + offset,
        None if scheduled_at is None else scheduled_at.timestamp(),
        0,  # kills
    )


# Submits as bytes


@final
@dataclass(frozen=True, slots=True)
class PackedCall:
    """A job's function, arguments and options as bytes.

    Attributes:
        codec: The codec of the job and its key.
        job: The job and its arguments.
        key: The key; None for none.
        options: The other options, which do not change while the job is live, as JSON.
        waits_for_write: Whether a submit waits until it is written, and fails if it cannot be.
    """

    codec: str
    job: bytes
    key: bytes | None
    options: str
    waits_for_write: bool = False


@final
@dataclass(slots=True, eq=False)
class NotedRow:
    """What was noted last of the row of a job.

    Also written in ``_sqlite.writer``: ``last_noted_live_values`` and
    ``was_ended_by_queue_end_alone``.

    Attributes:
        number: Its number.
        last_noted_live_values: Its values that change, written or not; None after the end.
        was_ended_by_queue_end_alone: Whether the end of the queue alone has ended the job, so the row
            stays as it is.
    """

    number: int
    last_noted_live_values: SqlParameters | None = None
    was_ended_by_queue_end_alone: bool = False


def last_noted_row_if_live(record: JobRecord) -> NotedRow | None:
    """Return the row of a job that has not ended; None if it has none."""
    row = record.extras.stored
    return row if type(row) is NotedRow and row.last_noted_live_values is not None else None


def was_ended_by_queue_end_alone(record: JobRecord) -> bool:
    """Tell whether the end of the queue alone has ended a job, so it stays in the file."""
    stored = record.extras.stored
    return type(stored) is NotedRow and stored.was_ended_by_queue_end_alone


def pack_call(
    record: JobRecord, job: object, args: tuple[object, ...], codec: Codec, *, waits_for_write: bool
) -> PackedCall:
    """Return what is kept of a submit.

    Raises:
        NotSendable: Another process could not run the job, or the store does not allow it.
    """
    extras, tags = record.extras, sorted(record.extras.tags)
    for what, value in {"id": extras.given_id, "name": record.name, "tags": tags}.items():
        JsonCodec().check(what, value)
    options = {
        "name": record.name,
        "tags": tags,
        "timeout": record.attempt_timeout,
        "retry": None if record.retry is None else pack_retry(record.retry),
        "any_end": extras.after_any_end,
    }
    data = pack_job(job, args, codec)
    if len(data) > MAX_VALUE_BYTES:
        problem = "is too large. Write its data to a file, and submit the path"
        raise NotSendable("the job", f"a job of more than {MAX_VALUE_BYTES:,} bytes", problem)
    key = None if extras.key is None else pack_value(extras.key, codec, "the key")
    call = PackedCall(codec.name, data, key, json.dumps(options), waits_for_write)
    if codec.allowed is not None:
        try:
            record_of_call(call, codec)
        except LoadFailed as error:
            raise NotSendable("the job", safe_repr(job), f"is refused: {error}") from error
    return call


def record_of_call(call: PackedCall | JobRow, codec: Codec) -> JobRecord:
    """Return a record of the job, with its key, name, tags, timeout and retry rule.

    Args:
        call: What is kept of the submit, or the row.
        codec: The codec that the store was opened with.

    Raises:
        LoadFailed: Something is damaged, is of another codec, or cannot be loaded.
    """
    if call.codec != codec.name:
        problem = f"its codec is {call.codec!r}, and the store was opened with {codec.name!r}"
        raise LoadFailed(problem)
    job, args = unpack_job(call.job or b"", codec)
    key = None if call.key is None else codec.decode(call.key)
    try:
        hash(key)
        options = json.loads(call.options)
        name, tags, timeout = options["name"], frozenset(options["tags"]), float(options["timeout"])
        retry = None if options["retry"] is None else unpack_retry(options["retry"], codec.allowed)
        function, _ = resolve_function(job, args)
    except (ValueError, KeyError, TypeError) as error:
        raise LoadFailed(f"its options are damaged: {error!r}") from error
    record = JobRecord((function, args, copy_context(), None), name, timeout, retry)
    record.set_options({"key": key, "tags": tags})
    return record


def pack_retry(retry: Retry) -> dict[str, object]:
    """Return a retry rule in JSON's types.

    Raises:
        NotSendable: Its errors cannot be imported.
    """
    on: Any = retry.on
    kinds = on if type(on) is tuple else (on,)
    names = [importable_name(kind, "'on' of the retry rule") for kind in kinds]
    return {**asdict(retry), "on": names}


def unpack_retry(rule: Mapping[str, Any], allowed: AllowedNames | None) -> Retry:
    """Return the retry rule that :func:`pack_retry` was given.

    Raises:
        LoadFailed: Something of it cannot be imported.
        ValueError, KeyError, TypeError: It is damaged.
    """
    kinds = [_import_error_class_or_predicate(name, allowed) for name in rule["on"]]
    return Retry(**{**rule, "on": kinds[0] if len(kinds) == 1 else tuple(kinds)})


def _import_error_class_or_predicate(name: str, allowed: AllowedNames | None) -> Any:
    """Import an error class, which need not be allowed, or a function that tells such errors."""
    if allowed is not None and name.partition(":")[0] in sys.modules:
        kind = import_by_name(name)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return kind
    return import_by_name(name, allowed)


# Repeats


def pack_every(every: object, codec: Codec, *, makes_up_latest_missed: bool = False) -> str:
    """Return the ``every`` of a repeat as text, and what to do about due times that it misses.

    Raises:
        NotSendable: It is a function that cannot be imported, or that the store does not allow.
    """
    missed = {"missed": "run_once"} if makes_up_latest_missed else {}
    if not callable(every):
        return json.dumps({"seconds": checked_seconds("every", every), **missed})
    what = "'every' of the repeat"
    name = importable_name(every, what)
    if codec.allowed is not None and name not in codec.allowed:
        raise NotSendable(what, safe_repr(every), "is not among the store's functions")
    return json.dumps({"function": name, **missed})


def row_unless_ended(repeat: Repeat, offset: float) -> RepeatRow | None:
    """Return the row of a repeat; None if it has ended."""
    template, times = repeat.template, repeat.due_times
    call = None if template is None else template.extras.stored
    if template is None or times is None or type(call) is not PackedCall:
        return None
    return RepeatRow(
        repeat.id,
        *(call.codec, call.job, call.key, call.options),
        template.extras.priority,
        repeat.every_as_stored,
        times.first_at + offset,
        times.due_at + offset,
        int(repeat.is_due_handled),
        int(repeat.is_paused),
        repeat.submitted_runs,
        repeat.missed,
    )


def repeat_of_row(row: RepeatRow, number: int, now: float, offset: float, codec: Codec) -> Repeat:
    """Return the repeat of a row.

    Args:
        row: The row.
        number: Its place in the order of the repeats.
        now: The time on Trio's clock.
        offset: The difference between wall-clock time and Trio's clock.
        codec: The codec that the store was opened with.

    Raises:
        LoadFailed: Its job or function cannot be imported or rebuilt.
    """
    check_row(row)
    stored = PackedCall(row.codec, row.job, row.key, row.options)
    template = record_of_call(stored, codec)
    template.set_options({"priority": row.priority, "stored": stored})
    return Repeat(
        *(row.id, number, template, _due_times_of(row, template, now, offset, codec), row.every),
        is_restored_unclaimed=True,
        is_due_handled=bool(row.is_due_used),
        is_paused=bool(row.is_paused),
        submitted_runs=row.runs,
        missed=row.missed,
        makes_up_latest_missed="missed" in json.loads(row.every),
    )


def _due_times_of(
    row: RepeatRow, template: JobRecord, now: float, offset: float, codec: Codec
) -> DueTimes:
    try:
        every: dict[str, Any] = json.loads(row.every)
        if "seconds" in every:
            seconds, first_at, due_at = every["seconds"], row.first_at - offset, row.due_at - offset
            if row.is_due_used or row.due_at > row.first_at:
                # The next is due within an interval, unless the clock was set back.
                ahead = max(math.floor((due_at - now) / seconds) - 1, 0) * seconds
                first_at, due_at = first_at - ahead, due_at - ahead
            return Interval(first_at, seconds, due_at)
        function = import_by_name(every["function"], codec.allowed)
    except (ValueError, KeyError, TypeError) as error:
        raise LoadFailed(f"its 'every' is damaged: {error!r}") from error
    following = partial(call_in_context, template, function)
    return DueTimesFromFunction(utc(row.due_at), following, offset)
