from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import Context
from itertools import product
from typing import Any, cast

import pytest
import trio

from ticketr import JobContext, JobStatus
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, PENDING, RUNNING, JobErrorInfo
from ticketr.jobs._record import TRANSITIONS, JobRecord


async def nothing(context: JobContext) -> None:
    pass


def start(record: JobRecord) -> None:
    record.start(trio.lowlevel.current_task(), trio.CancelScope(), trio.current_time())


def back_off(record: JobRecord) -> None:
    record.back_off(trio.current_time() + 1, is_counted=False)


def end(status: JobStatus) -> Callable[[JobRecord], object]:
    def change(record: JobRecord) -> None:
        if status is FAILED:
            record.set_failure(ValueError(), JobErrorInfo("ValueError", "", ""))
        record.end(status, trio.current_time(), "result")

    return change


CHANGES: dict[JobStatus, Callable[[JobRecord], object]] = {
    PENDING: back_off,
    RUNNING: start,
    **{status: end(status) for status in (COMPLETED, FAILED, CANCELLED)},
}


def record_that_is(status: JobStatus) -> JobRecord:
    record = JobRecord((nothing, (), Context(), None), "nothing", math.inf, None)
    record.accept("job-1", 1, trio.current_time(), cast("Any", None))
    if status is not PENDING:
        start(record)
        if status is not RUNNING:
            CHANGES[status](record)
    return record


@pytest.mark.parametrize(("before", "after"), [*product(JobStatus, JobStatus)])
async def test_the_table_has_each_transition(before: JobStatus, after: JobStatus) -> None:
    record = record_that_is(before)
    revision = record.revision

    if after not in TRANSITIONS[before]:
        with pytest.raises(AssertionError):
            CHANGES[after](record)
        assert record.status is before
        return
    CHANGES[after](record)

    assert record.status is after
    assert record.revision == revision + 1
