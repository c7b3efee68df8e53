"""What a program reads the changes of jobs from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._owner_thread import OwnerThread
from ticketr.jobs._readers.subscription import Subscription, WeakSubscriptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Self

    from ticketr.jobs._readers.subscription import Idle

T = TypeVar("T")
R = TypeVar("R")  # what is sent: a job's record
R_contra = TypeVar("R_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)  # what the reader sees of it


class WaitForChange(Protocol[R_contra]):
    """Waits for an update, unless it is a job that reads and would wait for ever."""

    def __call__(
        self,
        record: R_contra | None,
        is_ready: Callable[[], bool],
        park: Callable[[], Awaitable[T]],
        /,
        *,
        until_idle: bool,
    ) -> Awaitable[T]:
        """Await ``park`` and return its result.

        Args:
            record: The job whose updates are read; None for all jobs.
            is_ready: Returns whether the wait is over, or has been woken.
            park: Waits.
            until_idle: Whether the updates end when the queue is idle.

        Raises:
            WouldDeadlock: The wait is refused.
        """
        ...


@final
class Updates(trio.abc.ReceiveChannel[T_co]):
    """Changes of jobs as they happen: a context manager, and a ``trio.abc.ReceiveChannel``.

    ::

        with queue.watch() as updates:
            async for snapshot in updates:
                print(snapshot.name, snapshot.status)

    It begins with the first change after it was opened, and ends when nothing can follow. It is
    meant for one consumer. A slow consumer gets the newest state of each job, and always the final
    one. Updates arrive until it is closed, or until your program holds no reference to it.
    """

    def __init__(
        self,
        subscription: Subscription[R],
        view: Callable[[R], T_co],
        unsubscribe: Callable[[], object],
        wait_for_change: WaitForChange[R],
        record: R | None,
    ) -> None:
        self._subscription = subscription
        self._view = view
        self._unsubscribe = unsubscribe
        self._wait_for_change = partial(
            wait_for_change, record, until_idle=subscription.is_until_idle
        )

    @property
    def unread(self) -> int:
        """The number of jobs that have changed since they were last read."""
        return self._subscription.unread

    @property
    def missed(self) -> int:
        """The number of jobs that were dropped unread because 10,000 others were unread too."""
        return self._subscription.missed

    @enable_ki_protection
    def close(self) -> None:
        """Stop reading, and drop what is unread.

        A task that waits on this reader gets ``trio.ClosedResourceError``.
        """
        self._subscription.close()
        self._unsubscribe()

    def __enter__(self) -> Self:
        return self

    @enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self.close()

    @enable_ki_protection
    async def aclose(self) -> None:
        """Close the reader as :meth:`close` does, at a checkpoint.

        Cancellation:
            The reader is closed in any case.
        """
        self.close()
        await trio.lowlevel.checkpoint()

    @enable_ki_protection
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
        subscription = self._subscription
        if subscription.can_receive():
            return self._view(await subscription.take())
        return self._view(await self._wait_for_change(subscription.can_receive, subscription.take))

    @enable_ki_protection
    def receive_nowait(self) -> T_co:
        """Return the next change if there is one.

        Raises:
            trio.WouldBlock: Nothing is unread.
            trio.EndOfChannel: There will be no more changes.
            trio.ClosedResourceError: This reader was closed.
        """
        return self._view(self._subscription.take_nowait())

    @enable_ki_protection
    async def rest(self, until: float) -> None:
        """Wait for the first change at or after a time, or for the end, without reading it.

        Use it to draw at a limited rate. Changes before that time do not wake the task, so this
        costs less than a timer. All changes are unread afterwards. Put a cancel scope around it to
        bound the wait.

        Cancellation:
            Loses nothing.

        Args:
            until: The time, on Trio's clock.

        Raises:
            trio.ClosedResourceError: This reader was closed, before the call or during it.
            trio.BusyResourceError: Another task is in ``rest`` on this reader.
            TypeError, ValueError: ``until`` is not a time.
            WouldDeadlock: As :meth:`receive` raises it.
        """
        subscription = self._subscription
        await self._wait_for_change(subscription.rest_is_over, partial(subscription.rest, until))


@final
class Subscriptions(Generic[R]):
    """The readers of one queue.

    Attributes:
        owner_thread: The Trio run that the queue belongs to.
        is_watched: Whether there is, or has been, any reader.
        watchers: The readers of all changes of all jobs.
        progress_readers: The readers of the progress of all jobs.
        watchers_of: The readers of one job, by its record.
        observer: Called with each job that has changed, before the readers; None for no such call.
    """

    def __init__(self, wait_for_change: WaitForChange[R]) -> None:
        self.owner_thread: OwnerThread = OwnerThread()
        self._wait_for_change = wait_for_change
        self.is_watched: bool = False
        self.watchers: WeakSubscriptions[R] = WeakSubscriptions[R]()
        self.progress_readers: WeakSubscriptions[R] = WeakSubscriptions[R]()
        self.watchers_of: dict[R, WeakSubscriptions[R]] = {}
        self.observer: Callable[[R], None] | None = None
        self._closed = False

    def observe(self, observer: Callable[[R], None]) -> None:
        """From now on, call a function with each job that changes.

        It must not change any.
        """
        self.observer = observer
        self.is_watched = True

    def watch(self, view: Callable[[R], T_co], until: Idle | None = None) -> Updates[T_co]:
        """Return a reader of every change of every job, until this is idle."""
        return self._subscribe(self.watchers, view, until=until)

    def read_progress(self, view: Callable[[R], T_co], until: Idle | None = None) -> Updates[T_co]:
        """Return a reader of every progress report of every job, until this is idle."""
        return self._subscribe(self.progress_readers, view, until=until)

    def watch_one(self, record: R, view: Callable[[R], T_co], *, is_ended: bool) -> Updates[T_co]:
        """Return a reader of every change of one job.

        Args:
            record: The job's record.
            view: What the reader gets.
            is_ended: Whether the job has ended, so that its end is all there is to read.
        """
        if not is_ended:
            return self._subscribe(
                self.watchers_of.setdefault(record, WeakSubscriptions()), view, record
            )
        self.owner_thread.check()
        subscription = Subscription[R](self.owner_thread)
        subscription.notify(record)
        subscription.end()
        return Updates(subscription, view, lambda: None, self._wait_for_change, record)

    def _subscribe(
        self,
        readers: WeakSubscriptions[R],
        view: Callable[[R], T_co],
        record: R | None = None,
        until: Idle | None = None,
    ) -> Updates[T_co]:
        self.owner_thread.check()
        subscription = Subscription[R](self.owner_thread, until)
        if self._closed:
            subscription.end()
        else:
            self.is_watched = True
            readers.add(subscription)
        unsubscribe = partial(readers.remove, subscription)
        return Updates(subscription, view, unsubscribe, self._wait_for_change, record)

    def notify_changed(self, record: R) -> None:
        """Notify readers of a change of a job."""
        if self.observer is not None:
            self.observer(record)
        if self.watchers.references:
            self.watchers.notify(record)
        if self.watchers_of and (readers := self.watchers_of.get(record)) is not None:
            readers.notify(record)

    def notify_progress(self, record: R) -> None:
        """Notify readers of a job's progress report."""
        if self.progress_readers.references:
            self.progress_readers.notify(record)
        self.notify_changed(record)

    def notify_ended(self, record: R) -> None:
        """Notify readers of a job's end, and end the readers of that job."""
        self.notify_changed(record)
        if self.watchers_of and (readers := self.watchers_of.pop(record, None)) is not None:
            readers.end()

    def notify_idle(self) -> None:
        """Notify readers that no job is pending or running."""
        self.watchers.notify_idle()
        self.progress_readers.notify_idle()

    def close(self) -> None:
        """End all readers, since no job will change from now on."""
        self._closed = True
        self.owner_thread.close()
        self.watchers.end()
        self.progress_readers.end()
