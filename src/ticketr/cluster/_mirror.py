"""The jobs that this process has submitted or attached, by the events that it has received."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar, final

import trio

from ticketr._errors import UnknownJob
from ticketr.jobs._job import JobStatus
from ticketr.jobs._statistics import QueueStatistics
from ticketr.jobs._updates import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from ticketr.cluster._record import RemoteRecord
    from ticketr.cluster._signed import SignedCodec
    from ticketr.jobs._retention import Keep

T = TypeVar("T")


def _await_change(
    _record: RemoteRecord | None, _is_ready: Callable[[], bool], park: Callable[[], Awaitable[T]]
) -> Awaitable[T]:
    """Wait for an update.

    The jobs run elsewhere, so no wait here can keep one from ending.
    """
    return park()


@final
class Mirror:
    """The records of the jobs known here, and their readers.

    Attributes:
        subscriptions: The readers.
        live: The jobs that have not ended, by the names that events give them.
    """

    def __init__(self, codec: SignedCodec, keep: Keep) -> None:
        self.subscriptions: Subscriptions[RemoteRecord] = Subscriptions(_await_change)
        self.live: dict[str, RemoteRecord] = {}
        self._by_id: dict[str, RemoteRecord] = {}
        self._observers: dict[RemoteRecord, list[Callable[[RemoteRecord], object]]] = {}
        self._ended: deque[RemoteRecord] = deque()
        self._codec = codec
        self._keep = keep
        self._counts = dict.fromkeys(JobStatus, 0)
        self._evicted = 0
        self._idle = trio.Event()

    # Jobs come and go

    def expect(self, record: RemoteRecord) -> None:
        """Take events of a job whose submit has not returned."""
        self.live[str(record.task)] = record

    def observe(self, record: RemoteRecord, ended: Callable[[RemoteRecord], object]) -> None:
        """Call a function once a job has ended."""
        self._observers.setdefault(record, []).append(ended)

    def withdraw(self, record: RemoteRecord) -> None:
        """Take no events of a job whose submit has failed; one that has events ends by them."""
        if self._by_id.get(record.id) is not record:
            self.live.pop(str(record.task), None)
            record.ended.set()  # tasks that wait for all jobs go on
        self._observers.pop(record, None)
        self._note_idle()

    def add(self, record: RemoteRecord) -> None:
        """Add a job by its ID, and notify the readers unless it has ended."""
        self._by_id[record.id] = record
        if record.status.is_terminal:
            self._ended.append(record)
            self.evict()
        else:
            self.live[str(record.task)] = record
            self.subscriptions.notify_changed(record)

    def apply(
        self, record: RemoteRecord, told: Mapping[str, bytes], *, is_whole_record: bool = False
    ) -> None:
        """Take over the state in an event, and notify the readers.

        Args:
            record: The job.
            told: The event.
            is_whole_record: Whether it is the whole record, which replaces what was told before.
        """
        before = record.report
        if not record.apply(told, self._codec, is_whole_record=is_whole_record):
            return
        self._by_id[record.id] = record  # an event may come before the answer to the submit
        is_report = record.report != before and bool(record.report[3])
        if is_report:
            self.subscriptions.notify_progress(record)
        if record.status.is_terminal:
            self._end(record)
        elif not is_report:
            self.subscriptions.notify_changed(record)

    def lose(self, record: RemoteRecord) -> None:
        """End a job that the server has forgotten and does not take again."""
        record.lose()
        self._end(record)

    def _end(self, record: RemoteRecord) -> None:
        """Note the end of a job: notify its readers and observers, and count it."""
        self.subscriptions.notify_ended(record, None)
        del self.live[str(record.task)]
        self._counts[record.status] += 1
        self._ended.append(record)
        self.evict()
        for ended in self._observers.pop(record, ()):
            ended(record)
        self._note_idle()

    def evict(self) -> None:
        """Drop ended jobs that are too many or too old."""
        oldest = trio.current_time() - self._keep.age
        while self._ended:
            record = self._ended[0]
            is_old = record.finished_at is not None and record.finished_at < oldest
            if len(self._ended) <= self._keep.jobs and not is_old:
                break
            self._ended.popleft()
            self._evicted += 1
            if self._by_id.get(record.id) is record:
                del self._by_id[record.id]

    def close(self) -> None:
        """End all readers."""
        self.subscriptions.close()

    # Looking

    def find(self, job_id: str) -> RemoteRecord | None:
        """Return the newest job with this ID; None if it is not known here."""
        return self._by_id.get(job_id)

    def get(self, job_id: str) -> RemoteRecord:
        """Return the newest job with this ID.

        Raises:
            UnknownJob: It is not known here.
        """
        record = self._by_id.get(job_id)
        if record is None:
            raise UnknownJob(job_id)
        return record

    def __iter__(self) -> Iterator[RemoteRecord]:
        return iter(list(self._by_id.values()))

    def statistics(self) -> QueueStatistics:
        """Return statistics of the jobs known here."""
        running = sum(record.status is JobStatus.RUNNING for record in self.live.values())
        return QueueStatistics(
            workers=0,
            pending=len(self.live) - running,
            running=running,
            completed=self._counts[JobStatus.COMPLETED],
            failed=self._counts[JobStatus.FAILED],
            cancelled=self._counts[JobStatus.CANCELLED],
            evicted=self._evicted,
            submitters_waiting=0,
        )

    # The end of all jobs

    @property
    def is_idle(self) -> bool:
        """Whether no job known here is pending or running."""
        return not self.live

    def expect_idle(self) -> None:
        """Do nothing: readers are always notified when this is idle."""

    async def wait_idle(self) -> None:
        """Wait until no job known here is pending or running."""
        while self.live:
            await self._idle.wait()
        await trio.lowlevel.checkpoint()

    def _note_idle(self) -> None:
        if not self.live:
            self._idle.set()
            self._idle = trio.Event()
            self.subscriptions.notify_idle()
