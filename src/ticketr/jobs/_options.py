"""What may be said about a job when it is submitted."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, TypedDict

from ticketr.jobs._context import function_of
from ticketr.jobs._job import JobRecord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ticketr.jobs._context import Job
    from ticketr.jobs._job import JobID


class JobOptions(TypedDict, total=False):
    """What may be said about a job when it is submitted, all of it optional.

    Attributes:
        id: Its ID, unique among the live jobs; otherwise the queue makes one up.
        name: What to call it; otherwise the job's or the function's own name.
        priority: Higher runs first, 0 unless given. Each point weighs as much as 30
            seconds of waiting, so that nothing waits for ever.
        tags: Words to find it by.
        timeout: How many seconds it may run; ``math.inf`` for no limit, None for the
            queue's own.
    """

    id: JobID | None
    name: str | None
    priority: int
    tags: Iterable[str]
    timeout: float | None


def record_of(
    job: Job[object] | Callable[..., Awaitable[object]],
    args: tuple[object, ...],
    default_timeout: float,
    id: JobID | None = None,  # noqa: A002  # the word users know
    name: str | None = None,
    priority: int = 0,
    tags: Iterable[str] = (),
    timeout: float | None = None,
) -> JobRecord:
    """The record of a new job with these options."""
    function, own_name = function_of(job)
    if isinstance(tags, str):
        raise TypeError(f"tags are several words, not one: write tags=[{tags!r}]")
    return JobRecord(
        function,
        args,
        contextvars.copy_context(),
        id=id or "",
        name=name if name is not None else own_name,
        priority=checked_priority(priority) if priority else 0,
        tags=frozenset(tags),
        timeout=default_timeout if timeout is None else checked_timeout(timeout),
    )


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
