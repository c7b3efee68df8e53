"""Run one attempt of a job that belongs to another queue.

The other queue, in another process or on disk, decides what follows: the attempt is not retried
here, whatever it raises.
"""

from __future__ import annotations

from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.jobs._queue import enter_attempt
from ticketr.jobs._record import JobRecord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from ticketr.jobs._handle import JobHandle
    from ticketr.jobs._job import JobID
    from ticketr.jobs._queue import JobQueue


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOptions:
    """What a job sees of itself in one attempt.

    Attributes:
        id: The job's ID.
        name: The job's name.
        attempt: The number of the attempt, from 1.
        timeout: The seconds that it may take; ``math.inf`` for no limit.
        key: The job's key, which the other queue looks after; None for none.
        tags: The job's tags.
    """

    id: JobID
    name: str
    attempt: int
    timeout: float
    key: Hashable = None
    tags: frozenset[str] = frozenset()


def submit_attempt(
    queue: JobQueue,
    function: Callable[..., Awaitable[object]],
    args: tuple[object, ...],
    options: AttemptOptions,
) -> JobHandle[object]:
    """Submit one attempt of a job to a queue, above its limit of pending jobs.

    Args:
        queue: The queue that runs it.
        function: Called with a :class:`JobContext` and ``args``.
        args: The arguments.
        options: What the job sees of itself.

    Raises:
        QueueClosed: The queue takes no more jobs.
        DuplicateJob: An attempt at this job has not ended.
    """
    record = JobRecord(function, args, Context(), options.name, options.timeout, None)
    record.set_options({"id": options.id, "tags": options.tags, "runs_once": True})
    record.restore(options.attempt - 1, 0.0, None)
    return enter_attempt(queue, record, options.key)
