"""What this process has to do with a queue: it submits jobs, follows them and cancels them.

The public methods of :class:`ticketr.cluster.ClusterQueue`, its maps and its block share it. It works
with records; the public methods make handles of them.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr._errors import DuplicateJob, QueueClosed, UnknownJob
from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._keys import TaskName
from ticketr.cluster._record import RemoteRecord
from ticketr.cluster._submission import make_submission
from ticketr.jobs._conflicts import ENTERS
from ticketr.jobs._job import CancelCause, CancelOutcome, OnConflict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ticketr.cluster._batches import Batches
    from ticketr.cluster._events import EventReader
    from ticketr.cluster._mirror import Mirror
    from ticketr.cluster._signed import SignedCodec
    from ticketr.cluster._store import RecordStore
    from ticketr.cluster._submission import Defaults, Submission
    from ticketr.jobs._context import Job
    from ticketr.jobs._job import JobID
    from ticketr.jobs._options import JobOptions

WITHDRAWAL: Final = 2.0
"""Seconds that a cancelled submit tries to tell the server so."""
ROOM_PATIENCE: Final = 3.0
"""Seconds after which a submit that waits for room asks again, so that the server remembers it."""


@final
class Submitter:
    """Submits jobs for this process, follows them and cancels them.

    Attributes:
        store: The records in the server.
        mirror: The jobs that are known here.
        events: What the server tells this process.
        codec: Signs what is sent, and checks what comes.
        is_closed: Whether no more jobs are taken.
    """

    def __init__(
        self,
        store: RecordStore,
        mirror: Mirror,
        events: EventReader,
        codec: SignedCodec,
        batches: Batches,
        defaults: Defaults,
    ) -> None:
        self.store: Final = store
        self.mirror: Final = mirror
        self.events: Final = events
        self.codec: Final = codec
        self.is_closed: bool = False
        self._batches = batches
        self._defaults = defaults

    # Submitting

    def make(
        self,
        job: Job[object] | Callable[..., Awaitable[object]],
        args: tuple[object, ...],
        options: JobOptions,
    ) -> Submission:
        """Check and pack a job.

        Raises:
            QueueClosed: No more jobs are taken.
            TypeError, ValueError: The job or an option is invalid.
            NotSendable: Another process could not rebuild the job.
        """
        if self.is_closed:
            raise QueueClosed
        return make_submission(
            job,
            args,
            options,
            defaults=self._defaults,
            codec=self.codec,
            shift=self.events.shift,
            reader=self.events.stream,
        )

    async def enter(self, submission: Submission) -> RemoteRecord:
        """Submit a job; wait for room.

        Returns:
            The job's record, or that of the live job that it has joined.

        Raises:
            QueueClosed: No more jobs are taken.
            DuplicateJob: A job with this ID, or key, has not ended.
            UnknownJob: The server knows no such predecessor.
            ClusterUnavailable: The server takes no jobs now.
        """
        self._expect(submission)
        is_entered = False
        try:
            answer = await self._wait_for_room(submission)
            is_entered = answer[0] == "entered"
        except BaseException:
            with suppress(ClusterUnavailable), trio.move_on_after(WITHDRAWAL, shield=True):
                await self.store.call_surely(*_withdrawal(submission))
            raise
        finally:
            if not is_entered:
                self._forget(submission)
        if is_entered:
            self._accept(submission.record, answer)
            return submission.record
        if answer[0] == "joined":
            return await self.attach(answer[1])
        if answer[0] == "unknown":
            raise UnknownJob(answer[1])
        raise DuplicateJob(answer[1], answer[2] or None)

    async def enter_batch(self, submissions: Sequence[Submission]) -> None:
        """Submit several jobs in few round trips; if that fails, none of them."""
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
                await self.enter(submission)
                del waiting[submission]
        except BaseException:
            with suppress(ClusterUnavailable), trio.move_on_after(WITHDRAWAL, shield=True):
                await self._batches.call_all_surely(_withdrawal(each) for each in waiting)
            for submission in waiting:
                self._forget(submission)
            raise

    async def enter_observed(
        self, submissions: Sequence[Submission], ended: Callable[[RemoteRecord], None]
    ) -> None:
        """Submit several jobs, and have a function called with each that has ended."""
        for submission in submissions:
            self.mirror.observe(submission.record, ended)
        await self.enter_batch(submissions)

    def _expect(self, submission: Submission) -> None:
        """Take events of a job that may come before the answer to its submit."""
        self.mirror.expect(submission.record)
        self.events.submissions[submission.record] = submission

    def _forget(self, submission: Submission) -> None:
        """Take no events of a job whose submit has failed."""
        self.events.submissions.pop(submission.record, None)
        self.mirror.withdraw(submission.record)

    def _accept(self, record: RemoteRecord, answer: Sequence[str]) -> None:
        """Note that the server has taken a job."""
        record.accept(float(answer[2]), float(answer[3]), answer[4])
        if not record.ended.is_set():  # else its events have come already
            self.mirror.add(record)

    async def _wait_for_room(self, submission: Submission) -> list[str]:
        """Ask the server to take a job until it does, or refuses it; return its answer."""
        nonce = submission.record.task.nonce
        try:
            while not self.is_closed:
                is_told = self.events.expect_room(nonce)
                raw = await self._batches.call_surely("enter", *submission.args)
                answer = [part.decode() for part in raw]
                if answer[0] == "duplicate" and submission.conflict in ENTERS:
                    await self._await_end(answer[1], submission.conflict, is_told)
                elif answer[0] != "full":
                    return answer
                with trio.move_on_after(ROOM_PATIENCE):
                    await is_told.wait()
        finally:
            self.events.stop_expecting_room(nonce)
        raise QueueClosed

    async def _await_end(self, job_id: str, conflict: OnConflict, ended: trio.Event) -> None:
        """Have an event set at the end of a live job, which a new one is to follow."""
        if conflict is OnConflict.SUPERSEDE:
            await self.cancel(job_id, CancelCause.SUPERSEDED)
        with suppress(UnknownJob):
            await self.attach(job_id)
        record = self.mirror.find(job_id)
        if record is None or record.ended.is_set():
            ended.set()
        else:
            self.mirror.observe(record, lambda _: ended.set())

    # Jobs that are there

    def is_known(self, record: RemoteRecord) -> bool:
        """Return whether a job was submitted, and not withdrawn."""
        return self.mirror.find(record.id) is record

    async def attach(self, job_id: JobID) -> RemoteRecord:
        """Return the record of a job that any process has submitted, and follow it.

        Raises:
            UnknownJob: The server knows no such job.
        """
        known = self.mirror.find(job_id)
        if known is not None and not known.ended.is_set():
            return known
        told = await self.events.fetch(job_id)
        if not told:
            raise UnknownJob(job_id)
        task = TaskName(job_id, told["nonce"].decode())
        record = self.mirror.live.get(str(task))
        if record is None:
            record = RemoteRecord(task, "", self.events.shift)
            record.describe(told)
            record.apply(told, self.codec)
            self.mirror.add(record)
            # What was told before the record was known here has been dropped.
            if newer := await self.events.fetch(job_id):
                self.mirror.apply(record, newer)
        return record

    async def cancel(self, job_id: JobID, cause: CancelCause) -> CancelOutcome:
        """Cancel a job, whoever submitted it.

        Raises:
            ClusterUnavailable: The server takes no calls now, or the job's record is overwritten.
        """
        try:
            answer = await self.store.call_surely("cancel", job_id, cause.value, uuid.uuid4().hex)
        except ClusterUnavailable:
            self.events.resync_soon()
            raise
        return CancelOutcome(answer.decode())

    async def cancel_many(self, records: Iterable[RemoteRecord], cause: CancelCause) -> None:
        """Cancel jobs in few round trips; wait for a server that takes no calls until it is mended."""
        calls = [("cancel", each.id, cause.value, uuid.uuid4().hex) for each in records]
        try:
            await self._batches.call_all_surely(calls, is_patient=True)
        except ClusterUnavailable:  # the record of one is overwritten; the others are cancelled
            self.events.resync_soon()

    async def cancel_and_wait(self, record: RemoteRecord) -> None:
        """Cancel a job that this process has submitted, for its submitter, and wait for its end."""
        if record.ended.is_set() or not self.is_known(record):
            return
        await self.cancel_many([record], CancelCause.SCOPE)
        await record.ended.wait()

    # The end

    def close(self) -> None:
        """Take no more jobs."""
        self.is_closed = True
        self.events.wake_submits()

    async def cancel_own(self, cause: CancelCause) -> None:
        """Cancel the jobs that this process has submitted."""
        await self.cancel_many([*self.events.submissions], cause)

    async def wait_own(self) -> None:
        """Wait for the jobs that this process has submitted."""
        while self.events.submissions:
            await next(iter(self.events.submissions)).ended.wait()
        await trio.lowlevel.checkpoint()


def _withdrawal(submission: Submission) -> tuple[str, str, str, str]:
    task = submission.record.task
    return ("withdraw", task.job_id, task.nonce, CancelCause.SCOPE.value)
