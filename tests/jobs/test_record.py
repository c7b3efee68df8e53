from __future__ import annotations

import math
from contextvars import Context
from itertools import product
from typing import Any, cast

import pytest
import trio
from fakes.small_jobs import nothing

from ticketr import JobStatus
from ticketr.jobs._job import FAILED, PENDING, RUNNING, JobErrorInfo
from ticketr.jobs._record import TRANSITIONS, JobRecord


def change(record: JobRecord, status: JobStatus) -> None:
    now = trio.current_time()
    if status is PENDING:
        record.back_off(now + 1, counts_attempt=False)
    elif status is RUNNING:
        record.start_attempt(trio.CancelScope(), now)
    else:
        if status is FAILED:
            record.set_failure(ValueError(), JobErrorInfo("ValueError", "", ""))
        record.mark_ended(status, now, "result")


def record_that_is(status: JobStatus) -> JobRecord:
    record = JobRecord((nothing, (), Context(), None), "nothing", math.inf, None)
    record.accept("job-1", 1, trio.current_time(), cast("Any", None))
    for step in {PENDING: [], RUNNING: [RUNNING]}.get(status, [RUNNING, status]):
        change(record, step)
    return record


@pytest.mark.parametrize(("before", "after"), [*product(JobStatus, JobStatus)])
async def test_the_table_has_each_transition(before: JobStatus, after: JobStatus) -> None:
    record = record_that_is(before)
    revision = record.revision

    if after not in TRANSITIONS[before]:
        with pytest.raises(AssertionError):
            change(record, after)
        assert record.status is before
        return
    change(record, after)

    assert record.status is after
    assert record.revision == revision + 1
