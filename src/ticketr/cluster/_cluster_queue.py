"""The queue of a cluster as its users see it."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Literal, TypeVar, TypeVarTuple, Unpack, final, overload

import trio

from ticketr.cluster._map import open_map
from ticketr.cluster._map_jobs import MapJobs
from ticketr.cluster._repeat import ClusterRepeat
from ticketr.cluster._submission import with_ids
from ticketr.cluster._submits import ClusterSubmits
from ticketr.jobs._due_times import make_due_times
from ticketr.jobs._items import check_items
from ticketr.jobs._job import CancelCause
from ticketr.jobs._options import refuse_options_of_one_run
from ticketr.jobs._store_repeats import pack_every
from ticketr.jobs._template import checked_map_options
from ticketr.jobs._values import checked_seconds, checked_text, checked_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from ticketr.cluster._submission import Submission
    from ticketr.jobs._context import Job, JobContext
    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._options import JobOptions

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@final
class ClusterQueue(ClusterSubmits):
    """Runs jobs in worker processes, on this machine and others; see :func:`open_cluster_queue`."""

    # Many jobs

    @overload
    def map(
        self,
        function: Callable[[JobContext, A], Awaitable[T]],
        items: Iterable[A] | AsyncIterable[A],
        /,
        *,
        ordered: bool = True,
        outcomes: Literal[False] = False,
        ahead: int = 100,
        **options: Unpack[JobOptions],
    ) -> AbstractAsyncContextManager[AsyncIterator[T]]: ...

    @overload
    def map(
        self,
        function: Callable[[JobContext, A], Awaitable[T]],
        items: Iterable[A] | AsyncIterable[A],
        /,
        *,
        ordered: bool = True,
        outcomes: Literal[True],
        ahead: int = 100,
        **options: Unpack[JobOptions],
    ) -> AbstractAsyncContextManager[AsyncIterator[JobSnapshot[T]]]: ...

    def map(
        self,
        function: Callable[[JobContext, Any], Awaitable[object]],
        items: Iterable[object] | AsyncIterable[object],
        /,
        *,
        ordered: bool = True,
        outcomes: bool = False,
        ahead: int = 100,
        **options: Unpack[JobOptions],
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Run a function as a job for each item, and give the results as an async iterator.

        ::

            async with queue.map(download, urls) as pages:
                async for page in pages:
                    print(page)

        Items are drawn and submitted as the results are read, many in one round trip. At a failure
        the other jobs are cancelled, and the iteration raises it. Leaving the block early cancels
        the jobs that are left, with the cause SCOPE; it is left when all jobs have ended. An error
        of the items cancels all jobs, and the iteration raises it.

        Cancellation:
            Of the iteration: loses no result. Of the block: cancels the jobs that are left, and
            waits for their ends, 10 seconds at most.

        Args:
            function: An async function that is called with a :class:`~ticketr.JobContext` and an
                item. Workers must be able to import it.
            items: An iterable or async iterable, which may be infinite, of what can be pickled. A
                generator is closed at the end of the map.
            ordered: Whether the results come in the order of the items, or as the jobs end.
            outcomes: Whether to give each job's final :class:`~ticketr.JobSnapshot`, that of a
                failed one too, instead of the values.
            ahead: The most jobs that are submitted and not read. All workers together need as many
                to be busy. ``max_pending`` of the queue holds, too.
            options: See :class:`~ticketr.JobOptions`; they apply to each job, ``id`` to none.

        Raises:
            TypeError, ValueError: The function, the items or an option is invalid.
            NotSendable: Workers could not import the function. Raised by the iteration: an item
                cannot be sent.
            JobFailed, JobCancelled, JobTimedOut, JobLost: Raised by the iteration, as ``result()``
                of a handle does.
            QueueClosed: The block of the queue has been left; also raised by the iteration.
            ClusterUnavailable: Raised by the iteration: the server takes no jobs now.
        """
        checked_map_options(with_ids(options))
        check_items(items)
        most = checked_whole("ahead", ahead, 1, sys.maxsize)

        def submission_of(item: object) -> Submission:
            return self._submitter.make(function, (item,), options)

        submission_of(None)  # refuses here what it would refuse for each item
        jobs = MapJobs(
            self._submitter,
            submission_of,
            ordered=bool(ordered),
            outcomes=bool(outcomes),
            ahead=most,
        )
        return open_map(jobs, items, outcomes=bool(outcomes))

    # Repeats

    @overload
    async def repeat(
        self,
        job: Job[object],
        /,
        *,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        **options: Unpack[JobOptions],
    ) -> ClusterRepeat: ...

    @overload
    async def repeat(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[object]],
        /,
        *args: *Ts,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        **options: Unpack[JobOptions],
    ) -> ClusterRepeat: ...

    async def repeat(
        self,
        job: Job[object] | Callable[..., Awaitable[object]],
        /,
        *args: object,
        every: float | Callable[[datetime], datetime],
        first: float | datetime = 0.0,
        **options: Unpack[JobOptions],
    ) -> ClusterRepeat:
        """Have workers run a job again and again, until the repeat is cancelled.

        The server keeps the repeat by its ID. Processes that declare the same one share it: the job
        and its options are those of the last call, and the due times go on unless ``every`` is
        another one. Of the workers, one makes each run, whichever comes first.

        The due times are ``first + n * every`` on the server's clock. One that passes while a run
        has not ended is skipped and counted, and so is one that no worker has seen for 10 seconds.
        Each run is a job of its own, with the ID ``<id>#n``, submitted above ``max_pending``. A run
        that fails or is cancelled does not end the repeat.

        Cancellation:
            The repeat may have been declared, or not.

        Args:
            job: As for :meth:`submit`.
            args: Arguments for the function.
            every: The seconds from one due time to the next, at least 0.001; or a function that
                workers can import, which returns the next due time for a due time, both datetimes
                with a time zone. It is given UTC. If it raises or returns no later time, the worker
                logs that and the repeat ends.
            first: The seconds until the first run, or its due time as a datetime with a time zone.
                Due times that are past are skipped.
            options: ``id`` (of the repeat, needed), ``name``, ``key``, ``priority``, ``retry``,
                ``tags`` and ``timeout``, which hold for each run.

        Raises:
            QueueClosed: The block of the queue has been left.
            NotSendable: Another process could not rebuild the job or ``every``.
            ClusterUnavailable: The server takes no jobs now; the repeat was not declared.
            TypeError, ValueError: The job, a due time or an option is invalid.
        """
        refuse_options_of_one_run(options)
        repeat_id = options.get("id")
        if not repeat_id:
            raise ValueError("a repeat of a cluster needs an id, by which all processes know it")
        run_options = options.copy()
        del run_options["id"]
        checked_text("id", repeat_id)
        template = self._submitter.make(job, args, run_options)
        now = trio.current_time() + self._events.shift
        due_times = make_due_times(every, first, now, 0.0, _call)
        spec, task = pack_every(every), template.record.task
        await self._store.call_surely(
            *("repeat", repeat_id, spec, due_times.due_at, now, "task", task),
            *("signed_every", self._codec.pack_every(task, spec), "key", template.record.key or ""),
            *template.fields,
        )
        return self._repeat(repeat_id)

    async def repeats(self) -> list[ClusterRepeat]:
        """Return all repeats of the queue that have not ended, whichever process has made them.

        Cancellation:
            Changes nothing.
        """
        found = await self._store.call_surely("repeat_list")
        return [self._repeat(repeat_id.decode()) for repeat_id in found]

    def _repeat(self, repeat_id: JobID) -> ClusterRepeat:
        return ClusterRepeat(repeat_id, self._store, self._codec, self.attach)

    # The end

    async def shutdown(self, *, grace: float | None = None) -> None:
        """Take no more jobs from this process, and wait until those that it has submitted have ended.

        Jobs of other processes, and repeats, go on. May be called more than once; a later call can
        only shorten the grace.

        Cancellation:
            The queue takes no more jobs. Those that have not ended go on.

        Args:
            grace: After how many seconds to cancel the jobs that have not ended; those that wait
                for a time or a rate, or in a pause, are cancelled at once. None or ``math.inf``:
                they may take as long as they like.

        Raises:
            TypeError, ValueError: The grace is no number of seconds.
        """
        limit = math.inf if grace is None else checked_seconds("grace", grace, limit=True)
        submitter = self._submitter
        submitter.close()
        if limit < math.inf:
            own = [*self._events.submissions]
            idle = [
                each for each in own if each.snapshot().waiting_for in ("time", "rate", "paused")
            ]
            await submitter.cancel_many(idle, CancelCause.SHUTDOWN)
        with trio.move_on_after(limit):
            await submitter.wait_own()
        await submitter.cancel_own(CancelCause.SHUTDOWN)
        await submitter.wait_own()

    def __repr__(self) -> str:
        state = "closed" if self._submitter.is_closed else "open"
        live = len(self._mirror.live)
        return (
            f"<ClusterQueue {self._store.keys.queue!r} {state}: {live} jobs of ours have not ended>"
        )


def _call(every: Callable[[datetime], datetime], due: datetime) -> datetime:
    return every(due)
