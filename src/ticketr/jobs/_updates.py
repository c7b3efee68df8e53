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

A record handed to a reader that is parked in ``receive()`` counts as unread until
that task runs; Trio does not cancel a receiver that already has its value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Generic, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._home import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

BACKLOG = 10_000
"""Unread jobs a reader may have; beyond that the longest unread one is dropped."""

R = TypeVar("R")  # what is sent: a job's record
T_co = TypeVar("T_co", covariant=True)  # what the reader sees of it


@final
class Inbox(Generic[R]):
    """One reader's memory channel, with no record in it twice."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._send, self._receive = trio.open_memory_channel[R](math.inf)
        self._unread: set[R] = set()
        self.missed: int = 0
        self._is_over = False
        self._rested: trio.Event | None = None  # set by the first post
        self._not_before = math.inf  # at or after this time

    @property
    def unread(self) -> int:
        """How many records wait to be taken."""
        return len(self._unread)

    def post(self, record: R) -> None:
        """Let the reader know that this record changed."""
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
        if self._is_over:
            await trio.lowlevel.checkpoint()
            return
        self._rested, self._not_before = trio.Event(), until
        try:
            await self._rested.wait()
        finally:
            self._rested = None

    def end(self) -> None:
        """Nothing follows: the reader gets what is left, then the end."""
        self._is_over = True
        if self._rested is not None:
            self._rested.set()
        self._send.close()

    def close(self) -> None:
        """The reader has gone."""
        self._home.check()
        self._send.close()
        self._receive.close()


@final
class Updates(Generic[T_co]):
    """Changes of jobs as they happen: a context manager and an asynchronous iterator.

    ::

        with queue.watch() as updates:
            async for snapshot in updates:
                print(snapshot.name, snapshot.status)

    It begins with the first change after it was opened and ends when nothing can
    follow. It is meant for one consumer. A consumer that is slow gets the newest state
    of each job, and always the final one.

    Attributes:
        unread: How many jobs have changed since they were last read.
        missed: How many jobs were dropped unread because 10,000 others were unread too.
    """

    def __init__(
        self, inbox: Inbox[R], view: Callable[[R], T_co], leave: Callable[[], object]
    ) -> None:
        self._inbox = inbox
        self._view = view
        self._leave = leave

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
        """Stop reading; what is unread is thrown away."""
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
        """
        return self._view(await self._inbox.take())

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
        """
        await self._inbox.rest(until)


@final
class Hub(Generic[R]):
    """Everybody who watches."""

    def __init__(self) -> None:
        self.home: Home = Home()
        self.is_watched: bool = False  # by anybody, now or before: else there is nobody to tell
        self._watchers: list[Inbox[R]] = []
        self._progress_readers: list[Inbox[R]] = []
        self._watchers_of: dict[R, list[Inbox[R]]] = {}
        self._closed = False

    def watch(self, view: Callable[[R], T_co]) -> Updates[T_co]:
        """Read every change of every job."""
        return self._join(self._watchers, view)

    def read_progress(self, view: Callable[[R], T_co]) -> Updates[T_co]:
        """Read every report of every job."""
        return self._join(self._progress_readers, view)

    def watch_one(self, record: R, view: Callable[[R], T_co], *, ended: bool) -> Updates[T_co]:
        """Read every change of one job; of one that has ended, how it ended."""
        if not ended:
            return self._join(self._watchers_of.setdefault(record, []), view)
        self.home.check()
        inbox = Inbox[R](self.home)
        inbox.post(record)
        inbox.end()
        return Updates(inbox, view, lambda: None)

    def _join(self, readers: list[Inbox[R]], view: Callable[[R], T_co]) -> Updates[T_co]:
        self.home.check()
        inbox = Inbox[R](self.home)
        if self._closed:
            inbox.end()
        else:
            self.is_watched = True
            readers.append(inbox)

        def leave() -> None:
            if inbox in readers:
                readers.remove(inbox)

        return Updates(inbox, view, leave)

    def changed(self, record: R) -> None:
        """A job changed."""
        for inbox in self._watchers:
            inbox.post(record)
        if self._watchers_of:
            for inbox in self._watchers_of.get(record, ()):
                inbox.post(record)

    def progressed(self, record: R) -> None:
        """A job reported progress."""
        for inbox in self._progress_readers:
            inbox.post(record)
        self.changed(record)

    def ended(self, record: R) -> None:
        """A job changed for the last time."""
        self.changed(record)
        if self._watchers_of:
            for inbox in self._watchers_of.pop(record, ()):
                inbox.end()

    def close(self) -> None:
        """No job will change any more."""
        self._closed = True
        self.home.close()
        for inbox in self._watchers + self._progress_readers:
            inbox.end()
