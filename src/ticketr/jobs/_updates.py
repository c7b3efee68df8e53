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

from ticketr.jobs._home import Home
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


class Waiting(Protocol[R_contra]):
    """Lets a task wait for a reader, unless that could be for ever."""

    def __call__(
        self,
        record: R_contra | None,
        has_come: Callable[[], bool],
        park: Callable[[], Awaitable[T]],
        /,
    ) -> Awaitable[T]:
        """Return what ``park`` does.

        Args:
            record: Whose changes are read; None for those of all jobs.
            has_come: Tells whether a parked task has been woken.
            park: Parks the task. It may be cancelled and called again.
        """
        ...


@final
class Inbox(Generic[R]):
    """One reader's memory channel, with no record in it twice."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._send, self._receive = trio.open_memory_channel[R](math.inf)
        self._unread: set[R] = set()
        self.missed: int = 0
        self._is_over = False
        self._is_closed = False
        self._rested: trio.Event | None = None  # set by the first post
        self._not_before = math.inf  # at or after this time

    @property
    def unread(self) -> int:
        """How many records wait to be taken."""
        return len(self._unread)

    def has_news(self) -> bool:
        """Tell whether nobody has to wait to take something or to learn that this is over."""
        return bool(self._unread) or self._is_over or self._is_closed

    def has_rested(self) -> bool:
        """Tell whether whoever rests has been woken, or would not be put to rest."""
        is_woken = self._rested is not None and self._rested.is_set()
        return is_woken or self._is_over or self._is_closed

    def post(self, record: R) -> None:
        """Let the reader know that this record changed."""
        if self._is_closed:
            return  # by code that runs as another reader is told
        unread = self._unread
        if self._rested is not None and trio.current_time() >= self._not_before:
            self._rested.set()
        if record in unread:
            return
        if len(unread) >= BACKLOG:
            unread.discard(self._receive.receive_nowait())
            self.missed += 1
        unread.add(record)
        self._send.send_nowait(record)

    async def take(self) -> R:
        """The longest unread record; it counts as read from here on."""
        self._home.check()
        record = await self._receive.receive()
        self._unread.discard(record)
        return record

    def take_nowait(self) -> R:
        """The same, if there is one."""
        self._home.check()
        record = self._receive.receive_nowait()
        self._unread.discard(record)
        return record

    async def rest(self, until: float) -> None:
        """Wait for the first post at or after this time, or the end."""
        self._home.check()
        until = checked_number("until", until, "a time on Trio's clock")
        if self._is_closed:
            raise trio.ClosedResourceError
        if self._rested is not None:
            raise trio.BusyResourceError("another task rests on this reader already")
        if self._is_over:
            await trio.lowlevel.checkpoint()
            return
        self._rested, self._not_before = trio.Event(), until
        try:
            await self._rested.wait()
        finally:
            self._rested = None
        if self._is_closed:
            raise trio.ClosedResourceError

    def end(self) -> None:
        """Nothing follows: the reader gets what is left, then the end."""
        self._is_over = True
        if self._rested is not None:
            self._rested.set()
        self._send.close()

    def close(self) -> None:
        """The reader has gone; a task that waits on it is told."""
        self._home.check()
        self._is_closed = True
        if self._rested is not None:
            self._rested.set()
        # This end first: a task parked here is told that it was closed, not that it was the end.
        self._receive.close()
        self._send.close()
        self._unread.clear()


@final
class Readers(Generic[R]):
    """The inboxes of some readers, each for as long as somebody holds it.

    The last to hold one may let it go in any thread and between any two lines. So all that
    happens then is that this is noted, in one step; it is taken out before the next is told.

    Attributes:
        references: To the inboxes. It is replaced rather than changed, since what is dropped
            unread may open and close readers while it is gone through.
    """

    __slots__ = ("_gone", "_inboxes", "references")

    def __init__(self) -> None:
        self.references: tuple[weakref.ref[Inbox[R]], ...] = ()
        self._inboxes: dict[weakref.ref[Inbox[R]], None] = {}
        self._gone: deque[weakref.ref[Inbox[R]]] = deque()

    def add(self, inbox: Inbox[R]) -> None:
        """Tell this one too from now on."""
        self._inboxes[weakref.ref(inbox, self._gone.append)] = None
        self._look_again()

    def remove(self, inbox: Inbox[R]) -> None:
        """Tell this one no more, if it is there."""
        self._inboxes.pop(weakref.ref(inbox), None)
        self._look_again()

    def post(self, record: R) -> None:
        """Let them all know that this record changed."""
        if self._gone:
            self._look_again()
        for reference in self.references:
            inbox = reference()
            if inbox is not None:
                inbox.post(record)

    def end(self) -> None:
        """Nothing follows."""
        for reference in self.references:
            inbox = reference()
            if inbox is not None:
                inbox.end()

    def _look_again(self) -> None:
        while self._gone:
            self._inboxes.pop(self._gone.popleft(), None)
        self.references = tuple(self._inboxes)


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
        inbox: Inbox[R],
        view: Callable[[R], T_co],
        leave: Callable[[], object],
        waiting: Waiting[R],
        record: R | None,
    ) -> None:
        self._inbox = inbox
        self._view = view
        self._leave = leave
        self._waiting = waiting
        self._record = record  # whose changes these are; None if all jobs'

    @property
    def unread(self) -> int:
        """How many jobs have changed since they were last read."""
        return self._inbox.unread

    @property
    def missed(self) -> int:
        """How many jobs were dropped unread because 10,000 others were unread too."""
        return self._inbox.missed

    @enable_ki_protection
    def close(self) -> None:
        """Stop reading; what is unread is thrown away.

        A task that waits on this reader gets ``trio.ClosedResourceError``.
        """
        self._inbox.close()
        self._leave()

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
        inbox = self._inbox
        if inbox.has_news():
            return self._view(await inbox.take())
        return self._view(await self._waiting(self._record, inbox.has_news, inbox.take))

    @enable_ki_protection
    def receive_nowait(self) -> T_co:
        """Take the next change, if there is one that is unread.

        Raises:
            trio.WouldBlock: There is none yet.
            trio.EndOfChannel: Nothing can follow.
            trio.ClosedResourceError: This reader was closed.
        """
        return self._view(self._inbox.take_nowait())

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
        inbox = self._inbox
        await self._waiting(self._record, inbox.has_rested, partial(inbox.rest, until))


async def read_to_end(updates: Updates[object]) -> None:  # noqa: ASYNC910 - reading is a checkpoint
    """Read all that is to come and drop it; what is waited for, the caller has told."""
    with contextlib.suppress(trio.EndOfChannel):
        while True:
            await updates._inbox.take()  # noqa: SLF001 - of the same module


@final
class Hub(Generic[R]):
    """Everybody who watches."""

    def __init__(self, waiting: Waiting[R]) -> None:
        self.home: Home = Home()
        self._waiting = waiting
        self.is_watched: bool = False  # by anybody, now or before: else there is nobody to tell
        self.watchers: Readers[R] = Readers[R]()
        self.progress_readers: Readers[R] = Readers[R]()
        self.watchers_of: dict[R, Readers[R]] = {}
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
            return self._join(self.watchers_of.setdefault(record, Readers()), view, record)
        self.home.check()
        inbox = Inbox[R](self.home)
        inbox.post(record)
        inbox.end()
        return Updates(inbox, view, lambda: None, self._waiting, record)

    def _join(
        self, readers: Readers[R], view: Callable[[R], T_co], record: R | None = None
    ) -> Updates[T_co]:
        self.home.check()
        inbox = Inbox[R](self.home)
        if self._closed:
            inbox.end()
        else:
            self.is_watched = True
            readers.add(inbox)
        leave = partial(readers.remove, inbox)
        return Updates(inbox, view, leave, self._waiting, record)

    def changed(self, record: R) -> None:
        """A job changed."""
        if self.watchers.references:
            self.watchers.post(record)
        if self.watchers_of and (readers := self.watchers_of.get(record)) is not None:
            readers.post(record)

    def progressed(self, record: R) -> None:
        """A job reported progress."""
        if self.progress_readers.references:
            self.progress_readers.post(record)
        self.changed(record)

    def ended(self, record: R) -> None:
        """A job changed for the last time."""
        self.changed(record)
        if self.watchers_of and (readers := self.watchers_of.pop(record, None)) is not None:
            readers.end()

    def close(self) -> None:
        """No job will change any more."""
        self._closed = True
        self.home.close()
        self.watchers.end()
        self.progress_readers.end()
