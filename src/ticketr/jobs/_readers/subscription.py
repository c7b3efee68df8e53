"""How a change of a job reaches its readers.

Updates are state, not a stream: a slow reader needs the present state of a job, not every state
that it has passed. So a reader's memory channel carries the job's record, never twice at a time,
and the snapshot is made when the reader takes the record out. This gives all the promises at once:

* A change costs a lookup and at most one ``send_nowait``. It never waits, so a slow reader does
  not slow down a job.
* A slow reader gets the newest snapshot of each job.
* An ended record does not change any more, so a final snapshot is never overwritten or followed by
  another, and never lost: its record is in the channel already, or is sent again.
* Memory is bounded by the number of jobs, and that by ``BACKLOG``.

The queue holds its readers weakly: a reader without other references is dropped with all it had not
read.

A record that Trio has handed to a task parked in ``receive()`` counts as unread until that task
runs. Trio does not cancel a receiver that already has its value.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, final

import trio

from ticketr.jobs._values import checked_number

if TYPE_CHECKING:
    from ticketr.jobs._owner_thread import OwnerThread

BACKLOG = 10_000
"""The most unread jobs of a reader; beyond it the oldest is dropped."""

R = TypeVar("R")  # what is sent: a job's record


class Idle(Protocol):
    """The part of a queue that tells whether no job is pending or running."""

    @property
    def is_idle(self) -> bool: ...

    def expect_idle(self) -> object:
        """Ask the queue to notify its subscriptions when it is idle."""


@final
class Subscription(Generic[R]):
    """The memory channel of one reader.

    Attributes:
        missed: How many jobs were dropped unread.
    """

    def __init__(self, owner_thread: OwnerThread, idle: Idle | None = None) -> None:
        self._owner_thread = owner_thread
        self._idle = idle  # if the channel ends when this is idle and all is read
        self._send, self._receive = trio.open_memory_channel[R](math.inf)
        self._unread: set[R] = set()
        self.missed: int = 0
        self._is_over = False
        self._is_closed = False
        self._rest_event: trio.Event | None = None  # set by the first change
        self._not_before = math.inf  # at or after this time

    @property
    def is_until_idle(self) -> bool:
        """Whether the channel ends when no job is left."""
        return self._idle is not None

    @property
    def unread(self) -> int:
        """The number of records in the channel."""
        return len(self._unread)

    def can_receive(self) -> bool:
        """Return whether ``take`` would return or raise at once."""
        return bool(self._unread) or self._is_over or self._is_closed or self._is_idle()

    def rest_is_over(self) -> bool:
        """Return whether a task in ``rest`` has been woken, or would not have to wait."""
        is_woken = self._rest_event is not None and self._rest_event.is_set()
        return is_woken or self._is_over or self._is_closed or self._is_idle()

    def notify(self, record: R) -> None:
        """Put a changed record into the channel, unless it is there already."""
        if self._is_closed:
            return  # by code that ran while another reader was notified
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
        """Wait for a record, and return the oldest unread one."""
        self._owner_thread.check()
        self._end_if_idle()
        record = await self._receive.receive()
        self._unread.discard(record)
        return record

    def take_nowait(self) -> R:
        """Return the oldest unread record.

        Raises:
            trio.WouldBlock: There is none.
        """
        self._owner_thread.check()
        self._end_if_idle()
        record = self._receive.receive_nowait()
        self._unread.discard(record)
        return record

    async def rest(self, until: float) -> None:
        """Wait for the first change at or after this time, or for the end."""
        self._owner_thread.check()
        until = checked_number("until", until, "a time on Trio's clock")
        if self._is_closed:
            raise trio.ClosedResourceError
        if self._rest_event is not None:
            raise trio.BusyResourceError("another task rests on this reader already")
        self._end_if_idle()
        if self._is_over or self._is_idle():
            await trio.lowlevel.checkpoint()
            return
        self._rest_event, self._not_before = trio.Event(), until
        try:
            await self._rest_event.wait()
        finally:
            self._rest_event = None
        if self._is_closed:
            raise trio.ClosedResourceError

    def _is_idle(self) -> bool:
        return self._idle is not None and self._idle.is_idle

    def _end_if_idle(self) -> None:
        """End the channel if all is read and no job is left, or else expect that."""
        if self._idle is None or self._is_closed:
            return
        if not self._idle.is_idle:
            self._idle.expect_idle()
        elif not self._unread:
            self.end()

    def notify_idle(self) -> None:
        """End the channel if it is to end now; if something is unread, it ends after that."""
        if self._idle is None or self._is_closed:
            return
        if self._rest_event is not None:
            self._rest_event.set()
        if not self._unread:
            self.end()

    def end(self) -> None:
        """End the channel: the reader gets what is unread, then the end."""
        self._is_over = True
        if self._rest_event is not None:
            self._rest_event.set()
        self._send.close()

    def close(self) -> None:
        """Close the channel; a task that waits on it gets ``trio.ClosedResourceError``."""
        self._owner_thread.check()
        self._is_closed = True
        if self._rest_event is not None:
            self._rest_event.set()
        # The receiving end first: a task parked there is to get ClosedResourceError, not
        # EndOfChannel.
        self._receive.close()
        self._send.close()
        self._unread.clear()


@final
class WeakSubscriptions(Generic[R]):
    """Weak references to subscriptions.

    The last strong reference to one may go in any thread and between any two lines. So the weak
    reference's callback only appends to a deque; dead references are removed before the next change.

    Attributes:
        references: The weak references. The tuple is replaced, never changed: user code that runs
            when unread records are dropped may open and close readers during an iteration.
    """

    __slots__ = ("_by_reference", "_dead", "references")

    def __init__(self) -> None:
        self.references: tuple[weakref.ref[Subscription[R]], ...] = ()
        self._by_reference: dict[weakref.ref[Subscription[R]], None] = {}
        self._dead: deque[weakref.ref[Subscription[R]]] = deque()

    def add(self, subscription: Subscription[R]) -> None:
        """Add a subscription."""
        self._by_reference[weakref.ref(subscription, self._dead.append)] = None
        self._drop_dead()

    def remove(self, subscription: Subscription[R]) -> None:
        """Remove a subscription, if it is there."""
        self._by_reference.pop(weakref.ref(subscription), None)
        self._drop_dead()

    def notify(self, record: R) -> None:
        """Notify every subscription of a changed record; see :meth:`Subscription.notify`."""
        if self._dead:
            self._drop_dead()
        for reference in self.references:
            subscription = reference()
            if subscription is not None:
                subscription.notify(record)

    def notify_idle(self) -> None:
        """Notify every subscription that no job is left."""
        for reference in self.references:
            subscription = reference()
            if subscription is not None:
                subscription.notify_idle()

    def end(self) -> None:
        """End every subscription."""
        for reference in self.references:
            subscription = reference()
            if subscription is not None:
                subscription.end()

    def _drop_dead(self) -> None:
        while self._dead:
            self._by_reference.pop(self._dead.popleft(), None)
        self.references = tuple(self._by_reference)
