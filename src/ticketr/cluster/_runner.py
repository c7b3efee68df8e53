"""Run attempts: each is begun, run in the local queue, and its end is told to the server."""

from __future__ import annotations

import functools
import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import trio

from ticketr._errors import (
    JobError,
    JobFailed,
    JobTimedOut,
    NotSendable,
    QueueClosed,
    TicketrError,
)
from ticketr.cluster._allowed import check_module, module_of
from ticketr.cluster._attempt import Attempt, Call
from ticketr.jobs._cancelled import split_cancelled
from ticketr.jobs._function import resolve_function
from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import CancelCause, JobErrorInfo, JobStatus
from ticketr.jobs._one_attempt import AttemptOptions, submit_attempt
from ticketr.jobs._retry import delay_after
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from ticketr.cluster._batches import Batches
    from ticketr.cluster._keys import TaskName
    from ticketr.cluster._signed import SignedCodec
    from ticketr.jobs._context import JobContext
    from ticketr.jobs._handle import JobHandle
    from ticketr.jobs._progress import JobProgress
    from ticketr.jobs._queue import JobQueue
    from ticketr.jobs._retry import Retry

logger = logging.getLogger("ticketr.cluster")


class Interrupted(TicketrError):
    """Stands for an error that would end the program, such as SystemExit: it ends the job alone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attempt ended.

    Attributes:
        status: The job's status if it has ended; None if another attempt follows.
        value: What the function returned.
        error: What the job fails with.
        info: The same as text, with its traceback; None to make it of the error.
        cause: Why it was stopped, if the server does not know that.
        delay: The seconds until the next attempt.
        is_counted: Whether this attempt counts against the retry rule.
    """

    status: JobStatus | None
    value: object = None
    error: BaseException | None = None
    info: JobErrorInfo | None = None
    cause: str = ""
    delay: float = 0.0
    is_counted: bool = True


@final
class Runner:
    """Runs attempts in the local queue of a worker."""

    def __init__(
        self,
        batches: Batches,
        codec: SignedCodec,
        local: JobQueue,
        worker: str,
        modules: Collection[str] | None,
    ) -> None:
        self._batches = batches
        self._codec = codec
        self._local = local
        self._worker = worker
        self._modules = modules

    async def begin(self, attempt: Attempt) -> Call | str:
        """Ask the server whether the attempt may run; return what to run, else its answer."""
        task = attempt.task
        answer = await self._batches.call_surely(
            *("begin", task.job_id, task.nonce, self._worker, attempt.token),
            *(attempt.level, attempt.message),
        )
        verdict: str = answer[0].decode()
        return Call.of(answer) if verdict == "run" else verdict

    async def run(self, attempt: Attempt, call: Call) -> None:
        """Run an attempt that has begun, and tell the server how it ended.

        Cancellation:
            The server is not told. Another worker runs the job once this one's lease is over.
        """
        try:
            job, args = self._codec.unpack_job(attempt.task, call.payload)
            retry = self._codec.unpack_retry(attempt.task, call.retry)
            check_module(module_of(job), self._modules)
            function, _ = resolve_function(job, args)
        except Exception as error:  # noqa: BLE001 - the user's module and class
            await self._finish(attempt, Verdict(JobStatus.FAILED, error=error))
            return
        timeout = call.timeout
        if retry is not None and retry.total is not None:
            timeout = min(timeout, max(retry.total - call.elapsed, 0.0))
        options = AttemptOptions(
            id=attempt.task.job_id,
            name=call.name,
            attempt=call.attempt,
            timeout=timeout,
            key=call.key,
            tags=call.tags,
        )
        began = trio.current_time() - call.elapsed
        guarded = functools.partial(_guarded, function)
        try:
            handle = submit_attempt(self._local, guarded, args, options)
        except QueueClosed:  # the worker is being cancelled, and gives its jobs back
            return
        attempt.start(handle)
        verdict = await self._verdict(attempt, call, retry, began)
        if verdict is None:
            return
        if verdict.status is None:
            await self._put_back(attempt, verdict)
        else:
            await self._finish(attempt, verdict)

    async def _verdict(
        self, attempt: Attempt, call: Call, retry: Retry | None, began: float
    ) -> Verdict | None:
        """Wait for the end of an attempt; None if it was given back."""
        assert attempt.handle is not None  # it has started
        snapshot = await attempt.handle.wait()
        if snapshot.status is JobStatus.COMPLETED:
            return Verdict(JobStatus.COMPLETED, value=snapshot.result)
        if snapshot.status is JobStatus.CANCELLED:
            if attempt.cancel_requested:
                return Verdict(JobStatus.CANCELLED)
            return None  # given back, or the lease is over
        error = await _error_of(attempt.handle)
        if not attempt.cancel_requested and isinstance(error, Exception):
            delay, is_counted = _next_delay(error, retry, call, attempt.task)
            elapsed = trio.current_time() - began
            if delay is not None and not _is_used_up(retry, elapsed + delay):
                return Verdict(None, delay=delay, is_counted=is_counted)
        is_late = isinstance(error, JobTimedOut)
        cause = CancelCause.TIMEOUT.value if is_late else ""
        return Verdict(JobStatus.FAILED, error=error, info=snapshot.error, cause=cause)

    async def _finish(self, attempt: Attempt, verdict: Verdict) -> None:
        """Tell the server how a job has ended."""
        task, status, error, info = attempt.task, verdict.status, verdict.error, verdict.info
        result = failure = b""
        if status is JobStatus.COMPLETED:
            try:
                result = self._codec.pack_result(task, verdict.value)
            except NotSendable as flaw:
                status, error, info = JobStatus.FAILED, flaw, None
        if status is JobStatus.FAILED and error is not None:
            info = info or JobErrorInfo.of(error)
            failure = self._codec.pack_error(task, error, info)
            logger.warning("job %r failed: %s: %s", task.job_id, info.type, info.message)
        assert status is not None  # no attempt follows
        told = await self._batches.call_surely(
            *("finish", task.job_id, attempt.token, status.value, verdict.cause, result, failure),
            *_report_of(attempt),
        )
        if not told:
            logger.warning("job %r had been given to another worker", task.job_id)

    async def _put_back(self, attempt: Attempt, verdict: Verdict) -> None:
        """Tell the server that another attempt follows."""
        delay, is_counted = verdict.delay, int(verdict.is_counted)
        await self._batches.call_surely(
            "put_back", attempt.task.job_id, attempt.token, delay, is_counted
        )


async def _guarded(
    function: Callable[..., Awaitable[object]], context: JobContext, *args: object
) -> object:
    """Call a job's function; an error that would end the program ends the job alone."""
    try:
        return await function(context, *args)
    except BaseException as error:
        cancelled, rest = split_cancelled(error)
        if cancelled is not None or has_only_exceptions(rest):
            raise
        words = f"the job raised {type(rest).__name__}: {safe_repr(rest)}"
        raise Interrupted(words) from error  # noqa: ASYNC104 - there is no Cancelled in it


async def _error_of(handle: JobHandle[object]) -> BaseException:
    """Return what a failed job raised."""
    try:
        await handle.result()
    except JobFailed as failed:
        return failed.__cause__ or failed
    except JobError as error:
        return error
    raise AssertionError("the job has not failed")


def _next_delay(
    error: Exception, retry: Retry | None, call: Call, task: TaskName
) -> tuple[float | None, bool]:
    """Return the seconds until the next attempt, None for none, and whether this one counts."""
    try:
        uncounted = delay_after(error, None, call.used)  # of RetryLater
        if uncounted is not None:
            return uncounted, False
        return delay_after(error, retry, call.used), True
    except Exception:
        logger.exception("the retry rule of job %r raised", task.job_id)
        return None, True


def _is_used_up(retry: Retry | None, elapsed: float) -> bool:
    total = math.inf if retry is None or retry.total is None else retry.total
    return elapsed >= total


def _report_of(attempt: Attempt) -> tuple[object, ...]:
    """Return the last report of an attempt as arguments of ``finish``."""
    progress: JobProgress | None = None
    if attempt.handle is not None:
        progress = attempt.handle.snapshot().progress
    if progress is None:
        return (0, 0, 0, "")
    return (1, progress.current, progress.total, progress.message)
