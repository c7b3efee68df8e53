"""Subscriptions: how a change of a job reaches those who watch.

Progress is a state, not a stream: a reader who falls behind wants to know where a
job is now, not every place it passed. So what travels through a reader's memory
channel is not a snapshot but the job's record, and no record is in the channel
twice; the snapshot is taken when the reader takes the record out. From that follow
all the promises at once:

* A change costs a lookup and, at most, one ``send_nowait``. It never waits, so a
  slow or a dead reader costs the job nothing.
* A slow reader gets the newest snapshot of each job.
* A record that has ended does not change any more. So an end is never overwritten
  or followed by anything, and it is never lost: either the record is still in the
  channel, or it is sent again.
* Memory is bounded by the number of jobs, and that by ``BACKLOG``.

The queue holds its readers weakly: one that nobody holds any more is gone at once, with all that
it had not read.

A record handed to a reader that is parked in ``receive()`` counts as unread until
that task runs; Trio does not cancel a receiver that already has its value.
"""

from __future__ import annotations

import contextlib
import math
import weakref
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._owner_thread import OwnerThread
from ticketr.jobs._values import checked_number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Self

BACKLOG = 10_000
"""Unread jobs a reader may have; beyond that the longest unread one is dropped."""

T = TypeVar("T")
R = TypeVar("R")  # what is sent: a job's record
R_contra = TypeVar("R_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)  # what the reader sees of it


class WaitForChange(Protocol[R_contra]):
    """Lets a task wait for a reader, unless that could be for ever."""

    def __call__(
        self,
        record: R_contra | None,
        is_ready: Callable[[], bool],
        park: Callable[[], Awaitable[T]],
        /,
    ) -> Awaitable[T]:
        """Return what ``park`` does.

        Args:
            record: Whose changes are read; None for those of all jobs.
            is_ready: Tells whether a parked task has been woken.
            park: Parks the task. It may be cancelled and called again.
        """
        ...


@final
class Subscription(Generic[R]):
    """One reader's memory channel, with no record in it twice."""

    def __init__(self, owner_thread: OwnerThread) -> None:
        self._owner_thread = owner_thread
        self._send, self._receive = trio.open_memory_channel[R](math.inf)
        self._unread: set[R] = set()
        self.missed: int = 0
        self._is_over = False
        self._is_closed = False
        self._rest_event: trio.Event | None = None  # set by the first post
        self._not_before = math.inf  # at or after this time

    @property
    def unread(self) -> int:
        """How many records wait to be taken."""
        return len(self._unread)

    def can_receive(self) -> bool:
        """Tell whether nobody has to wait to take something or to learn that this is over."""
        return bool(self._unread) or self._is_over or self._is_closed

    def rest_is_over(self) -> bool:
        """Tell whether whoever rests has been woken, or would not be put to rest."""
        is_woken = self._rest_event is not None and self._rest_event.is_set()
        return is_woken or self._is_over or self._is_closed

    def notify(self, record: R) -> None:
        """Let the reader know that this record changed."""
        if self._is_closed:
            return  # by code that runs as another reader is told
        unread = self._unread
        if self._rest_event is not None and trio.current_time() >= self._not_before:
            self._rest_event.set()
        if record in unread:
            return
        if len(unread) >= BACKLOG:
            unread.discard(self._receive.receive_nowait())
            self.missed += 1
        unread.add(record)
        self._send.send_nowait(record)

    async def take(self) -> R:
        """The longest unread record; it counts as read from here on."""
        self._owner_thread.check()
        record = await self._receive.receive()
        self._unread.discard(record)
        return record

    def take_nowait(self) -> R:
        """The same, if there is one."""
        self._owner_thread.check()
        record = self._receive.receive_nowait()
        self._unread.discard(record)
        return record

    async def rest(self, until: float) -> None:
        """Wait for the first post at or after this time, or the end."""
        self._owner_thread.check()
        until = checked_number("until", until, "a time on Trio's clock")
        if self._is_closed:
            raise trio.ClosedResourceError
        if self._rest_event is not None:
            raise trio.BusyResourceError("another task rests on this reader already")
        if self._is_over:
            await trio.lowlevel.checkpoint()
            return
        self._rest_event, self._not_before = trio.Event(), until
        try:
            await self._rest_event.wait()
        finally:
            self._rest_event = None
        if self._is_closed:
            raise trio.ClosedResourceError

    def end(self) -> None:
        """Nothing follows: the reader gets what is left, then the end."""
        self._is_over = True
        if self._rest_event is not None:
            self._rest_event.set()
        self._send.close()

    def close(self) -> None:
        """The reader has gone; a task that waits on it is told."""
        self._owner_thread.check()
        self._is_closed = True
        if self._rest_event is not None:
            self._rest_event.set()
        # This end first: a task parked here is told that it was closed, not that it was the end.
        self._receive.close()
        self._send.close()
        self._unread.clear()


@final
class WeakSubscriptions(Generic[R]):
    """The inboxes of some readers, each for as long as somebody holds it.

    The last to hold one may let it go in any thread and between any two lines. So all that
    happens then is that this is noted, in one step; it is taken out before the next is told.

    Attributes:
        references: To the inboxes. It is replaced rather than changed, since what is dropped
            unread may open and close readers while it is gone through.
    """

    __slots__ = ("_by_reference", "_gone", "references")

    def __init__(self) -> None:
        self.references: tuple[weakref.ref[Subscription[R]], ...] = ()
        self._by_reference: dict[weakref.ref[Subscription[R]], None] = {}
        self._gone: deque[weakref.ref[Subscription[R]]] = deque()

    def add(self, subscription: Subscription[R]) -> None:
        """Tell this one too from now on."""
        self._by_reference[weakref.ref(subscription, self._gone.append)] = None
        self._drop_dead()

    def remove(self, subscription: Subscription[R]) -> None:
        """Tell this one no more, if it is there."""
        self._by_reference.pop(weakref.ref(subscription), None)
        self._drop_dead()

    def notify(self, record: R) -> None:
        """Let them all know that this record changed."""
        if self._gone:
            self._drop_dead()
        for reference in self.references:
            subscription = reference()
            if subscription is not None:
                subscription.notify(record)

    def end(self) -> None:
        """Nothing follows."""
        for reference in self.references:
            subscription = reference()
            if subscription is not None:
                subscription.end()

    def _drop_dead(self) -> None:
        while self._gone:
            self._by_reference.pop(self._gone.popleft(), None)
        self.references = tuple(self._by_reference)


@final
class Updates(Generic[T_co]):
    """Changes of jobs as they happen: a context manager and an asynchronous iterator.

    ::

        with queue.watch() as updates:
            async for snapshot in updates:
                print(snapshot.name, snapshot.status)

    It begins with the first change after it was opened and ends when nothing can
    follow. It is meant for one consumer. A consumer that is slow gets the newest state
    of each job, and always the final one. It is fed until it is closed, or until nobody holds
    it any more.

    Attributes:
        unread: How many jobs have changed since they were last read.
        missed: How many jobs were dropped unread because 10,000 others were unread too.
    """

    def __init__(
        self,
        subscription: Subscription[R],
        view: Callable[[R], T_co],
        unsubscribe: Callable[[], object],
        waiting: WaitForChange[R],
        record: R | None,
    ) -> None:
        self._subscription = subscription
        self._view = view
        self._unsubscribe = unsubscribe
        self._wait_for_change = waiting
        self._record = record  # whose changes these are; None if all jobs'

    @property
    def unread(self) -> int:
        """How many jobs have changed since they were last read."""
        return self._subscription.unread

    @property
    def missed(self) -> int:
        """How many jobs were dropped unread because 10,000 others were unread too."""
        return self._subscription.missed

    @enable_ki_protection
    def close(self) -> None:
        """Stop reading; what is unread is thrown away.

        A task that waits on this reader gets ``trio.ClosedResourceError``.
        """
        self._subscription.close()
        self._unsubscribe()

    def __enter__(self) -> Self:
        return self

    @enable_ki_protection
    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T_co:
        try:
            return await self.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    @enable_ki_protection
    async def receive(self) -> T_co:
        """Wait for the next change.

        Cancellation:
            Loses nothing: what was not returned is still unread.

        Raises:
            trio.EndOfChannel: Nothing can follow.
            trio.ClosedResourceError: This reader was closed.
            WouldDeadlock: Called inside a job that keeps any change from coming.
        """
        subscription = self._subscription
        if subscription.can_receive():
            return self._view(await subscription.take())
        return self._view(
            await self._wait_for_change(self._record, subscription.can_receive, subscription.take)
        )

    @enable_ki_protection
    def receive_nowait(self) -> T_co:
        """Take the next change, if there is one that is unread.

        Raises:
            trio.WouldBlock: There is none yet.
            trio.EndOfChannel: Nothing can follow.
            trio.ClosedResourceError: This reader was closed.
        """
        return self._view(self._subscription.take_nowait())

    @enable_ki_protection
    async def rest(self, until: float) -> None:
        """Wait for the first change at or after a time, or for the end; reads nothing.

        For a reader that draws at most so often: the changes before that time wake nobody, and
        the one that ends the rest does so in the moment in which it comes, which costs less than a
        timer. All of them are unread afterwards. A cancel scope around it bounds the wait.

        Cancellation:
            Loses nothing.

        Args:
            until: The time, on Trio's clock.

        Raises:
            trio.ClosedResourceError: This reader was closed, before this or meanwhile.
            trio.BusyResourceError: Another task rests on this reader.
            TypeError, ValueError: ``until`` is no time.
            WouldDeadlock: Called inside a job that keeps any change from coming.
        """
        subscription = self._subscription
        await self._wait_for_change(
            self._record, subscription.rest_is_over, partial(subscription.rest, until)
        )


async def read_to_end(updates: Updates[object]) -> None:  # noqa: ASYNC910 - reading is a checkpoint
    """Read all that is to come and drop it; what is waited for, the caller has told."""
    with contextlib.suppress(trio.EndOfChannel):
        while True:
            await updates._subscription.take()  # noqa: SLF001 - of the same module


@final
class Subscriptions(Generic[R]):
    """Everybody who watches."""

    def __init__(self, waiting: WaitForChange[R]) -> None:
        self.owner_thread: OwnerThread = OwnerThread()
        self._wait_for_change = waiting
        self.is_watched: bool = False  # by anybody, now or before: else there is nobody to tell
        self.watchers: WeakSubscriptions[R] = WeakSubscriptions[R]()
        self.progress_readers: WeakSubscriptions[R] = WeakSubscriptions[R]()
        self.watchers_of: dict[R, WeakSubscriptions[R]] = {}
        self._closed = False

    def watch(self, view: Callable[[R], T_co]) -> Updates[T_co]:
        """Read every change of every job."""
        return self._join(self.watchers, view)

    def read_progress(self, view: Callable[[R], T_co]) -> Updates[T_co]:
        """Read every report of every job."""
        return self._join(self.progress_readers, view)

    def watch_one(self, record: R, view: Callable[[R], T_co], *, ended: bool) -> Updates[T_co]:
        """Read every change of one job; of one that has ended, how it ended."""
        if not ended:
            return self._join(
                self.watchers_of.setdefault(record, WeakSubscriptions()), view, record
            )
        self.owner_thread.check()
        subscription = Subscription[R](self.owner_thread)
        subscription.notify(record)
        subscription.end()
        return Updates(subscription, view, lambda: None, self._wait_for_change, record)

    def _join(
        self, readers: WeakSubscriptions[R], view: Callable[[R], T_co], record: R | None = None
    ) -> Updates[T_co]:
        self.owner_thread.check()
        subscription = Subscription[R](self.owner_thread)
        if self._closed:
            subscription.end()
        else:
            self.is_watched = True
            readers.add(subscription)
        unsubscribe = partial(readers.remove, subscription)
        return Updates(subscription, view, unsubscribe, self._wait_for_change, record)

    def notify_changed(self, record: R) -> None:
        """A job changed."""
        if self.watchers.references:
            self.watchers.notify(record)
        if self.watchers_of and (readers := self.watchers_of.get(record)) is not None:
            readers.notify(record)

    def notify_progress(self, record: R) -> None:
        """A job reported progress."""
        if self.progress_readers.references:
            self.progress_readers.notify(record)
        self.notify_changed(record)

    def notify_ended(self, record: R) -> None:
        """A job changed for the last time."""
        self.notify_changed(record)
        if self.watchers_of and (readers := self.watchers_of.pop(record, None)) is not None:
            readers.end()

    def close(self) -> None:
        """No job will change any more."""
        self._closed = True
        self.owner_thread.close()
        self.watchers.end()
        self.progress_readers.end()
