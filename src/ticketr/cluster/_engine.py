"""The engine: streaq delivers messages to workers. All else that it does is left out here.

Faults of streaq 7.2 and coredis 6.9, and how they are worked around (each with a guard in
``tests/cluster/test_engine.py``):

1. A prefetched message that waits longer than ``idle_timeout`` is delivered twice: ``prefetch`` is
   the number of workers.
2. A result or error that cannot be pickled ends the worker, and then the next: ``run_task`` is ours,
   so the engine sees no results.
3. ``result()`` holds a connection per waiter, and
4. each takes 100 ms to end its subscription: one stream of events a process (``_events``).
5. A nursery around a worker, when cancelled, shields the tasks and loses their results: attempts run
   in a nursery of ours, and ``run_until`` shields the engine and tells it to stop by an event.
6. A client and a subscription that are cancelled together raise ``ClosedResourceError``: there are no
   subscriptions, and the client is left in order, under the shield.
7. ``handle_signals=False`` is never read: ``signal_handler`` waits for our event.
8. An abort of an ended or unknown ID stays for ever, and ``priorities`` is reversed in place: there
   are no aborts, and the list is a copy.
9. A silent line leaves a worker waiting for ever: ``stream_timeout`` just above its longest wait,
   and the lease of the worker (``_lease``).
10. A message of a dead worker is delivered again after up to twice ``idle_timeout``: the record
    decides when a worker is dead, and delivers again.
11. An abort, also from the web view, leaves a job running unwatched: the scheduler is ours, too.
12. A connection that is cancelled while it is made raises ``ConnectionError``: whoever catches that
    passes a checkpoint.
13. A blocked read of the streams gives as many messages of each level as there is room for in all,
    and the first that has no room ends the worker: the buffer has room for those of all levels.
14. A server that is out of memory refuses the mark of a worker's health, and the function that reads
    the streams, which ends the session, and begins no other: no mark is left, and the streams are
    read by the command itself, which is not refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

import coredis
import streaq
import trio
from coredis.exceptions import RedisError, ResponseError
from coredis.retry import NoRetryPolicy

from ticketr.cluster._connection import make_pool
from ticketr.cluster._keys import LEVELS, QueueKeys
from ticketr.cluster._store import LOST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from streaq.types import StreamMessage

    from ticketr.cluster._connection import Connection

PATIENCE: Final = 3.0
"""Seconds that an answer may be late."""
GROUP: Final = "workers"


@final
class Engine(streaq.Worker[None]):
    """One connected session of a worker; the next connection gets a new one."""

    def __init__(
        self,
        connection: Connection,
        *,
        worker: str,
        concurrency: int,
        idle: float,
        held: Callable[[], Mapping[str, Sequence[str]]],
        deliver: Callable[[StreamMessage], Awaitable[None]],
        stop: trio.Event,
    ) -> None:
        """Prepare a session; nothing is connected yet.

        Args:
            connection: Where the server is.
            worker: The worker's ID.
            concurrency: How many messages are handled at once.
            idle: Seconds after which a message that nobody handles is delivered again.
            held: Returns the messages of the jobs that run here, by their levels.
            deliver: Handles a message; another one comes when it has returned. It raises nothing.
            stop: Set to end the session.
        """
        pool = make_pool(connection.address, decode_responses=True, stream_timeout=idle + PATIENCE)
        super().__init__(
            queue_name=connection.name,
            priorities=[*LEVELS],
            concurrency=concurrency,
            idle_timeout=idle,
            id=worker,
            anyio_backend="trio",
        )
        self._redis = coredis.Redis(
            connection_pool=pool, decode_responses=True, retry_policy=NoRetryPolicy()
        )
        expected = f"{QueueKeys(connection.name).engine}:queues:"
        if self.stream_key != expected:
            raise RuntimeError(
                f"this streaq keeps its messages in {self.stream_key!r}, and ticketr expects"
                f" {expected!r}: install the version that the extra 'cluster' names"
            )
        self.prefetch = concurrency * len(LEVELS)  # the buffer is made with it
        self._deliver = deliver
        self._held = held
        self._stop = stop

    async def run_until_stopped(self) -> None:
        """Deliver messages until the event is set.

        Cancellation:
            Has no effect: the canceller has to set the event.

        Raises:
            LOST, RedisError: The connection is broken, in a group or alone.
        """
        try:
            with trio.CancelScope(shield=True):
                await self.run_async()
        except* (*LOST, RedisError):
            if not self._stop.is_set():  # else a call was cancelled, which looks the same
                raise

    async def producer(self, queue: Any, limiter: Any, scope: Any) -> None:
        """Read messages as there is room for; the buffer has been made."""
        self.prefetch = self.concurrency
        await super().producer(queue, limiter, scope)

    async def _read_streams_legacy(self, count: int, block: bool = False) -> Any:  # noqa: FBT001, FBT002 - streaq's
        """Read messages, also of a server that is out of memory."""
        try:
            return await super()._read_streams_legacy(count, block)
        except ResponseError:  # the function is refused
            return await self.redis.xreadgroup(GROUP, self.id, self._streams, count=count)

    async def run_task(self, msg: StreamMessage) -> None:
        """Hand a message on, and wait until the next one may come."""
        await self._deliver(msg)

    async def signal_handler(self, scope: Any) -> None:
        """Wait for the event instead of for signals, and end the session."""
        await self._stop.wait()
        scope.cancel("the session is to end")

    async def schedule_delayed_tasks(self) -> None:
        """Do nothing: the record knows what is due and what is cancelled."""

    async def renew_idle_timeouts(self, scope: Any) -> None:
        """Tell the server that this worker handles its messages."""
        with scope:
            while True:
                async with self.redis.pipeline(transaction=False) as pipe:
                    for level, messages in self._held().items():
                        if messages:
                            pipe.xclaim(
                                f"{self.stream_key}{level}",
                                GROUP,
                                self.id,
                                0,
                                list(messages),
                                justid=True,
                            )
                await trio.sleep(self.idle_timeout / 3000)
