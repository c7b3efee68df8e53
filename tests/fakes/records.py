"""Records of jobs for tests of the parts of a queue by themselves."""

from __future__ import annotations

import itertools
import math
from contextvars import Context
from typing import TYPE_CHECKING, Any

from ticketr.jobs._record import JobRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

_numbers = itertools.count()


async def do_nothing(context: object) -> None:
    """Do nothing."""


def pending_record(
    job_id: str, *, context: Context | None = None, tags: Iterable[str] = ()
) -> JobRecord:
    """Return the record of a job that has just entered; each one comes after those before."""
    record = JobRecord(do_nothing, (), context or Context(), job_id, math.inf, None)
    queue: Any = None
    record.accept(job_id, next(_numbers), 0.0, queue)
    if tags:
        record.own_extras().tags = frozenset(tags)
    return record
