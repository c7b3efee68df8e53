"""What may be said about a job when it is submitted."""

from __future__ import annotations

import difflib
import math
from contextvars import copy_context
from inspect import CO_COROUTINE
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ticketr.jobs._function import resolve_function
from ticketr.jobs._job import JobRecord, OnConflict
from ticketr.jobs._retry import Retry
from ticketr.jobs._values import (
    checked_key,
    checked_member,
    checked_number,
    checked_seconds,
    checked_text,
    checked_whole,
    safe_repr,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable

    from ticketr.jobs._context import Job
    from ticketr.jobs._job import JobID


MAX_PRIORITY: Final = 10**9
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


def make_record(
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
        function, name = resolve_function(job, args)
    record = JobRecord(function, args, copy_context(), name, timeout, retry)
    if options:
        apply_options(record, options)
    return record


def apply_options(record: JobRecord, options: JobOptions) -> None:
    """Check what is said about a job, and write it down."""
    for option, value in options.items():
        take = OPTION_SETTERS.get(option)
        if take is None:
            raise TypeError(_unknown(option))
        take(record, value)


def _unknown(option: str) -> str:
    near = difflib.get_close_matches(option, OPTION_SETTERS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(OPTION_SETTERS)}"
    return f"a job has no option {safe_repr(option)}: {hint}"


def _set_id(record: JobRecord, value: object) -> None:
    if value is not None:
        record.id = checked_text("id", value)


def _set_name(record: JobRecord, value: object) -> None:
    if value is not None:
        record.name = checked_text("name", value)


def _set_priority(record: JobRecord, value: object) -> None:
    record.priority = checked_priority(value)


def _set_key(record: JobRecord, value: Hashable) -> None:
    record.key = checked_key(value)


def _set_on_conflict(record: JobRecord, value: object) -> None:
    if value is not None:
        record.on_conflict = checked_member("on_conflict", value, OnConflict)


def _set_delay(record: JobRecord, value: object) -> None:
    record.due_at = checked_seconds("delay", value)  # counted from the submission, which is to come


def _set_start_by(record: JobRecord, value: object) -> None:
    if value is not None:
        start_by = checked_number("start_by", value, "a time on Trio's clock")
        record.start_by = start_by if start_by != math.inf else None


def _set_tags(record: JobRecord, value: Any) -> None:
    if issubclass(type(value), str):
        raise TypeError(f"tags are several words, not one: write tags=[{safe_repr(value)}]")
    try:
        tags = [*value]
    except TypeError as flaw:
        raise TypeError(f"tags must be several words, not {safe_repr(value)}") from flaw
    record.tags = frozenset(checked_text("a tag", tag) for tag in tags)


def _set_timeout(record: JobRecord, value: object) -> None:
    if value is not None:
        record.timeout = checked_timeout(value)


def _set_retry(record: JobRecord, value: object) -> None:
    if value is not None:
        record.retry = checked_retry(value)


OPTION_SETTERS: Final[dict[str, Callable[[JobRecord, Any], None]]] = {
    "id": _set_id,
    "name": _set_name,
    "priority": _set_priority,
    "key": _set_key,
    "on_conflict": _set_on_conflict,
    "delay": _set_delay,
    "start_by": _set_start_by,
    "tags": _set_tags,
    "timeout": _set_timeout,
    "retry": _set_retry,
}
"""What checks each option and writes it down."""


def checked_priority(priority: object) -> int:
    """A priority, if it is one."""
    return checked_whole("priority", priority, -MAX_PRIORITY, MAX_PRIORITY)


def checked_timeout(seconds: object) -> float:
    """A time limit, if it is one."""
    return checked_seconds("timeout", seconds, limit=True)


def checked_retry(retry: object) -> Retry:
    """A retry rule, if it is one."""
    if type(retry) is not Retry:
        raise TypeError(f"retry must be a Retry, such as Retry(attempts=3), not {safe_repr(retry)}")
    return retry
