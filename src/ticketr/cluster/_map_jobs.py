"""The jobs of one map over a cluster, from the drawing of an item until its result is read.

Three tasks share them. The feeder draws the items and submits their jobs. The reader iterates over
the results. The ender cancels what is left once the map is stopped: it waits for the feeder first,
whose last submit may just be answered.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

import trio
from trio.lowlevel import disable_ki_protection

from ticketr.cluster._handle import result_of
from ticketr.jobs._feeding import CANCELLED_OUTSIDE, error_for_reader, feed
from ticketr.jobs._items import END, draw_async, iterator_of
from ticketr.jobs._job import CancelCause, JobStatus
from ticketr.jobs._map_waits import Parking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticketr.cluster._record import RemoteRecord
    from ticketr.cluster._submission import Submission
    from ticketr.cluster._submitter import Submitter

BATCH: Final = 16
"""The most items that are drawn from an iterable that is not async without a checkpoint."""


@final
class MapJobs:
    """The jobs of a map.

    Attributes:
        scope: Around the feeder.
        reader: Where the task waits that reads the results.
        results: In the order in which to read them: all that are unread, or those that have ended.
        live: Those that have not ended.
        is_stopped: Whether the map takes no more items and cancels its jobs.
        error: What the items have raised, which the reader is to raise.
        failed: The job whose failure the reader is to raise.
    """

    def __init__(
        self,
        submitter: Submitter,
        submission_of: Callable[[object], Submission],
        *,
        ordered: bool,
        outcomes: bool,
        ahead: int,
    ) -> None:
        self._submitter = submitter
        self._submission_of = submission_of
        self._is_ordered = ordered
        self._has_outcomes = outcomes
        self._ahead = ahead
        self._unread = 0
        self._is_fed = False  # there are no more items
        self._feeder = Parking()
        self._feeder_ended = trio.Event()
        self._stopped = trio.Event()
        self.scope: Final = trio.CancelScope()
        self.reader: Final = Parking()
        self.results: Final[deque[RemoteRecord]] = deque()
        self.live: Final[dict[RemoteRecord, None]] = {}
        self.error: BaseException | None = None
        self.failed: RemoteRecord | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the map takes no more items and cancels its jobs."""
        return self._stopped.is_set()

    # The feeder

    async def feed(self, items: object) -> None:
        """Draw the items and submit their jobs, and close the items."""
        try:
            await feed(self, items, partial(self._submit_all, items))
        finally:
            if not self._is_fed:
                self.stop(CANCELLED_OUTSIDE)
            self._feeder_ended.set()

    async def _submit_all(self, items: object) -> None:
        iterator, is_async = iterator_of(items)
        while not self._is_fed:
            await trio.lowlevel.checkpoint()
            while self._unread >= self._ahead:
                await self._feeder.wait()
            if is_async:
                drawn = [await draw_async(iterator)]
            else:
                drawn = _draw_some(iterator, min(BATCH, self._ahead - self._unread))
            if drawn[-1] is END:
                drawn.pop()
                self._is_fed = True
            await self._submit([self._submission_of(item) for item in drawn])
        self.reader.wake()

    async def _submit(self, submissions: Sequence[Submission]) -> None:
        new = [submission.record for submission in submissions]
        self._unread += len(new)
        self.live.update(dict.fromkeys(new))
        if self._is_ordered:
            self.results.extend(new)
        try:
            await self._submitter.enter_observed(submissions, self._job_ended)
        except BaseException:
            for record in new:
                if not self._submitter.is_known(record):
                    self.live.pop(record, None)
            raise

    # The end

    def stop(self, reason: str) -> None:
        """Take no more items, and have the jobs cancelled that have not ended."""
        self._stopped.set()
        self.scope.cancel(reason)
        self.reader.wake()

    def fail(self, error: BaseException) -> None:
        """Stop the map because its items raised; the reader gets that error."""
        if self.error is None:
            self.error = error_for_reader(error)
        self.stop("the items of the map have failed")

    async def end(self) -> None:
        """Cancel the jobs that are left once the map is stopped, and wait for their ends."""
        await self._stopped.wait()
        await self._feeder_ended.wait()
        await self.cancel_and_wait()

    async def cancel_and_wait(self) -> None:
        """Cancel the jobs that are left, and wait for their ends."""
        await self._submitter.cancel_many([*self.live], CancelCause.SCOPE)
        while self.live:
            await next(iter(self.live)).ended.wait()

    def forget_error(self) -> BaseException | None:
        """Return the error of the items, unless the reader was given it."""
        error, self.error = self.error, None
        return error

    def _job_ended(self, record: RemoteRecord) -> None:
        """Keep an ended job for the reader; stop the map if it has failed."""
        self.live.pop(record, None)
        if not self._is_ordered:
            self.results.append(record)
        is_failure = record.status is not JobStatus.COMPLETED and not self._has_outcomes
        if is_failure and not self.is_stopped:
            self.failed = record
            self.stop("another job of the map has failed")
        elif self.is_readable():
            self.reader.wake()

    # The reader

    def is_readable(self) -> bool:
        """Return whether there is a result to read, an error to raise, or the end."""
        if self.results and self.results[0].ended.is_set():
            return True
        return self.is_stopped or self.is_empty()

    def is_empty(self) -> bool:
        """Return whether all results were read."""
        return self._is_fed and not self._unread

    def take(self) -> RemoteRecord:
        """Return the job whose result is to be read."""
        record = self.results.popleft()
        self._unread -= 1
        self._feeder.wake()
        return record

    def raise_error(self) -> None:
        """Raise the failure or the error that has stopped the map, if there is one."""
        record, self.failed = self.failed, None
        if record is not None:
            result_of(record)
        error = self.forget_error()
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback holds this frame


@disable_ki_protection  # in the iterable's own code
def _draw_some(iterator: Any, most: int) -> list[object]:
    """Return the next items; ``END`` behind the last one."""
    drawn: list[object] = []
    while len(drawn) < most and (not drawn or drawn[-1] is not END):
        drawn.append(next(iterator, END))
    return drawn
