"""One life of a worker: from its registration to the end of its lease.

The server gives the jobs of a worker to others when it has not heard of it for the length of a
lease. A worker that has had no answer for three quarters of that stops its jobs itself: its life has
ended, and the next one has another ID, so nothing that it still says counts.
"""

from __future__ import annotations

import logging
import os
import socket
import uuid
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._repeat_runs import RepeatRunner
from ticketr.cluster._runner import Runner
from ticketr.cluster._sessions import RECONNECT, Sessions
from ticketr.cluster._store import FAILED, RecordStore
from ticketr.jobs._open import open_job_queue
from ticketr.jobs._retention import Keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.cluster._batches import Batches
    from ticketr.cluster._connection import Connection
    from ticketr.cluster._settings import WorkerSettings
    from ticketr.cluster._signed import SignedCodec
    from ticketr.jobs._queue import JobQueue

logger = logging.getLogger("ticketr.cluster")

SHORTEST_TICK: Final = 0.01
LONGEST_TICK: Final = 0.25
SHORTEST_REPAIR: Final = 1.0
DEPART_WITHIN: Final = 2.0


@final
class Life:
    """One life of a worker.

    Attributes:
        worker: Its ID.
        is_over: Whether its jobs may have been given to other workers.
    """

    def __init__(
        self,
        connection: Connection,
        store: RecordStore,
        batches: Batches,
        codec: SignedCodec,
        settings: WorkerSettings,
        stop: trio.Event,
    ) -> None:
        self.worker: Final = f"{socket.gethostname()[:20]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.is_over: bool = False
        self._store = store
        self._batches = batches
        self._codec = codec
        self._settings = settings
        self._repeats = RepeatRunner(store, codec, settings.modules)
        self._stop = stop  # the worker is to end
        self._sessions = Sessions(connection, store, settings, self.worker, self._end_by_lease)
        self._scope = trio.CancelScope()

    async def run(self, started: Callable[[str], None]) -> None:
        """Work until the worker is to end, or the lease is over.

        Cancellation:
            The jobs are stopped, and go back to the queue at once if the server answers.

        Args:
            started: Called with the ID once the worker is registered.
        """
        try:
            await self._live(started)
        finally:
            # All jobs have ended here, so others may have them.
            with trio.move_on_after(DEPART_WITHIN, shield=True):
                await self._store.try_call("depart", self.worker)

    async def _live(self, started: Callable[[str], None]) -> None:
        """Register the worker, and run its tasks until it is to end."""
        settings = self._settings
        async with open_job_queue(
            workers=settings.workers, max_pending=None, keep=Keep(jobs=0)
        ) as local:
            runner = Runner(self._batches, self._codec, local, self.worker, settings.modules)
            try:
                with self._scope:
                    async with trio.open_nursery(strict_exception_groups=True) as services:
                        registered = trio.Event()
                        services.start_soon(self._keep_lease, registered)
                        services.start_soon(self._end_unregistered, registered)
                        await registered.wait()
                        started(self.worker)
                        services.start_soon(self._listen)
                        services.start_soon(self._tell_progress, local)
                        services.start_soon(self._repair)
                        services.start_soon(self._repeats.run)
                        await self._work(runner)
                        services.cancel_scope.cancel()
            finally:
                self._sessions.stop()
                local.cancel_all(reason="the worker ends")

    async def _work(self, runner: Runner) -> None:
        """Take jobs until the worker is to end; give back those that still run after the grace."""
        async with trio.open_nursery(strict_exception_groups=True) as attempts:
            attempts.start_soon(self._sessions.run, runner, attempts)
            try:
                await self._stop.wait()
            finally:
                self._sessions.stop()
            with trio.move_on_after(self._settings.grace):
                while self._sessions.attempts:
                    await next(iter(self._sessions.attempts.values())).over.wait()
            for attempt in list(self._sessions.attempts.values()):
                attempt.give_back()

    def _end_by_lease(self, why: str) -> None:
        """End the life, since the lease is over: stop all jobs."""
        if not self.is_over:
            self.is_over = True
            count = sum(attempt.is_running for attempt in self._sessions.attempts.values())
            level = logging.ERROR if count else logging.WARNING
            logger.log(level, "worker %s: %s; %d jobs are stopped", self.worker, why, count)
            self._scope.cancel(why)

    # What the server says

    def _stop_attempt(self, token: str) -> None:
        attempt = self._sessions.attempts.get(token)
        if attempt is not None and not attempt.cancel_requested:
            attempt.stop()

    async def _listen(self) -> None:
        """Stop attempts as soon as a cancel is requested."""
        last, stream = "0-0", self._store.keys.stops(self.worker)
        while True:
            try:
                last, entries = await self._store.read(stream, last)
            except FAILED as error:
                self._store.close_if_silent(error)
                self._sessions.begin_another()  # the server may have been restarted, with older data
                await trio.sleep(RECONNECT)
                continue
            for entry in entries:
                self._stop_attempt(entry["token"].decode())

    async def _tell_progress(self, local: JobQueue) -> None:
        """Send the newest report of each job, every so often; no job waits for it."""
        with local.progress() as updates:
            while True:
                reports = [await updates.receive()]
                while updates.unread:
                    reports.append(updates.receive_nowait())
                attempts = self._sessions.attempts.values()
                by_id = {attempt.task.job_id: attempt for attempt in attempts}
                calls = [
                    ("report", at.task.job_id, at.token, told.current, told.total, told.message)
                    for told in reports
                    if (at := by_id.get(told.job_id)) is not None and at.handle is not None
                ]
                await self._batches.call_all_surely(calls)
                await trio.sleep(self._settings.report_every)

    async def _end_unregistered(self, registered: trio.Event) -> None:
        """End the life if the worker is to end while there is no server to register with."""
        await self._stop.wait()
        if not registered.is_set():
            self._scope.cancel("the worker is to end")

    async def _repair(self) -> None:
        """Have jobs delivered that no message would deliver, after a fault here or in the server."""
        while True:
            await trio.sleep(max(self._settings.lease, SHORTEST_REPAIR))
            if found := await self._store.try_call("repair"):
                logger.error("%d jobs had been lost on their way: delivered again", found)

    async def _keep_lease(self, registered: trio.Event) -> None:
        """Renew this worker's lease; end the life if there is no answer for long."""
        lease, is_new = self._settings.lease, True
        asked = trio.current_time()
        stop_at = asked + lease  # so long the registration may take
        while True:
            try:
                with trio.fail_at(max(min(asked + lease / 4, stop_at), asked + lease / 8)):
                    answer = await self._store.call(
                        "tick", self.worker, lease, self._settings.words, int(is_new)
                    )
            except (trio.TooSlowError, *FAILED) as error:
                self._store.close_if_silent(error)
                if is_new and isinstance(error, ClusterUnavailable):
                    stop_at = asked + lease  # it lives, and will take it later
                if trio.current_time() >= stop_at:
                    is_refused = isinstance(error, ClusterUnavailable)
                    said = "took no calls" if is_refused else "did not answer"
                    self._end_by_lease(f"the server {said} for {0.75 * lease:g} s")
                await trio.sleep(min(RECONNECT, lease / 20))
            else:
                if answer[0] != b"ok":
                    self._end_by_lease("the server takes it for dead")
                    return
                stop_at = asked + 0.75 * lease
                if is_new:
                    is_new = False
                    registered.set()
                if float(answer[2]) <= 0:
                    self._repeats.wake()
                for token in answer[3:]:
                    self._stop_attempt(token.decode())
                due = max(float(answer[1]), SHORTEST_TICK)
                await trio.sleep(min(LONGEST_TICK, lease / 8, due))
            asked = trio.current_time()
