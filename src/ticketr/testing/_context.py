"""A job's context for tests that call the job's function without a queue."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any, cast, final

import trio

from ticketr import JobContext
from ticketr.jobs._arguments import checked_option_fields
from ticketr.jobs._job import JobID
from ticketr.jobs._progress import JobProgress
from ticketr.jobs._record import ENDED_CALL, JobRecord, progress_of
from ticketr.jobs._values import checked_whole


@final
class FakeContext(JobContext):
    """A context without a queue; made by :func:`make_context`.

    Attributes:
        reports: The progress after each report, the newest last.
        cancel_requested: Whether the job was asked to stop. Set it in a test; to interrupt the job
            as well, cancel a scope around the call.
    """

    __slots__ = ("cancel_requested", "reports")

    def __init__(self, record: JobRecord, attempt: int) -> None:
        super().__init__(record)
        self._attempt = attempt
        self.reports: list[JobProgress] = []
        self.cancel_requested: bool = False

    def report(
        self,
        *,
        current: float | None = None,
        total: float | None = None,
        message: str | None = None,
    ) -> None:
        """Report progress as in a queue, and append it to ``reports``; from any thread."""
        self._record.add_report(current, total, message)
        self.reports.append(progress_of(self._record))


def make_context(
    *,
    id: JobID = "job-1",  # noqa: A002 - the option of a submit has this name
    name: str = "job",
    key: Hashable = None,
    tags: Iterable[str] = (),
    attempt: int = 1,
) -> FakeContext:
    """Return a context with which a test calls a job's function without a queue.

    It needs no Trio run. Its ``cleanup()`` is that of a job in a queue.

    ::

        async def test_it_reports_each_file() -> None:
            context = make_context(attempt=2)
            await copy(context, ["a", "b"])
            assert [report.message for report in context.reports] == ["a", "b"]

    Args:
        id: The job's ID.
        name: The job's name.
        key: The job's key.
        tags: The job's tags.
        attempt: The number of the attempt.

    Raises:
        TypeError, ValueError: An argument is invalid.
    """
    record = JobRecord(ENDED_CALL, "", math.inf, None)
    record.set_options(checked_option_fields({"id": id, "name": name, "key": key, "tags": tags}))
    record.accept(record.extras.given_id, 0, 0.0, cast("Any", None))
    record.start_attempt(cast("trio.CancelScope", None), 0.0)
    return FakeContext(record, checked_whole("attempt", attempt, 1))
