"""A worker: Procrastinate fetches jobs in a thread with asyncio, and a Trio queue runs them.

Trio has the main thread, because it has the signals. A job that blocks Trio does not stop the
heartbeat, because asyncio has a thread of its own.

Procrastinate's own worker ends in an outage of PostgreSQL. So it is started again and again, each
time in a new event loop: one that is left behind can write nothing any more.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - the engine is written for it
import logging
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast, final

import trio
from procrastinate import App, JobContext as EngineContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.job_context import AbortReason
from psycopg import OperationalError

from ticketr import DuplicateJob, JobStatus, QueueClosed, TicketrError, open_job_queue
from ticketr.portal import PortalQueue, open_portal_queue
from ticketr.procrastinate._task import WORKER_KEY, Requeued

if TYPE_CHECKING:
    from ticketr import JobContext, JobSnapshot

    OnJobError = Callable[[JobSnapshot], object]

logger = logging.getLogger("ticketr.procrastinate")

STALLED_JOBS_LOCK_ID: Final = 7_422_001
"""The advisory lock of the worker that looks for jobs of dead workers."""
OUTAGE_ERRORS: Final = (ConnectorException, OperationalError, TimeoutError, OSError)


class WorkerFailed(TicketrError):
    """Raised by :func:`run_worker` when it gives up; its text says why."""


async def run_worker(
    app: App,
    *,
    concurrency: int = 4,
    queues: Iterable[str] | None = None,
    around: Callable[[JobContext], AbstractAsyncContextManager[object]] | None = None,
    on_job_error: OnJobError | None = None,
    lifespan: Callable[[], AbstractAsyncContextManager[object]] | None = None,
    grace: float = 10.0,
    heartbeat_limit: float = 30.0,
    give_up_after: float = inf,
    **options: Any,
) -> None:
    """Run a worker for tasks of :func:`trio_task`, until SIGTERM, Ctrl+C or a cancellation.

    It outlives an outage of PostgreSQL, and starts jobs of dead workers again.

    Args:
        app: The app of Procrastinate, with a ``PsycopgConnector``.
        concurrency: How many jobs can run at once.
        queues: The queues of Procrastinate to take jobs from; None for all.
        around: As for :func:`ticketr.open_job_queue`.
        on_job_error: Called in Trio with the snapshot of each attempt that has failed, whether
            Procrastinate starts it again or not.
        lifespan: Called once. It returns an async context manager that is entered in Trio before
            the first job and left after the last one.
        grace: The seconds that running jobs have at the end until they are cancelled and given back.
        heartbeat_limit: The seconds without a heartbeat after which a worker counts as dead; the
            same for all workers of a database. A worker stops its jobs after 3/4 of that without
            an answer of PostgreSQL.
        give_up_after: The seconds without PostgreSQL after which the worker ends.
        options: Other options of ``app.run_worker_async()``.

    Raises:
        TypeError, ValueError: An argument is invalid.
        WorkerFailed: The schema is missing, or ``give_up_after`` has passed.
    """
    if not isinstance(app.connector, PsycopgConnector):
        raise TypeError("the app needs a PsycopgConnector: the worker runs in asyncio")
    block = open_job_queue(workers=concurrency, max_pending=None, around=around)
    async with (
        lifespan() if lifespan is not None else nullcontext(),
        open_portal_queue(block) as portal,
    ):
        worker = Worker(app, portal, on_job_error, heartbeat_limit, give_up_after)
        worker.options = {
            "fetch_job_polling_interval": 1.0,
            **options,
            "queues": queues,
            "concurrency": concurrency,
            "shutdown_graceful_timeout": grace,
            "update_heartbeat_interval": heartbeat_limit / 5,
            "stalled_worker_timeout": heartbeat_limit,
            "install_signal_handlers": False,
            "additional_context": {**options.get("additional_context", {}), WORKER_KEY: worker},
        }
        await worker.run_until_stopped()


@final
class Worker:
    """The worker of a process.

    Attributes:
        options: What each worker of the engine is started with.
    """

    options: dict[str, Any]

    def __init__(
        self,
        app: App,
        portal: PortalQueue,
        on_job_error: OnJobError | None,
        limit: float,
        give_up_after: float,
    ) -> None:
        self._app, self._portal, self._on_job_error = app, portal, on_job_error
        self._limit, self._give_up_after = limit, give_up_after
        self._stopping = threading.Event()
        self._is_disconnected = False
        self._answered_at = self._silent_since = time.monotonic()
        self._warned_at = -inf

    # Trio's side

    async def run_until_stopped(self) -> None:
        """Run workers of the engine one after another."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stop_at_signal)
            nursery.start_soon(self._set_stopping_when_cancelled)
            nursery.start_soon(self._stop_jobs_when_disconnected)
            with trio.CancelScope(shield=True):  # a cancellation stops it
                problem = await trio.to_thread.run_sync(self._run_procrastinate_workers)
            nursery.cancel_scope.cancel()
        if problem is not None:
            raise problem

    async def _stop_at_signal(self) -> None:
        if threading.current_thread() is threading.main_thread():
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    self._stopping.set()

    async def _set_stopping_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._stopping.set()

    async def _stop_jobs_when_disconnected(self) -> None:
        """Stop all jobs before others may start them."""
        while True:
            await trio.sleep(self._limit / 20)
            silence = time.monotonic() - self._answered_at
            if silence > 0.75 * self._limit and not self._is_disconnected:
                self._is_disconnected = True
                jobs = self._portal.queue.cancel_all()
                logger.warning("no connection to PostgreSQL: stopped %d jobs", len(jobs))

    def _call_on_job_error(self, future: Any) -> None:
        """Call ``on_job_error``; what it raises is logged by the future."""
        handle = future.handle
        if self._on_job_error and handle is not None and handle.status is JobStatus.FAILED:
            self._on_job_error(handle.snapshot())

    # The engine's side

    def _run_procrastinate_workers(self) -> WorkerFailed | None:
        """Run workers of the engine in this thread; return why there is no use in it."""
        pause = 0.5
        while not self._stopping.is_set():
            started_at = time.monotonic()
            try:
                asyncio.run(self._run_procrastinate_worker())
            except WorkerFailed as error:
                return error
            except OUTAGE_ERRORS as error:
                self._warn_of_outage(error)
            now = time.monotonic()
            if now - self._answered_at > self._give_up_after:
                return WorkerFailed(
                    f"the worker gives up: no answer of PostgreSQL for {self._give_up_after:g} s"
                )
            pause = 0.5 if now - started_at > self._limit else min(2 * pause, 15.0)
            self._stopping.wait(pause)
        return None

    def _warn_of_outage(self, error: BaseException) -> None:
        """Log an outage, once a minute."""
        self._silent_since = now = time.monotonic()
        if now - self._warned_at >= 60:
            self._warned_at = now
            logger.warning("no answer of PostgreSQL, trying again: %r", error)

    async def _run_procrastinate_worker(self) -> None:
        """Run one worker of the engine, until it ends, the line is lost, or this one is to stop."""
        try:
            async with asyncio.timeout(self._limit / 4):
                await self._app.open_async()
                if not await self._app.check_connection_async():
                    raise WorkerFailed("there are no tables: run 'procrastinate schema --apply'")
            self._silent_since = self._answered_at = time.monotonic()
            self._is_disconnected = False
            # The event loop itself keeps weak references alone.
            self._tasks = [
                asyncio.create_task(run())
                for run in (self._keep_pinging_postgresql, self._watch_stalled_jobs)
            ]
            engine = asyncio.create_task(self._app.run_worker_async(**self.options))
            is_cancelled = False
            while not (engine.done() or self._is_disconnected):
                if self._stopping.is_set() and not is_cancelled:
                    is_cancelled = engine.cancel()
                await asyncio.wait([engine], timeout=0.1)
            if engine.done() and not engine.cancelled():
                engine.result()
        finally:
            # What still runs is cancelled when this returns; without a pool it can write nothing.
            await self._app.close_async()  # noqa: ASYNC102 - this is asyncio

    async def _keep_pinging_postgresql(self) -> None:
        """Keep asking the server, to know whether the heartbeats can reach it."""
        while True:
            asked_at = time.monotonic()
            try:
                async with asyncio.timeout(self._limit / 4):
                    await self._app.check_connection_async()
                self._answered_at = asked_at
            except OUTAGE_ERRORS as error:
                self._warn_of_outage(error)
            await asyncio.sleep(self._limit / 20)

    async def _watch_stalled_jobs(self) -> None:
        """Start jobs of dead workers again, in one worker at a time.

        After an outage all heartbeats are old, so the living get a whole limit to write theirs.
        """
        pool = cast("PsycopgConnector", self._app.connector).pool  # run_worker() has checked it
        while True:
            await asyncio.sleep(self._limit / 10)
            if time.monotonic() - self._silent_since < self._limit:
                continue
            with suppress(*OUTAGE_ERRORS):
                async with pool.connection() as connection:
                    query = "SELECT pg_try_advisory_xact_lock(%s)"
                    row = await (
                        await connection.execute(query, (STALLED_JOBS_LOCK_ID,))
                    ).fetchone()
                    if row is not None and row[0]:
                        await self._retry_stalled_jobs()

    async def _retry_stalled_jobs(self) -> None:
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._limit):
            assert job.id is not None
            logger.warning("job %d (%s) of a dead worker starts again", job.id, job.task_name)
            with suppress(ConnectorException):  # it has just ended
                await manager.retry_job_by_id_async(job_id=job.id, retry_at=datetime.now(UTC))

    async def run_job(
        self, context: EngineContext, job: Callable[..., Awaitable[Any]], **options: Any
    ) -> Any:
        """Run an attempt in Trio, and wait until it has ended, also if it is aborted."""
        name, job_id = context.job.task_name, str(context.job.id)
        future = self._portal.submit(job, id=job_id, name=name, **options)
        future.add_done_callback(self._call_on_job_error)
        ended = asyncio.wrap_future(future)
        while not ended.done():
            try:
                await asyncio.wait([ended])
            except asyncio.CancelledError:  # noqa: ASYNC103 - the job ends first
                future.cancel()
        if future.cancelled():
            if context.abort_reason() is AbortReason.USER_REQUEST:
                raise JobAborted
            raise Requeued
        error = future.exception()
        if future.handle is None and isinstance(error, (DuplicateJob, QueueClosed)):
            raise Requeued  # its last attempt here still cleans up, or all end
        return future.result()
