"""Trio functions as tasks of Celery: a worker pool, and the tasks that it runs.

::

    from celery import Celery
    from ticketr.celery import durable_settings, trio_task

    app = Celery("shop", broker="amqp://localhost", backend="rpc://")
    app.conf.update(durable_settings("shop"))

    @trio_task(app, autoretry_for=(OSError,))
    async def resize(context: JobContext, name: str, size: int) -> str: ...

and ``celery -A module worker -c 16`` in as many processes as there is work for. Submitting, delays,
retries, routing, results and ``revoke`` are Celery's own. A thread of Celery's pool waits for each
job, which runs in the one Trio run of the worker process.
"""

from __future__ import annotations

import functools
import inspect
import logging
import math
import os
import signal
import threading
import time
from concurrent.futures import wait
from contextlib import ExitStack
from contextvars import ContextVar
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from ticketr import JobTimedOut, NotSendable, QueueClosed
from ticketr._install import missing_packages_message

try:
    from celery import Task
    from celery.bootsteps import StartStopStep
    from celery.concurrency.thread import TaskPool
    from celery.exceptions import (
        Ignore,
        Reject,
        SoftTimeLimitExceeded,
        TimeLimitExceeded,
        WorkerShutdown,
    )
    from celery.utils.timer2 import Timer
    from celery.worker.request import Request
    from kombu import Exchange, Queue
    from kombu.utils.encoding import safe_repr
    from kombu.utils.json import dumps, loads
except ModuleNotFoundError as error:
    if error.name != "celery":
        raise
    raise ModuleNotFoundError(
        missing_packages_message("Celery", "celery"), name=error.name
    ) from None

from collections.abc import Awaitable, Callable

from ticketr.portal import JobFuture, JobPortal

if TYPE_CHECKING:
    from celery import Celery
    from celery.concurrency.base import BasePool

    from ticketr import JobContext, JobProgress

__all__ = ["TrioPool", "TrioTask", "durable_settings", "trio_task"]

P = ParamSpec("P")
T = TypeVar("T")

PROGRESS_INTERVAL_SECONDS: Final = 0.5
"""The least seconds between two states of a job that tell its progress."""
NO_TRIO_POOL_MESSAGE: Final = (
    "a Trio task runs in a worker with the setting worker_pool = 'ticketr.celery:TrioPool';"
    " elsewhere, submit its function to a job queue"
)

logger = logging.getLogger("ticketr.celery")


def durable_settings(queue: str, *, longest_job: float = 24 * 3600) -> dict[str, Any]:
    """Return the settings of Celery with which RabbitMQ loses no acknowledged job.

    They also choose the pool, and JSON alone. Set others after them, as of any application.

    Args:
        queue: The name of the queue; the same for submitters and workers.
        longest_job: The seconds after which RabbitMQ takes a job from a worker that still runs it,
            and gives it to another. An existing queue keeps its own.
    """
    arguments = {
        "x-queue-type": "quorum",
        "x-consumer-timeout": math.ceil(longest_job * 1000),
        "x-delivery-limit": -1,  # the default drops a job that was given back 20 times
    }
    # Celery's native delays do not pass through an exchange of another type.
    exchange = Exchange(queue, type="topic")
    return {
        "worker_pool": "ticketr.celery:TrioPool",
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_soft_shutdown_timeout": 30.0,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_track_started": False,  # it would overwrite REVOKED
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_queues": [Queue(queue, exchange, routing_key=queue, queue_arguments=arguments)],
        "task_default_queue": queue,
        "task_default_exchange": queue,
        "task_default_exchange_type": "topic",
        "task_default_routing_key": queue,
        "broker_transport_options": {"confirm_publish": True},
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # RabbitMQ gives the jobs of a silent worker to others after two to three heartbeats.
        "broker_heartbeat": 30,
    }


def trio_task(
    app: Celery, **options: Any
) -> Callable[[Callable[Concatenate[JobContext, P], Awaitable[T]]], Task[P, T]]:
    """Return a decorator that makes a Trio function a task of Celery.

    The task takes the arguments that follow the context. The function itself stays usable where
    the task has another name, ``resize_task = trio_task(app)(resize)``.

    Args:
        app: The application.
        options: Those of ``app.task()``, such as ``name``, ``autoretry_for`` and
            ``soft_time_limit``.
    """

    def decorate(function: Callable[Concatenate[JobContext, P], Awaitable[T]]) -> Task[P, T]:
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"a Trio task is an async function, not {safe_repr(function)}")

        @functools.wraps(function)
        def run(task: Task[P, T], *args: Any, **kwargs: Any) -> T:
            current = _current_run.get()
            if current is None:
                raise RuntimeError(NO_TRIO_POOL_MESSAGE)
            return current.run_and_wait(task, functools.partial(function, **kwargs), args)

        run.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]  # for Celery's own check of arguments
        make_task: Any = app.task  # its types know no option of users' own
        task: Task[P, T] = make_task(run, bind=True, **{"base": TrioTask, **options})
        return task

    return decorate


class TrioTask(Task[..., Any]):
    """The base of Celery's tasks that run in Trio."""

    abstract = True
    serializer = "json"
    Request = "ticketr.celery:TrioRequest"

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        """Submit the job, as any task of Celery.

        Raises:
            NotSendable: JSON would not give back an argument as it is.
        """
        args, kwargs = tuple(args or ()), dict(kwargs or {})
        if self.app.current_worker_task is None:  # a worker passes on what other tasks returned
            _check_arguments_are_json(args, kwargs)
        if countdown := options.get("countdown"):
            options["countdown"] = math.ceil(countdown)  # a delay of less than a second is refused
        return super().apply_async(args, kwargs, *rest, **options)


def _check_arguments_are_json(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    parts = {f"argument {number}": value for number, value in enumerate(args, start=1)}
    parts |= {f"argument {name!r}": value for name, value in kwargs.items()}
    for what, value in parts.items():
        try:
            copy = loads(dumps(value))
        except Exception as error:
            raise NotSendable(what, safe_repr(value), f"is not JSON: {error}") from error
        if copy != value:
            problem = f"would come back from JSON as {safe_repr(copy)}"
            raise NotSendable(what, safe_repr(value), problem)


class TrioRequest(Request):
    """A message of a Trio task in a worker.

    If a job is revoked, both Celery's thread and that of the job acknowledge its message. A second
    acknowledgement would end the worker.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._answering = threading.Lock()

    def acknowledge(self) -> None:
        """Acknowledge the message, unless that was answered."""
        with self._answering:
            super().acknowledge()

    def reject(self, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - Celery's own
        """Reject the message, unless that was answered."""
        with self._answering:
            super().reject(requeue)

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        """Note that the job runs, with its ID for the one of a process."""
        super().on_accepted(self.id, time_accepted)

    def cancel(self, pool: BasePool, signal: Any = None, emit_retry: bool = True) -> None:  # noqa: FBT001, FBT002 - Celery's own
        """Stop all jobs, which return to RabbitMQ, before Celery says so of this one.

        Celery calls it for each running job when the connection is lost or the worker ends, and
        tells the result backend in between. That may take long, and a job that another worker has
        must not go on here.
        """
        if isinstance(pool, TrioPool):
            pool.requeue_all()
        super().cancel(pool, signal, emit_retry)


class RequeueOnBrokerSilence(StartStopStep):
    """Gives all jobs back when RabbitMQ was silent for three quarters of the time that it waits.

    RabbitMQ gives the jobs of a worker to others when that has been silent for two heartbeats.
    Celery itself notices later, or never: its loop stands still while it publishes to a silent
    server, so the watch has a thread of its own.
    """

    requires = ("celery.worker.consumer.connection:Connection",)
    _timer: Any = None

    def start(self, consumer: Any) -> None:
        """Look several times in a heartbeat whether anything has arrived."""
        self.stop(consumer)
        heartbeat = consumer.connection.get_heartbeat_interval()
        if heartbeat and isinstance(consumer.pool, TrioPool):
            connection, pool = consumer.connection.connection, consumer.pool
            self._received, self._at = connection.bytes_recv, time.monotonic()
            check = functools.partial(self._requeue_if_silent, connection, pool, 1.5 * heartbeat)
            self._timer = Timer()
            self._timer.call_repeatedly(heartbeat / 8, check)

    def _requeue_if_silent(self, connection: Any, pool: TrioPool, limit: float) -> None:
        now, received = time.monotonic(), connection.bytes_recv
        if received != self._received:
            self._received, self._at = received, now
        elif now - self._at > limit:
            logger.warning("RabbitMQ has been silent for %.1f s: all jobs stop", now - self._at)
            pool.requeue_all()
            self._at = now

    def stop(self, consumer: Any) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


class _JobStopReason(Enum):
    """Why a job is stopped from outside."""

    REVOKED = "it was revoked"
    REQUEUED = "the worker gives it back"


class _TaskRun:
    """One job in this worker: a thread of the pool that waits, and a job in Trio.

    Args:
        pool: The pool.
        previous: An older run of the same job, which RabbitMQ has taken from this worker.
        soft: The soft time limit in seconds.
        hard: The hard one.
    """

    def __init__(
        self, pool: TrioPool, previous: _TaskRun | None, soft: float | None, hard: float | None
    ) -> None:
        self.ended = threading.Event()
        self._pool = pool
        self._previous = previous
        self._soft, self._hard = soft or math.inf, hard or math.inf
        self._lock = threading.RLock()  # a signal handler may interrupt a stop with another
        self._storing = threading.Lock()
        self._stop_reason: _JobStopReason | None = None
        self._future: JobFuture[Any] | None = None
        self._progress: JobProgress | None = None
        self._changed = threading.Event()

    def stop(self, reason: _JobStopReason) -> None:
        """Cancel the job; the first reason counts.

        After REVOKED, no progress is stored any more: Celery stores that it was revoked.
        """
        with self._lock:
            self._stop_reason = self._stop_reason or reason
            if self._future is not None:
                self._future.cancel()
        if reason is _JobStopReason.REVOKED:
            with self._storing:
                pass

    def run_and_wait(
        self, task: Task[..., Any], function: Callable[..., Awaitable[T]], args: tuple[Any, ...]
    ) -> T:
        """Run the job in Trio, and return its value. Called by the task, in a thread of the pool.

        Raises:
            Ignore: It was revoked.
            Reject: The worker gives it back.
            SoftTimeLimitExceeded, TimeLimitExceeded: A time limit has passed.
        """
        if self._previous is not None:
            self._previous.ended.wait()
            self._previous = None
        try:
            future = self._submit(task, function, args)
            self._store_progress_until_done(task, future)
            if future.handle is None and not future.cancelled():
                future.result()  # the portal has refused the job
        except QueueClosed:
            self._pool.end_worker_process()
            raise self._make_ignore_or_reject() from None
        if future.cancelled():
            raise self._make_ignore_or_reject()
        error = future.exception()
        if isinstance(error, JobTimedOut) and error.job_id == task.request.id:
            if self._soft <= self._hard:
                raise SoftTimeLimitExceeded(self._soft)
            raise TimeLimitExceeded(self._hard)
        if error is None and self._stop_reason is _JobStopReason.REVOKED:
            raise Ignore  # Celery has stored that it was revoked
        return future.result()

    def _submit(
        self, task: Task[..., Any], function: Callable[..., Awaitable[T]], args: tuple[Any, ...]
    ) -> JobFuture[T]:
        with self._lock:
            if self._stop_reason is not None:
                raise self._make_ignore_or_reject()
            future = self._pool.portal.submit(
                function,
                *args,
                id=task.request.id,
                name=task.name,
                timeout=min(self._soft, self._hard),
                on_progress=self._note_progress,
            )
            self._future = future
        future.add_done_callback(lambda _: self._changed.set())
        return future

    def _make_ignore_or_reject(self) -> Ignore | Reject:
        if self._stop_reason is _JobStopReason.REVOKED:
            return Ignore()
        return Reject("the worker gives the job back", requeue=True)

    def _note_progress(self, progress: JobProgress) -> None:
        self._progress = progress
        self._changed.set()

    def _store_progress_until_done(self, task: Task[..., Any], future: JobFuture[Any]) -> None:
        """Store the progress of the job until it has ended."""
        while self._changed.wait() and not future.done():
            self._changed.clear()
            if self._progress is not None and not task.request.ignore_result:
                self._store_progress(task, self._progress.as_dict())
            wait([future], PROGRESS_INTERVAL_SECONDS)

    def _store_progress(self, task: Task[..., Any], meta: dict[str, object]) -> None:
        with self._storing:
            if self._stop_reason is None:
                try:
                    task.update_state(state="PROGRESS", meta=meta)
                except Exception:
                    logger.exception("the progress of job %s cannot be stored", task.request.id)


_current_run: ContextVar[_TaskRun | None] = ContextVar("_current_run", default=None)


class TrioPool(TaskPool):
    """Celery's pool of threads, and a Trio run beside it.

    The setting ``worker_pool = "ticketr.celery:TrioPool"`` chooses it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._runs: dict[str, _TaskRun] = {}
        self._stack = ExitStack()
        self._is_ending = False
        self._is_submitting = False
        self.app.steps["consumer"].add(RequeueOnBrokerSilence)

    def on_start(self) -> None:
        """Start the Trio run."""
        super().on_start()
        self.portal = self._stack.enter_context(JobPortal(workers=self.limit, grace=0))

    def on_stop(self) -> None:
        """Wait for the jobs, and give back those that take longer than the soft shutdown.

        Meanwhile Celery sends no heartbeats, so nothing goes on for longer than RabbitMQ waits.

        Celery's handler of a signal calls it, too. A handler that has interrupted the submit of a
        task must not touch the executor, whose lock is held; Celery's loop stops the pool again.
        """
        if self._is_submitting:
            self.requeue_all()
            return
        grace = self.app.conf.worker_soft_shutdown_timeout or math.inf
        silence = 1.5 * (self.app.conf.broker_heartbeat or math.inf)
        deadline = time.monotonic() + min(grace, silence)
        while (runs := [*self._runs.values()]) and (left := deadline - time.monotonic()) > 0:
            runs[0].ended.wait(min(left, threading.TIMEOUT_MAX))
        self.requeue_all()
        super().on_stop()
        self._runs.clear()  # what has not started never will
        try:
            self._stack.close()
        except (SystemExit, KeyboardInterrupt) as error:  # a job's, which has ended the Trio run
            raise WorkerShutdown(1) from error

    def on_terminate(self) -> None:
        """Give all jobs back."""
        self.requeue_all()
        self.on_stop()

    def on_apply(self, target: Any, *args: Any, **options: Any) -> Any:
        """Run a task in a thread; if it is a Trio task, that finds its way to Trio."""
        job_id, soft, hard = itemgetter("correlation_id", "soft_timeout", "timeout")(options)
        self._runs[job_id] = run = _TaskRun(self, self._runs.get(job_id), soft, hard)

        def call(*args: Any, **kwargs: Any) -> object:
            token = _current_run.set(run)
            try:
                return target(*args, **kwargs)
            finally:
                _current_run.reset(token)
                if self._runs.get(job_id) is run:
                    del self._runs[job_id]
                run.ended.set()

        self._is_submitting = True
        try:
            return super().on_apply(call, *args, **options)
        finally:
            self._is_submitting = False

    def terminate_job(self, pid: Any, signal: Any = None) -> None:
        """Cancel a job that was revoked.

        Raises:
            NotImplementedError: It is not a Trio task, and blocks a thread.
        """
        if not isinstance(pid, str):
            super().terminate_job(pid, signal)
        elif pid in self._runs:
            self._runs[pid].stop(_JobStopReason.REVOKED)

    def end_worker_process(self) -> None:
        """End the worker, whose Trio run a job has ended; Celery gives the jobs back."""
        if not self._is_ending:
            self._is_ending = True
            logger.critical("a job has exited, and ended the Trio run: the worker ends")
            os.kill(os.getpid(), signal.SIGQUIT)

    def requeue_all(self) -> None:
        """Cancel all jobs, which return to RabbitMQ."""
        for run in [*self._runs.values()]:
            run.stop(_JobStopReason.REQUEUED)
