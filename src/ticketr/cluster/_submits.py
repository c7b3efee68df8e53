"""What users do to have jobs run in a cluster: submit them, many at once, or run them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple, Unpack, cast, overload

import trio

from ticketr._errors import DuplicateJob, QueueClosed, UnknownJob
from ticketr.cluster._control import ClusterControl
from ticketr.cluster._submission import make_submission
from ticketr.jobs._conflicts import ENTERS
from ticketr.jobs._job import CancelCause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ticketr.cluster._batches import Batches
    from ticketr.cluster._events import EventReader
    from ticketr.cluster._handle import ClusterHandle
    from ticketr.cluster._mirror import Mirror
    from ticketr.cluster._record import RemoteRecord
    from ticketr.cluster._signed import SignedCodec
    from ticketr.cluster._store import RecordStore
    from ticketr.cluster._submission import Defaults, Submission
    from ticketr.jobs._context import Job, JobContext
    from ticketr.jobs._options import JobOptions

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LAST_WORDS: Final = 10.0
"""Seconds that a cancelled ``run()`` waits for the end of its job."""
WITHDRAWAL: Final = 2.0
"""Seconds that a cancelled ``submit()`` tries to tell the server so."""
BATCH: Final = 200
"""Jobs that ``submit_many()`` hands to the server at once."""
ROOM_PATIENCE: Final = 3.0
"""Seconds after which a submit that waits for room asks again, so that the server remembers it."""


class ClusterSubmits(ClusterControl):
    """The part of a cluster's queue that takes jobs."""

    def __init__(
        self,
        store: RecordStore,
        mirror: Mirror,
        events: EventReader,
        codec: SignedCodec,
        batches: Batches,
        defaults: Defaults,
    ) -> None:
        super().__init__(store, mirror, events, codec)
        self._batches = batches
        self._defaults = defaults
        self._is_closed = False

    # Submitting

    @overload
    async def submit(self, job: Job[T], /, **options: Unpack[JobOptions]) -> ClusterHandle[T]: ...

    @overload
    async def submit(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> ClusterHandle[T]: ...

    async def submit(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> ClusterHandle[T]:
        """Submit a job; wait for room while too many are pending, and for the server.

        It is taken once, however often the connection fails meanwhile.

        Cancellation:
            A submit that is cancelled has submitted nothing; but if the server does not answer
            within 2 seconds, it may have.

        Args:
            job: A :class:`~ticketr.Job`, or an async function that is called with a
                :class:`~ticketr.JobContext` and ``args``. Workers must be able to import it.
            args: Arguments for the function, which can be pickled.
            options: See :class:`~ticketr.JobOptions`. A key is text.

        Raises:
            QueueClosed: The block of the queue has been left.
            DuplicateJob: A job with this ID, or key, has not ended (see ``on_conflict``).
            UnknownJob: The server knows no job that ``after`` names.
            NotSendable: Another process could not make the job anew.
            ClusterUnavailable: The server is out of memory; nothing was submitted.
            TypeError, ValueError: The job or an option is invalid.
        """
        submission = self._submission(job, args, options)
        return cast("ClusterHandle[T]", await self._enter(submission))

    async def submit_many(
        self,
        function: Callable[[JobContext, A], Awaitable[T]],
        items: Iterable[A],
        /,
        **options: Unpack[JobOptions],
    ) -> list[ClusterHandle[T]]:
        """Submit a function as a job for each item, many in one round trip.

        Cancellation:
            What has been submitted stays submitted, up to 200 jobs at a time; the rest is not.

        Args:
            function: An async function that is called with a :class:`~ticketr.JobContext` and an
                item. Workers must be able to import it.
            items: What can be pickled.
            options: See :class:`~ticketr.JobOptions`. They hold for each job. ``id`` and
                ``on_conflict`` are refused.

        Returns:
            The handles in the order of the items.

        Raises:
            QueueClosed: The block of the queue has been left.
            NotSendable: Another process could not make a job anew; nothing was submitted.
            ClusterUnavailable: The server is out of memory; what was submitted before stays, the rest
                is not, as with a cancellation.
            TypeError, ValueError: The function or an option is invalid; nothing was submitted.
        """
        for option in ("id", "on_conflict"):
            if option in options:
                raise TypeError(f"submit_many() has no option {option!r}: it is for each job alone")
        submissions = [self._submission(function, (item,), options) for item in items]
        handles: list[Any] = []
        for start in range(0, len(submissions), BATCH):
            handles += await self._enter_batch(submissions[start : start + BATCH])
        await trio.lowlevel.checkpoint()
        return handles

    @overload
    async def run(self, job: Job[T], /, **options: Unpack[JobOptions]) -> T: ...

    @overload
    async def run(
        self,
        job: Callable[[JobContext, *Ts], Awaitable[T]],
        /,
        *args: *Ts,
        **options: Unpack[JobOptions],
    ) -> T: ...

    async def run(
        self,
        job: Job[T] | Callable[..., Awaitable[T]],
        /,
        *args: object,
        **options: Unpack[JobOptions],
    ) -> T:
        """Submit a job and return its result, as if it were called here.

        Cancellation:
            Cancels the job, and waits for its end, 10 seconds at most; but a job that this has
            merely joined goes on.

        Raises:
            QueueClosed, DuplicateJob, NotSendable, ClusterUnavailable: As :meth:`submit` does.
            JobFailed, JobCancelled, JobTimedOut, JobLost: As :meth:`ClusterHandle.result` does.
        """
        submission = self._submission(job, args, options)
        try:
            handle = cast("ClusterHandle[T]", await self._enter(submission))
            return await handle.result()
        except trio.Cancelled:
            with trio.move_on_after(LAST_WORDS, shield=True):
                await self._cancel_own(submission.record)
            raise

    def _submission(
        self,
        job: Job[object] | Callable[..., Awaitable[object]],
        args: tuple[object, ...],
        options: JobOptions,
    ) -> Submission:
        if self._is_closed:
            raise QueueClosed
        return make_submission(
            job,
            args,
            options,
            defaults=self._defaults,
            codec=self._codec,
            shift=self._events.shift,
            reader=self._events.stream,
        )

    async def _enter(self, submission: Submission) -> ClusterHandle[object]:
        self._expect(submission)
        is_entered = False
        try:
            answer = await self._wait_for_room(submission)
            is_entered = answer[0] == "entered"
        except BaseException:
            with trio.move_on_after(WITHDRAWAL, shield=True):
                await self._store.call_surely(*self._withdrawal(submission))
            raise
        finally:
            if not is_entered:
                self._forget(submission)
        if is_entered:
            self._accept(submission.record, answer)
            return self._handle(submission.record)
        if answer[0] == "joined":
            return await self.attach(answer[1])
        if answer[0] == "unknown":
            raise UnknownJob(answer[1])
        raise DuplicateJob(answer[1], answer[2] or None)

    async def _enter_batch(self, submissions: Sequence[Submission]) -> list[ClusterHandle[object]]:
        for submission in submissions:
            self._expect(submission)
        waiting = dict.fromkeys(submissions)
        try:
            answers = await self._batches.call_all_surely(
                ("enter", *submission.args) for submission in submissions
            )
            for submission, raw in zip(submissions, answers, strict=True):
                if raw[0] == b"entered":
                    self._accept(submission.record, [part.decode() for part in raw])
                    del waiting[submission]
            for submission in list(waiting):  # there was no room for these
                await self._enter(submission)
                del waiting[submission]
        except BaseException:
            with trio.move_on_after(WITHDRAWAL, shield=True):
                await self._batches.call_all_surely(self._withdrawal(each) for each in waiting)
            for submission in waiting:
                self._forget(submission)
            raise
        return [self._handle(submission.record) for submission in submissions]

    async def enter_observed(
        self, submissions: Sequence[Submission], ended: Callable[[RemoteRecord], None]
    ) -> None:
        """Submit jobs, and have a function called with each that has ended; internal."""
        for submission in submissions:
            self._mirror.observe(submission.record, ended)
        await self._enter_batch(submissions)

    async def cancel_many(self, records: Iterable[RemoteRecord], cause: CancelCause) -> None:
        """Cancel jobs in few round trips; internal."""
        await self._batches.call_all_surely(
            ("cancel", record.id, cause.value, uuid.uuid4().hex) for record in records
        )

    def _expect(self, submission: Submission) -> None:
        """Take events of a job that may come before the answer to its submit."""
        self._mirror.expect(submission.record)
        self._events.submissions[submission.record] = submission

    def _forget(self, submission: Submission) -> None:
        self._events.submissions.pop(submission.record, None)
        self._mirror.withdraw(submission.record)

    def _accept(self, record: RemoteRecord, answer: Sequence[str]) -> None:
        record.accept(float(answer[2]), float(answer[3]), answer[4])
        if not record.ended.is_set():  # else its events have come already
            self._mirror.add(record)

    def _withdrawal(self, submission: Submission) -> tuple[str, str, str, str]:
        task = submission.record.task
        return ("withdraw", task.job_id, task.nonce, CancelCause.SCOPE.value)

    async def _wait_for_room(self, submission: Submission) -> list[str]:
        nonce = submission.record.task.nonce
        try:
            while not self._is_closed:
                is_told = self._events.expect_room(nonce)
                raw = await self._batches.call_surely("enter", *submission.args)
                answer = [part.decode() for part in raw]
                if answer[0] == "duplicate" and submission.conflict in ENTERS:
                    await self._await_end(answer[1], submission.conflict, is_told)
                elif answer[0] != "full":
                    return answer
                with trio.move_on_after(ROOM_PATIENCE):
                    await is_told.wait()
        finally:
            self._events.forget_room(nonce)
        raise QueueClosed

    async def _cancel_own(self, record: RemoteRecord) -> None:
        """Cancel a job of ours for its submitter, and wait for its end."""
        if record.ended.is_set() or self._mirror.find(record.id) is not record:
            return
        await self._cancel(record.id, CancelCause.SCOPE)
        await record.ended.wait()
