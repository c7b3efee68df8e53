"""What may be said about a job when it is submitted."""

from __future__ import annotations

import difflib
import math
from contextvars import copy_context
from functools import partial
from inspect import CO_COROUTINE
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ticketr.jobs._function import resolve_function
from ticketr.jobs._job import OnConflict
from ticketr.jobs._record import JobRecord
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
        record.set_options(checked_options(options))
    return record


def checked_options(options: JobOptions) -> dict[str, object]:
    """Check the options of a submit, and return them by the names of a record's fields."""
    fields: dict[str, object] = {}
    for option, value in options.items():
        known = OPTIONS.get(option)
        if known is None:
            raise TypeError(_unknown(option))
        field, check = known
        if value is not None or option not in OPTIONAL:
            fields[field] = check(value)
    return fields


def _unknown(option: str) -> str:
    near = difflib.get_close_matches(option, OPTIONS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(OPTIONS)}"
    return f"a job has no option {safe_repr(option)}: {hint}"


def _checked_start_by(value: object) -> float | None:
    start_by = checked_number("start_by", value, "a time on Trio's clock")
    return start_by if start_by != math.inf else None


def _checked_tags(value: Any) -> frozenset[str]:
    if issubclass(type(value), str):
        raise TypeError(f"tags are several words, not one: write tags=[{safe_repr(value)}]")
    try:
        tags = [*value]
    except TypeError as flaw:
        raise TypeError(f"tags must be several words, not {safe_repr(value)}") from flaw
    return frozenset(checked_text("a tag", tag) for tag in tags)


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


OPTIONS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    "id": ("id", partial(checked_text, "id")),
    "name": ("name", partial(checked_text, "name")),
    "priority": ("priority", checked_priority),
    "key": ("key", checked_key),
    "on_conflict": ("on_conflict", partial(checked_member, "on_conflict", kind=OnConflict)),
    "delay": ("due_at", partial(checked_seconds, "delay")),  # counted from the submission
    "start_by": ("start_by", _checked_start_by),
    "tags": ("tags", _checked_tags),
    "timeout": ("timeout", checked_timeout),
    "retry": ("retry", checked_retry),
}
"""The field of a record that each option fills, and what checks the value."""
OPTIONAL: Final = frozenset({"id", "name", "on_conflict", "start_by", "timeout", "retry"})
"""The options of which None means that they are not given."""
