"""The queue of a cluster as its users see it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, final, overload

import trio

from ticketr.cluster._map import open_map
from ticketr.cluster._map_jobs import MapJobs
from ticketr.cluster._submission import with_ids
from ticketr.cluster._submits import ClusterSubmits
from ticketr.jobs._items import check_items
from ticketr.jobs._job import CancelCause
from ticketr.jobs._template import checked_map_options
from ticketr.jobs._values import checked_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
    from contextlib import AbstractAsyncContextManager

    from ticketr.cluster._submission import Submission
    from ticketr.jobs._context import JobContext
    from ticketr.jobs._job import JobSnapshot
    from ticketr.jobs._options import JobOptions

A = TypeVar("A")
T = TypeVar("T")


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
        """
        checked_map_options(with_ids(options))
        check_items(items)
        most = checked_whole("ahead", ahead, 1, sys.maxsize)

        def submission_of(item: object) -> Submission:
            return self._submission(function, (item,), options)

        submission_of(None)  # refuses here what it would refuse for each item
        jobs = MapJobs(
            self, submission_of, ordered=bool(ordered), outcomes=bool(outcomes), ahead=most
        )
        return open_map(jobs, items, outcomes=bool(outcomes))

    # The end

    async def close(self, *, cancels: bool) -> None:
        """Take no more jobs; internal.

        Args:
            cancels: Whether to cancel the jobs that this process has submitted, too.
        """
        self._is_closed = True
        if cancels:
            async with trio.open_nursery() as nursery:
                for record in list(self._events.submissions):
                    nursery.start_soon(self._cancel, record.id, CancelCause.SCOPE)

    async def wait_own(self) -> None:
        """Wait for the jobs that this process has submitted; internal."""
        while self._events.submissions:
            await next(iter(self._events.submissions)).ended.wait()
        await trio.lowlevel.checkpoint()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        live = len(self._mirror.live)
        return (
            f"<ClusterQueue {self._store.keys.queue!r} {state}: {live} jobs of ours have not ended>"
        )
