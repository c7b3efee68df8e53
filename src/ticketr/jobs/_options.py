"""What may be said about a job when it is submitted."""

from __future__ import annotations

import contextvars
import math
from types import FunctionType
from typing import TYPE_CHECKING, TypedDict

from ticketr.jobs._context import function_of
from ticketr.jobs._job import JobRecord, OnConflict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable

    from ticketr.jobs._context import Job
    from ticketr.jobs._job import JobID
    from ticketr.jobs._retry import Retry


class JobOptions(TypedDict, total=False):
    """What may be said about a job when it is submitted, all of it optional.

    Attributes:
        id: Its ID, unique among the live jobs; otherwise the queue makes one up.
        name: What to call it; otherwise the job's or the function's own name.
        priority: Higher runs first, 0 unless given. Each point weighs as much as 30
            seconds of waiting, so that nothing waits for ever.
        key: At most one job of a key runs at a time; one that waits for its key holds no
            worker. Anything hashable.
        on_conflict: What to do about a live job with the same ID if one is given, else
            with the same key. Unless given, an ID is rejected and a key waits.
        delay: For how many seconds not to run it.
        start_by: When it must have been started, on Trio's clock: if it has not, it is
            cancelled.
        tags: Words to find it by.
        retry: When to try it again if it fails; None for the queue's own, so
            ``Retry(attempts=1)`` for never.
        timeout: How many seconds each attempt may run; ``math.inf`` for no limit, None for the
            queue's own.
    """

    id: JobID | None
    name: str | None
    priority: int
    key: Hashable
    on_conflict: OnConflict | None
    delay: float
    start_by: float | None
    tags: Iterable[str]
    timeout: float | None
    retry: Retry | None


def record_of(
    job: Job[object] | Callable[..., Awaitable[object]],
    args: tuple[object, ...],
    timeout: float,
    retry: Retry | None,
    options: JobOptions,
) -> JobRecord:
    """The record of a new job, whose time limit and retry rule are these unless it has its own."""
    function: Callable[..., Awaitable[object]]
    if type(job) is FunctionType:  # nearly always
        function, name = job, job.__name__
    else:
        function, name = function_of(job)
    record = JobRecord(function, args, contextvars.copy_context(), name, timeout, retry)
    if options:
        take_options(record, **options)
    return record


def take_options(
    record: JobRecord,
    *,
    id: JobID | None = None,  # noqa: A002 - the word users know
    name: str | None = None,
    priority: int = 0,
    key: Hashable = None,
    on_conflict: OnConflict | None = None,
    delay: float = 0.0,
    start_by: float | None = None,
    tags: Iterable[str] = (),
    timeout: float | None = None,
    retry: Retry | None = None,
) -> None:
    """Check what is said about a job, and write it down."""
    if isinstance(tags, str):
        raise TypeError(f"tags are several words, not one: write tags=[{tags!r}]")
    if not 0 <= delay < math.inf:
        raise ValueError(f"delay must be a number of seconds, not {delay!r}")
    if start_by is not None and start_by != start_by:
        raise ValueError("start_by must be a time, not nan")
    record.id = id or ""
    record.priority = checked_priority(priority)
    record.key = checked_key(key)
    record.tags = frozenset(tags)
    record.due_at = delay  # counted from the submission, which is to come
    if name is not None:
        record.name = name
    if on_conflict is not None:
        record.on_conflict = OnConflict(on_conflict)
    if start_by is not None and start_by != math.inf:
        record.start_by = start_by
    if timeout is not None:
        record.timeout = checked_timeout(timeout)
    if retry is not None:
        record.retry = retry


def checked_key(key: Hashable) -> Hashable:
    """A key, if it can be one."""
    hash(key)
    return key


def checked_priority(priority: int) -> int:
    """A priority, if it is one."""
    if not -1e9 <= priority <= 1e9:
        raise ValueError(f"priority must be a number of at most 1e9, not {priority!r}")
    return priority


def checked_timeout(seconds: float) -> float:
    """A time limit, if it is one."""
    if not seconds >= 0:
        raise ValueError(f"timeout must be a number of seconds, not {seconds!r}")
    return seconds
