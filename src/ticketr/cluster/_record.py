"""What a process knows of a job that may run anywhere: the newest that it was told."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final, final

import trio

from ticketr.cluster._errors import JobLost
from ticketr.jobs._job import CancelCause, JobErrorInfo, JobSnapshot, JobStatus
from ticketr.jobs._progress import JobProgress
from ticketr.jobs._sendable import LoadFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.cluster._keys import TaskName
    from ticketr.cluster._signed import SignedCodec

NO_REPORT: Final = (0, 0, "", 0)


@final
class RemoteRecord:
    """The mirror of one job.

    Events of the server keep it up to date.

    Attributes:
        task: The submit that it is of.
        name: The job's name.
        key: The job's key; None for none.
        tags: The job's tags.
        priority: The job's priority.
        timeout: The limit in seconds for each attempt.
        shift: The server's clock minus Trio's.
        revision: That of the newest state that was told.
        status: The job's status.
        attempt: How often the job was started.
        cancel_requested: Whether it was asked to stop.
        cancel_cause: Why it was stopped, or asked to.
        submitted_at: When the server took it, on Trio's clock, as the other times.
        due_at: From when on it may run.
        started_at: When its last attempt started.
        finished_at: When it ended.
        report: Current, total, message, and the revision of the report, 0 for none.
        waiting_for: What keeps it from running while it is pending.
        worker: The ID of the worker that runs it, or ran it last.
        result: What its function returned.
        error: What its function raised, as text.
        exception: What its function raised, or what stands for that.
        ended: Set when the job has ended.
    """

    def __init__(self, task: TaskName, name: str, shift: float) -> None:
        self.task: Final = task
        self.name: str = name
        self.key: str | None = None
        self.tags: frozenset[str] = frozenset()
        self.priority: int = 0
        self.timeout: float = math.inf
        self.shift: float = shift
        self.revision: int = 0
        self.status: JobStatus = JobStatus.PENDING
        self.attempt: int = 0
        self.cancel_requested: bool = False
        self.cancel_cause: CancelCause | None = None
        self.submitted_at: float = trio.current_time()
        self.due_at: float = self.submitted_at
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.report: tuple[float, float, str, int] = NO_REPORT
        self.waiting_for: str = "worker"
        self.worker: str = ""
        self.result: object = None
        self.error: JobErrorInfo | None = None
        self.exception: BaseException | None = None
        self.ended: Final = trio.Event()

    @property
    def id(self) -> str:
        """The job's ID."""
        return self.task.job_id

    def set_options(
        self, *, key: str | None, tags: frozenset[str], priority: int, timeout: float, delay: float
    ) -> None:
        """Write what the submit said."""
        self.key, self.tags, self.priority, self.timeout = key, tags, priority, timeout
        self.due_at = self.submitted_at + delay

    def describe(self, told: Mapping[str, bytes]) -> None:
        """Take over what never changes of a job that another process submitted."""
        self.name = told["name"].decode()
        self.key = told.get("key", b"").decode() or None
        self.tags = frozenset(json.loads(told.get("tags") or b"[]"))
        self.priority = int(told.get("priority") or 0)
        self.timeout = float(told.get("timeout") or "inf")
        self.submitted_at = self._trio_time(told, "submitted") or 0.0

    def accept(self, submitted: float, due: float, waiting_for: str) -> None:
        """Note that the server has taken the job, unless an event has said more already."""
        if self.revision == 0:
            self.revision = 1
            self.submitted_at, self.due_at = submitted - self.shift, due - self.shift
            self.waiting_for = waiting_for or "worker"

    def begin_again(self) -> None:
        """Note that the server has forgotten the job, and is given it once more."""
        self.revision = 0

    def lose(self) -> None:
        """Note that the server has forgotten the job for good."""
        self.revision += 1
        self.status, self.finished_at = JobStatus.FAILED, trio.current_time()
        self.exception = JobLost(self.id, self.name, 0)
        self.error = JobErrorInfo.of(self.exception)
        self.ended.set()

    def apply(
        self, told: Mapping[str, bytes], codec: SignedCodec, *, is_whole_record: bool = False
    ) -> bool:
        """Take over what an event, or the server's record, says.

        Args:
            told: The fields.
            codec: Checks what comes.
            is_whole_record: Whether it is the whole record, which replaces what was told before.

        Returns:
            False if that is old, or of another submit.
        """
        revision = int(told["revision"])
        is_ours = told["nonce"].decode() == self.task.nonce
        is_old = revision <= self.revision and not is_whole_record
        if self.ended.is_set() or is_old or not is_ours:
            return False
        self.revision = revision
        self.status = JobStatus(told["status"].decode())
        self.attempt = int(told.get("attempt") or 0)
        self.cancel_requested = told.get("cancel") == b"1"
        cause = told.get("cause", b"").decode()
        self.cancel_cause = CancelCause(cause) if cause else None
        self.due_at = self._trio_time(told, "due") or self.due_at
        self.started_at = self._trio_time(told, "started")
        self.finished_at = self._trio_time(told, "finished")
        self.worker = told.get("worker", b"").decode()
        self.waiting_for = told.get("waiting", b"").decode() or "worker"
        self._take_report(told)
        if self.status.is_terminal:
            self._take_outcome(told, codec)
            self.ended.set()
        return True

    def _take_report(self, told: Mapping[str, bytes]) -> None:
        revision = int(told.get("reported") or 0)
        if not revision:
            self.report = NO_REPORT
            return
        words = told.get("message", b"").decode()
        self.report = (_number(told["current"]), _number(told["total"]), words, revision)

    def _take_outcome(self, told: Mapping[str, bytes], codec: SignedCodec) -> None:
        """Take over the result or the error of a job that has ended."""
        try:
            if self.status is JobStatus.COMPLETED:
                self.result = codec.unpack_result(self.task, told.get("result", b""))
            elif self.status is JobStatus.FAILED and "error" in told:
                self.error, self.exception = codec.unpack_error(self.task, told["error"])
            elif self.status is JobStatus.FAILED:
                self.exception = JobLost(self.id, self.name, int(told.get("lost") or 0))
                self.error = JobErrorInfo.of(self.exception)
        except LoadFailed as error:  # a class of its result may be missing here
            self.status = JobStatus.FAILED
            self.error, self.exception = JobErrorInfo.of(error), error

    def _trio_time(self, told: Mapping[str, bytes], field: str) -> float | None:
        """Return a time of the server on Trio's clock; None if the field is empty."""
        value = told.get(field)
        return float(value) - self.shift if value else None

    def progress(self) -> JobProgress:
        """Return what the job reported last."""
        current, total, message, revision = self.report
        return JobProgress(self.id, current, total, message, revision or self.revision)

    def snapshot(self) -> JobSnapshot:
        """Return the job as far as it is known here."""
        is_pending = self.status is JobStatus.PENDING
        return JobSnapshot(
            id=self.id,
            name=self.name,
            status=self.status,
            revision=self.revision,
            key=self.key,
            tags=self.tags,
            priority=self.priority,
            attempt=self.attempt,
            progress=self.progress() if self.report[3] else None,
            waiting_for=self.waiting_for if is_pending else None,
            cancel_requested=self.cancel_requested,
            cancel_cause=self.cancel_cause,
            submitted_at=self.submitted_at,
            due_at=self.due_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            error=self.error,
            result=self.result,
            wall_offset=self.shift,
        )


def _number(value: bytes) -> float:
    """Return a count as it was reported: whole, or not."""
    text = value.decode()
    return int(text) if text.removeprefix("-").isdecimal() else float(text)
