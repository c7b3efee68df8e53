"""How a change of a job reaches those who read it.

Updates are state, not a stream: a slow reader needs the present state of a job, not every state
that it has passed. So a reader's memory channel carries the job's record, never twice at a time,
and the snapshot is made when the reader takes the record out. This gives all the promises at once:

* A change costs a lookup and at most one ``send_nowait``. It never waits, so a slow reader does
  not slow down a job.
* A slow reader gets the newest snapshot of each job.
* An ended record does not change any more, so a final snapshot is never overwritten or followed by
  another, and never lost: its record is in the channel already, or is sent again.
* Memory is bounded by the number of jobs, and that by ``MAX_UNREAD_JOBS``.

A record that Trio has handed to a task parked in ``receive()`` counts as unread until that task
runs. Trio does not cancel a receiver that already has its value.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, final

import trio

from ticketr.jobs._deadlock import refuse_wait_for_all, wait_for_jobs
from ticketr.jobs._record import JobRecord
from ticketr.jobs._trio import OwnerRun, protect_methods_from_ki

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore

MAX_UNREAD_JOBS = 10_000
"""The most unread jobs of a reader; beyond it the oldest is dropped."""

T_co = TypeVar("T_co", covariant=True)  # what a reader gets of a job


@final
@protect_methods_from_ki
@dataclass(eq=False, repr=False)
class Updates(trio.abc.ReceiveChannel[T_co]):
    """Changes of jobs as they happen: a context manager, and a ``trio.abc.ReceiveChannel``.

    ::

        with queue.watch() as updates:
            async for snapshot in updates:
                print(snapshot.name, snapshot.status)

    It begins with the first change after it was opened, and ends when nothing can follow. It is
    meant for one consumer. A slow consumer gets the newest state of each job, and always the final
    one. Updates arrive until it is closed, or until your program holds no reference to it.

    Attributes:
        missed: The number of jobs that were dropped unread because 10,000 others were unread too.
    """

    _core: QueueCore
    _view: Callable[[JobRecord], T_co]
    _only_job: JobRecord | None  # the job that it reads; None for all jobs
    _only_reports: bool
    _until_idle: bool
    _unread: set[JobRecord] = field(default_factory=set)
    _is_over: bool = False
    _is_closed_by_reader: bool = False

    def __post_init__(self) -> None:
        self.missed: int = 0
        self._send, self._receive = trio.open_memory_channel[JobRecord](math.inf)

    def close(self) -> None:
        """Stop reading, and drop what is unread.

        A task that waits on this reader gets ``trio.ClosedResourceError``.
        """
        self._core.subscriptions.owner_run.check()
        self._is_closed_by_reader = True
        # The receiving end first: a task parked there is to get ClosedResourceError, not
        # EndOfChannel.
        self._receive.close()
        self._send.close()
        self._unread.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def aclose(self) -> None:
        """Close the reader as :meth:`close` does, at a checkpoint.

        Cancellation:
            The reader is closed in any case.
        """
        self.close()
        await trio.lowlevel.checkpoint()

    async def receive(self) -> T_co:
        """Wait for the next change.

        Cancellation:
            Loses nothing: what was not returned is still unread.

        Raises:
            trio.EndOfChannel: There will be no more changes.
            trio.ClosedResourceError: This reader was closed.
            WouldDeadlock: Called inside a job that keeps the one from ending that this reads, or
                that would read until its own queue is idle.
        """
        self._core.subscriptions.owner_run.check()
        self._end_or_expect_idle()
        park = self._receive.receive
        if self._until_idle and not self._would_receive_at_once():
            refuse_wait_for_all(self._core, "the queue to be idle, which includes itself")
        if self._only_job is None:
            record = await park()
        else:
            record = await wait_for_jobs(self._core, self._job_awaited_by_receive, park)
        self._unread.discard(record)
        return self._view(record)

    def receive_nowait(self) -> T_co:
        """Return the next change if there is one.

        Raises:
            trio.WouldBlock: Nothing is unread.
            trio.EndOfChannel: There will be no more changes.
            trio.ClosedResourceError: This reader was closed.
        """
        self._core.subscriptions.owner_run.check()
        self._end_or_expect_idle()
        record = self._receive.receive_nowait()
        self._unread.discard(record)
        return self._view(record)

    def _would_receive_at_once(self) -> bool:
        """Return whether ``receive`` would return or raise at once."""
        return bool(self._unread) or self._is_over or self._is_closed_by_reader

    def _job_awaited_by_receive(self) -> Collection[JobRecord]:
        """Return the job that has to change before ``receive`` returns; none once it can."""
        return () if self._only_job is None or self._would_receive_at_once() else (self._only_job,)

    def _notify(self, record: JobRecord, *, is_report: bool) -> None:
        """Put a changed record into the channel, which must not hold it already, unless that is over."""
        if self._is_closed_by_reader or self._is_over or (self._only_reports and not is_report):
            return
        unread = self._unread
        if len(unread) >= MAX_UNREAD_JOBS:
            unread.discard(self._receive.receive_nowait())
            self.missed += 1
        unread.add(record)
        self._send.send_nowait(record)

    def _end_or_expect_idle(self) -> None:
        """End the channel if all is read and no job is left, or else expect that."""
        if self._until_idle and not self._is_closed_by_reader:
            if not self._core.is_idle:
                self._core.expect_idle()
            elif not self._unread:
                self._end()

    def _end(self) -> None:
        """End the channel: the reader gets what is unread, then the end."""
        self._is_over = True
        self._send.close()


WeakReaders: TypeAlias = tuple[weakref.ref[Updates[Any]], ...]
"""Weak references, so a reader that the program has dropped costs nothing.

The tuple is replaced and never changed, since user code that runs when unread records are dropped
may open readers meanwhile.
"""


@final
@dataclass(eq=False)
class Subscriptions:
    """The readers of one queue.

    Attributes:
        owner_run: The Trio run that the queue belongs to.
        was_watched: Whether there is, or has been, any reader.
        observer: Called with each job that has changed, before the readers; None for no such call.
    """

    _core: QueueCore
    owner_run: OwnerRun = field(default_factory=OwnerRun)
    was_watched: bool = False
    observer: Callable[[JobRecord], None] | None = None
    _readers: dict[JobRecord | None, WeakReaders] = field(  # by job; None for all jobs
        default_factory=lambda: {None: ()}
    )
    _is_closed: bool = False

    def observe(self, observer: Callable[[JobRecord], None]) -> None:
        """From now on, call a function with each job that changes.

        It must not change any.
        """
        self.observer = observer
        self.was_watched = True

    def watch(
        self,
        view: Callable[[JobRecord], T_co],
        record: JobRecord | None = None,
        *,
        only_reports: bool = False,
        until_idle: bool = False,
    ) -> Updates[T_co]:
        """Return a reader of the changes of every job, or of one.

        Args:
            view: Returns what is read of a job.
            record: The job; None for all jobs. If it has ended, its end is unread.
            only_reports: Whether to read progress reports alone.
            until_idle: Whether it ends when no job is pending or running.
        """
        self.owner_run.check()
        updates = Updates(self._core, view, record, only_reports, until_idle)
        if record is not None and record.status.is_terminal:
            updates._notify(record, is_report=False)
            updates._end()
        elif self._is_closed:
            updates._end()
        else:
            self.was_watched = True
            live = (reader for reader in self._readers.get(record, ()) if reader() is not None)
            self._readers[record] = (*live, weakref.ref(updates))
        return updates

    def notify_changed(self, record: JobRecord, *, is_report: bool = False) -> None:
        """Notify readers of a change of a job."""
        if self.observer is not None:
            self.observer(record)
        readers = self._readers[None]
        if len(self._readers) > 1:
            readers += self._readers.get(record, ())
        for reference in readers:
            updates = reference()
            if updates is not None and record not in updates._unread:
                updates._notify(record, is_report=is_report)

    def notify_ended(self, record: JobRecord) -> None:
        """Notify readers of a job's end, and end the readers of that job."""
        self.notify_changed(record)
        _end_readers(self._readers.pop(record, ()))

    def notify_idle(self) -> None:
        """Notify readers that no job is pending or running."""
        for reference in self._readers[None]:
            if (updates := reference()) is not None:
                updates._end_or_expect_idle()

    def close(self) -> None:
        """End all readers, since no job will change from now on."""
        self._is_closed = True
        self.owner_run.allow_any_caller()
        _end_readers(self._readers[None])


def _end_readers(readers: WeakReaders) -> None:
    for reference in readers:
        if (updates := reference()) is not None:
            updates._end()
