"""What may be said about a job when it is submitted."""

from __future__ import annotations

import difflib
import math
from contextvars import copy_context
from inspect import CO_COROUTINE
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ticketr.jobs._function import function_of
from ticketr.jobs._job import JobRecord, OnConflict
from ticketr.jobs._retry import Retry
from ticketr.jobs._values import (
    checked_key,
    checked_member,
    checked_number,
    checked_seconds,
    checked_text,
    checked_whole,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable

    from ticketr.jobs._context import Job
    from ticketr.jobs._job import JobID


MOST: Final = 10**9
"""The highest priority; beyond it a float cannot tell the ranks apart."""


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
    """The record of a new job, whose time limit and retry rule are these unless it has its own.

    Raises:
        TypeError, ValueError: The job, or an option, is none.
    """
    function: Callable[..., Awaitable[object]]
    # Nearly always it is an async function of a context and just as many arguments.
    if (
        type(job) is FunctionType
        and (code := job.__code__).co_flags & CO_COROUTINE
        and code.co_argcount == len(args) + 1
        and not code.co_kwonlyargcount
    ):
        function, name = job, job.__name__
    else:
        function, name = function_of(job, args)
    record = JobRecord(function, args, copy_context(), name, timeout, retry)
    if options:
        take_options(record, options)
    return record


def take_options(record: JobRecord, options: JobOptions) -> None:
    """Check what is said about a job, and write it down."""
    for option, value in options.items():
        take = TAKES.get(option)
        if take is None:
            raise TypeError(_unknown(option))
        take(record, value)


def _unknown(option: str) -> str:
    near = difflib.get_close_matches(option, TAKES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(TAKES)}"
    return f"a job has no option {shown(option)}: {hint}"


def _take_id(record: JobRecord, value: object) -> None:
    if value is not None:
        record.id = checked_text("id", value)


def _take_name(record: JobRecord, value: object) -> None:
    if value is not None:
        record.name = checked_text("name", value)


def _take_priority(record: JobRecord, value: object) -> None:
    record.priority = checked_priority(value)


def _take_key(record: JobRecord, value: Hashable) -> None:
    record.key = checked_key(value)


def _take_on_conflict(record: JobRecord, value: object) -> None:
    if value is not None:
        record.on_conflict = checked_member("on_conflict", value, OnConflict)


def _take_delay(record: JobRecord, value: object) -> None:
    record.due_at = checked_seconds("delay", value)  # counted from the submission, which is to come


def _take_start_by(record: JobRecord, value: object) -> None:
    if value is not None:
        start_by = checked_number("start_by", value, "a time on Trio's clock")
        record.start_by = start_by if start_by != math.inf else None


def _take_tags(record: JobRecord, value: Any) -> None:
    if issubclass(type(value), str):
        raise TypeError(f"tags are several words, not one: write tags=[{shown(value)}]")
    try:
        tags = [*value]
    except TypeError as flaw:
        raise TypeError(f"tags must be several words, not {shown(value)}") from flaw
    record.tags = frozenset(checked_text("a tag", tag) for tag in tags)


def _take_timeout(record: JobRecord, value: object) -> None:
    if value is not None:
        record.timeout = checked_timeout(value)


def _take_retry(record: JobRecord, value: object) -> None:
    if value is not None:
        record.retry = checked_retry(value)


TAKES: Final[dict[str, Callable[[JobRecord, Any], None]]] = {
    "id": _take_id,
    "name": _take_name,
    "priority": _take_priority,
    "key": _take_key,
    "on_conflict": _take_on_conflict,
    "delay": _take_delay,
    "start_by": _take_start_by,
    "tags": _take_tags,
    "timeout": _take_timeout,
    "retry": _take_retry,
}
"""What checks each option and writes it down."""


def checked_priority(priority: object) -> int:
    """A priority, if it is one."""
    return checked_whole("priority", priority, -MOST, MOST)


def checked_timeout(seconds: object) -> float:
    """A time limit, if it is one."""
    return checked_seconds("timeout", seconds, limit=True)


def checked_retry(retry: object) -> Retry:
    """A retry rule, if it is one."""
    if type(retry) is not Retry:
        raise TypeError(f"retry must be a Retry, such as Retry(attempts=3), not {shown(retry)}")
    return retry
