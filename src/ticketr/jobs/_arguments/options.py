"""The options of a submit."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Hashable, Iterable
from contextvars import copy_context
from functools import partial
from inspect import CO_COROUTINE
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypedDict

import trio

from ticketr.jobs._arguments.function import resolve_function
from ticketr.jobs._arguments.retry import Retry
from ticketr.jobs._deadlock import without_marks
from ticketr.jobs._handle import JobHandle
from ticketr.jobs._job import JobID, OnConflict
from ticketr.jobs._record import JobRecord
from ticketr.jobs._scheduling.dependencies import After
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
    from ticketr.jobs._context import Job

MAX_PRIORITY: Final = 10**9
"""The highest priority; one beyond 64 bits would not fit into a store."""
checked_priority = partial(checked_whole, "priority", least=-MAX_PRIORITY, most=MAX_PRIORITY)
checked_timeout = partial(checked_seconds, "timeout", limit=True)


class JobOptions(TypedDict, total=False):
    """The options of a submit, all of them optional; None is the default.

    Attributes:
        id: The job's ID, unique among the live jobs. The default is one that the queue makes up.
        name: The job's name. The default is that of the job object or function.
        priority: A job of higher priority runs first; the default is 0.
        key: At most one job with the same key runs at a time. Any hashable object. A job that waits
            for its key holds no worker.
        on_conflict: What to do if a live job has the same ID, or, if no ID is given, the same key.
            The default is to reject an ID, and to wait for a key. An ID cannot wait.
        once: Whether not to run the job again if one with its ID has completed, and is still known:
            the submit gives the handle of that one then. Needs an ``id``, and the default of
            ``on_conflict`` is JOIN with it.
        after: Handles or IDs of jobs of the same queue. The job starts when all have completed. If
            one fails or is cancelled, also before the submit, the job is cancelled.
        after_any_end: Whether to start it however those jobs end.
        delay: The seconds to wait before the job may start.
        start_by: The time on Trio's clock by which the job must have started; otherwise it is
            cancelled.
        within: The same in seconds from the submit; not together with ``start_by``.
        tags: Words to find the job by.
        retry: When to retry the job after a failure; None for the queue's rule.
            ``Retry(attempts=1)`` never retries.
        timeout: The seconds that each attempt may take; ``math.inf`` for no limit, None for the
            queue's limit.
    """

    id: JobID | None
    name: str | None
    priority: int
    key: Hashable
    on_conflict: OnConflict | None
    once: bool
    after: Iterable[JobID | JobHandle[object]]
    after_any_end: bool
    delay: float
    start_by: float | None
    within: float | None
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
    """Return the record of a new job.

    Args:
        job: What was submitted.
        args: The arguments that follow the context.
        timeout: The queue's time limit, which an option may replace.
        retry: The queue's retry rule, which an option may replace.
        options: The options of the submit.

    Raises:
        TypeError, ValueError: The job or an option is invalid.
    """
    context = copy_context()
    if len(context) == 1:
        context = without_marks(context)
    # The common case: an async function with as many parameters as there are arguments.
    if (
        type(job) is FunctionType
        and (code := job.__code__).co_flags & CO_COROUTINE
        and code.co_argcount == len(args) + 1
        and not code.co_kwonlyargcount
    ):
        record = JobRecord(job, args, context, job.__name__, timeout, retry)
    else:
        function, name = resolve_function(job, args)
        record = JobRecord(function, args, context, name, timeout, retry)
    if options:
        record.set_options(checked_options(options))
    return record


def refuse_options(call: str, options: JobOptions, refused: Iterable[str], reason: str) -> None:
    """Raise TypeError for an option that makes no sense for the jobs of a map or a repeat."""
    for option in refused:
        if options.get(option) is not None:
            raise TypeError(f"{call} has no option {option!r}: {reason}")


def checked_options(options: JobOptions) -> dict[str, Any]:
    """Check the options of a submit, and return them by the names of a record's fields."""
    fields: dict[str, Any] = {}
    for option, value in options.items():
        known = OPTIONS.get(option)
        if known is None:
            raise TypeError(
                f"a job has no option {option!r}, only {', '.join(OPTIONS)}; an argument of the"
                " function goes into functools.partial(function, name=...)"
            )
        field, check = known
        if value is not None:
            if field in fields:
                raise ValueError("a job starts by one time: give start_by or within, not both")
            fields[field] = check(value)
    if fields.get("on_conflict") is OnConflict.WAIT and "id" in fields and "key" not in fields:
        raise ValueError(
            "OnConflict.WAIT is for a key: with an id alone, reject, join or supersede"
        )
    if fields.get("once"):
        if "id" not in fields:
            raise ValueError("once needs an id, by which the queue knows the job")
        fields.setdefault("on_conflict", OnConflict.JOIN)
    any_end = fields.pop("after_any_end", False)
    if jobs := fields.pop("after", ()):
        fields["after"] = After(jobs, any_end)
    return fields


def _checked_start_by(value: object) -> float | None:
    start_by = checked_number("start_by", value)
    return start_by if start_by != math.inf else None


def _start_within(value: object) -> float | None:
    seconds = checked_seconds("within", value, limit=True)
    return trio.current_time() + seconds if seconds != math.inf else None


def _checked_tags(tags: object) -> frozenset[str]:
    return frozenset(checked_text("a tag", tag) for tag in _checked_list("tags", tags))


def _checked_after(jobs: object) -> tuple[JobID | JobHandle[object], ...]:
    return tuple(
        job if isinstance(job, JobHandle) else checked_text("a job in after", job)
        for job in _checked_list("after", jobs)
    )


def _checked_list(what: str, value: Any) -> list[Any]:
    if isinstance(value, (str, JobHandle)):
        raise TypeError(f"{what} must be a list: write {what}=[{safe_repr(value)}]")
    try:
        return [*value]
    except TypeError as error:
        raise TypeError(f"{what} must be a list, not {safe_repr(value)}") from error


def checked_retry(retry: object) -> Retry:
    """Return a retry rule, or raise ``TypeError``."""
    if not isinstance(retry, Retry):
        raise TypeError(f"retry must be a Retry, such as Retry(attempts=3), not {safe_repr(retry)}")
    return retry


OPTIONS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    "id": ("id", partial(checked_text, "id")),
    "name": ("name", partial(checked_text, "name")),
    "priority": ("priority", checked_priority),
    "key": ("key", checked_key),
    "on_conflict": ("on_conflict", partial(checked_member, "on_conflict", kind=OnConflict)),
    "once": ("once", bool),
    "after": ("after", _checked_after),
    "after_any_end": ("after_any_end", bool),
    "delay": ("delay", partial(checked_seconds, "delay")),
    "start_by": ("start_by", _checked_start_by),
    "within": ("start_by", _start_within),
    "tags": ("tags", _checked_tags),
    "timeout": ("timeout", checked_timeout),
    "retry": ("retry", checked_retry),
}
"""The field of a record that each option fills, and what checks the value."""
