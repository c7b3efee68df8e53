"""Which live jobs a new one is in conflict with. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jobs._job import OnConflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.jobs._job import JobID, JobRecord
    from ticketr.jobs._keys import LiveKey


def rivals_of(
    record: JobRecord, by_id: Mapping[JobID, JobRecord], lane: LiveKey[JobRecord] | None
) -> list[JobRecord]:
    """The one that has its ID if it has one, otherwise those that have its key.

    Args:
        record: The new job.
        by_id: The jobs that are known.
        lane: What stands for its key, if anything does.
    """
    if record.id:
        namesake = by_id.get(record.id)
        return [] if namesake is None or namesake.status.is_terminal else [namesake]
    if lane is None or record.on_conflict is OnConflict.WAIT:
        return []
    return [*lane.jobs]
